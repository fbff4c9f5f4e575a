/** A rotation as the API has it. */

export interface Rotation {
  readonly id: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly from?: string;
  readonly to: string;
  readonly dryRun: boolean;
  readonly encryptPlain?: boolean;
  readonly versions?: object;
  readonly state: "running" | "done" | "failed" | "cancelled";
  readonly reason?: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly listed: number;
  readonly isListed: boolean;
  readonly rotated: number;
  readonly skipped: number;
  readonly failed: number;
  readonly bytes: number;
  readonly found: Readonly<Record<string, number>>;
  readonly olderVersions: number;
}

/** As `POST /v1/rotations` takes it. */
export interface Wanted {
  readonly bucket: string;
  readonly prefix?: string;
  readonly from?: string;
  readonly to?: string;
  readonly encryptPlain?: boolean;
}

export const nameOfRotation = ({ bucket, prefix }: { bucket: string; prefix?: string }): string =>
  prefix ? `${bucket}/${prefix}` : bucket;
