/** A rotation as the API has it. */
import type { RotationReport as Rotation } from "../rotation/state.ts";

export type { Rotation };

/** As `POST /v1/rotations` takes it. */
export interface Wanted {
  readonly bucket: string;
  readonly prefix?: string;
  readonly from?: string;
  readonly to?: string;
  readonly encryptPlain?: boolean;
  readonly versions?: boolean;
  readonly removeVersions?: boolean;
}

export const nameOfRotation = ({ bucket, prefix }: { bucket: string; prefix?: string }): string =>
  prefix ? `${bucket}/${prefix}` : bucket;
