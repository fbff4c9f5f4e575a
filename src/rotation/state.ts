/** What a rotation is, as its ledger has it and as its callers see it. */
import { PLAIN, UNKNOWN } from "../keys/no-key.ts";

export type RotationState = "running" | "done" | "failed" | "cancelled";

/** How an ETag has to be written for a store to hold it against a condition; undefined where it holds none. */
export type Spelling = "quoted" | "bare" | "r2" | undefined;

/** What a store can do, as it was found by a scratch object. */
export interface Ways {
  /** Copies an object from one customer key to another. */
  readonly copies: boolean;
  /** Copies a part of an object from one customer key to another. */
  readonly copiesParts: boolean;
  /** Whether a copy's source can be demanded to be as it was seen. */
  readonly ifSourceMatch: Spelling;
  /** Whether what is replaced can be: by a copy, a PUT, the completion of an upload. */
  readonly ifMatchOfCopy: Spelling;
  readonly ifMatchOfPut: Spelling;
  readonly ifMatchOfComplete: Spelling;
  /** Whether objects have access control lists that differ. */
  readonly hasAcls: boolean;
  /** Whether there may be versions that are not current, and whether what is replaced becomes one. */
  readonly isVersioned: boolean;
  readonly keepsVersions: boolean;
  /** Whether these credentials may not see whether there are any. */
  readonly hidesVersions?: boolean;
  /** Whether "." and ".." as segments of a key arrive as they are: never by fetch. */
  readonly takesDots?: boolean;
}

/** A row of `rotations`, as far as the engine reads it. */
export interface Rotation {
  readonly id: string;
  readonly bucket: string;
  /** The store, and the bucket's name in it. */
  readonly place: string;
  readonly prefix: string;
  readonly fromKey: string | null;
  readonly toKey: string;
  readonly toCheck: string;
  /** JSON. */
  readonly keyIds: string;
  readonly dryRun: 0 | 1;
  /** Whether what lies in the clear is encrypted as well. */
  readonly encryptPlain: 0 | 1;
  /** Whether versions that are not current are copied onto new ones, and removed then. */
  readonly versions: 0 | 1;
  readonly removeVersions: 0 | 1;
  readonly caller: string;
  readonly state: RotationState;
  readonly reason: string | null;
  readonly pausedUntil: number;
  readonly pauses: number;
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** JSON of Ways. */
  readonly ways: string | null;
  readonly cursor: string | null;
  readonly pages: number;
  readonly listed: number;
  readonly listedBytes: number;
  readonly isListed: 0 | 1;
}

/** What a rotation, over or not, tells of the bucket's keys as they were when it began. */
export type PastRotation = Pick<Rotation, "keyIds" | "toKey" | "dryRun" | "startedAt" | "endedAt">;

export interface PageRow {
  readonly page: number;
  /** The key after which it begins; empty: from the start. */
  readonly after: string;
  /** Its last key; null: to the end. */
  readonly last: string | null;
  readonly doneThrough: string;
  /** The key up to which versions that are not current are counted; null: of none yet. */
  readonly olderThrough: string | null;
  /** How often it was begun since its last progress, this time included. */
  readonly attempts: number;
}

/** What became of the work on a page: what is left goes on later, unless the lease is lost. */
export type PageEnd = "done" | "lost" | "later";

export interface LargeRow {
  readonly key: string;
  readonly number: number;
  readonly size: number;
  /** The id of the key that it was found under, or plain. */
  readonly fromKey: string;
  readonly attempts: number;
  readonly uploadId: string | null;
  readonly etag: string | null;
}

export interface Failure {
  readonly key: string;
  /** As a problem's. */
  readonly code: string;
  readonly detail: string;
}

/** What is counted, by name: rotated, skipped, failed, bytes, listed, unclear; found/KEY, left/KEY and older/KEY; versions/copied and so on. */
export type Counts = Readonly<Record<string, number>>;

/** A rotation as its callers see it; times are ISO 8601. */
export interface RotationReport {
  readonly id: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly from?: string;
  readonly to: string;
  readonly dryRun: boolean;
  /** Where it was asked for. */
  readonly encryptPlain?: true;
  /** Where it was asked for: of versions that are not current, how many were copied onto new ones, and so on. */
  readonly versions?: { readonly copied: number; readonly removed: number; readonly failed: number };
  /** Where it was asked for. */
  readonly removeVersions?: true;
  readonly state: RotationState;
  /** Why it failed, or waits. */
  readonly reason?: string;
  /** When one that waits goes on by itself. */
  readonly pausedUntil?: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  /** Objects that are known of so far; all of them once `isListed`. */
  readonly listed: number;
  readonly listedBytes: number;
  readonly isListed: boolean;
  readonly rotated: number;
  readonly skipped: number;
  readonly failed: number;
  /** Of what was rotated. */
  readonly bytes: number;
  readonly found: Readonly<Record<string, number>>;
  /** Versions that are not current, and under another key than the target. */
  readonly olderVersions: number;
  /** The first of them. */
  readonly errors?: readonly Failure[];
}

/** The counts whose names begin so, without that beginning. */
export function countsOf(
  counts: Counts,
  family: "found" | "left" | "older" | "versions",
): Record<string, number> {
  const names = Object.keys(counts).filter((name) => name.startsWith(`${family}/`));
  return Object.fromEntries(names.map((name) => [name.slice(family.length + 1), counts[name] ?? 0]));
}

export function reportOf(rotation: Rotation, counts: Counts, errors?: readonly Failure[]): RotationReport {
  const { id, bucket, prefix, fromKey, toKey, dryRun, state, reason, isListed, listedBytes } = rotation;
  const { rotated = 0, skipped = 0, failed = 0, bytes = 0 } = counts;
  const handled = rotated + skipped + failed;
  const older = countsOf(counts, "older");
  const isWaiting = state === "running" && rotation.pausedUntil > 0 && reason !== null;
  return {
    id,
    bucket,
    prefix,
    ...(fromKey !== null && { from: fromKey }),
    to: toKey,
    dryRun: dryRun === 1,
    ...(rotation.encryptPlain === 1 && { encryptPlain: true }),
    ...(rotation.versions === 1 && {
      versions: { copied: 0, removed: 0, failed: 0, ...countsOf(counts, "versions") },
    }),
    ...(rotation.removeVersions === 1 && { removeVersions: true }),
    state,
    ...(reason !== null && { reason }),
    ...(isWaiting && { pausedUntil: isoTime(rotation.pausedUntil) }),
    startedAt: isoTime(rotation.startedAt),
    ...(rotation.endedAt !== null && { endedAt: isoTime(rotation.endedAt) }),
    // Each page is listed again when its turn comes: what was written or deleted meanwhile counts as it was then.
    listed: state === "done" ? handled : Math.max(rotation.listed, handled),
    listedBytes,
    isListed: isListed === 1,
    rotated,
    skipped,
    failed,
    bytes,
    found: { [PLAIN]: 0, [UNKNOWN]: 0, ...countsOf(counts, "found") },
    olderVersions: Object.entries(older).reduce((sum, [key, n]) => (key === toKey ? sum : sum + n), 0),
    ...(errors && { errors }),
  };
}

function isoTime(time: number): string {
  return new Date(time).toISOString();
}
