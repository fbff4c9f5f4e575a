/** Rotations, wherever they run: in the Worker, or in this process. */
import type { ReportedKey } from "../../rotation/needed.ts";
import type { Failure, RotationReport } from "../../rotation/state.ts";

/** What a rotation is begun with. */
export interface Wanted {
  readonly bucket: string;
  readonly prefix?: string;
  readonly from?: string;
  readonly to?: string;
  readonly dryRun?: true;
  readonly versions?: true;
  readonly removeVersions?: true;
  readonly encryptPlain?: true;
}

export interface ErrorsPage {
  readonly errors: readonly Failure[];
  readonly cursor?: string;
}

export interface Rotations {
  /** @throws {ConflictError} when another runs in the same bucket */
  start(wanted: Wanted): Promise<RotationReport>;
  /** Of a bucket, the newest first; not for ever back. */
  list(bucket: string): Promise<readonly RotationReport[]>;
  /** How far it is; what was lost on the way goes on. */
  find(id: string): Promise<RotationReport>;
  errors(id: string, cursor?: string): Promise<ErrorsPage>;
  cancel(id: string): Promise<RotationReport>;
  resume(id: string): Promise<RotationReport>;
  keys(): Promise<readonly ReportedKey[]>;
  /** With which a command is about the same rotations. */
  readonly flags: readonly string[];
  /** Whether a rotation goes on when this process ends. */
  readonly goesOn: boolean;
  close(): Promise<void>;
}

/** What they are opened for: whoever works on a local ledger is alone in that. */
export type Purpose = "work" | "look" | "cancel";
