/** What is the same for all objects of a rotation. */
import type { Bucket } from "../config/load.ts";
import type { KeyRing, KeyRule } from "../keys/ring.ts";
import type { S3Bucket } from "../s3/store/client.ts";
import type { Limits } from "./limits.ts";
import type { Pace } from "./pace.ts";
import type { Ways } from "./state.ts";

/**
 * A pipe that tells its length to whoever reads it, as a Worker's FixedLengthStream does. Where the runtime has none,
 * what goes through is held in memory.
 */
export type MakePipe = (length: number) => {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
};

export interface Job {
  /** The rotation's id. */
  readonly rotation: string;
  readonly bucket: Bucket;
  readonly store: S3Bucket;
  readonly ring: KeyRing;
  readonly target: KeyRule;
  /** The only key whose objects are re-encrypted; without one those of all others are. */
  readonly from: string | undefined;
  /** A key that the bucket had when the rotation began, and has no more: what opens to none may lie under it. */
  readonly missing: string | undefined;
  readonly dryRun: boolean;
  /** Whether what lies in the clear is encrypted as well. */
  readonly encryptPlain: boolean;
  /** Whether versions that are not current are copied onto new ones, and removed once they are. */
  readonly versions: boolean;
  readonly removeVersions: boolean;
  readonly ways: Ways;
  readonly limits: Limits;
  readonly pace: Pace;
  readonly pipe: MakePipe | undefined;
}
