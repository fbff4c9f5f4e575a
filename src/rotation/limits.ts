/** What bounds a rotation; tests bound it closer. Times are milliseconds. */
import { DAY } from "../time.ts";

export interface Limits {
  /** Objects that a page is made of; S3 lists no more at once. */
  readonly pageSize: number;
  /** How long a lease lasts without a sign of life. */
  readonly lease: number;
  /** After how long without a sign of life a message is taken for lost. */
  readonly resend: number;
  /** Pages, and large objects, that are under way at once. */
  readonly window: number;
  /** How many objects, or how long, one word to the ledger is about at most. */
  readonly checkpointObjects: number;
  readonly checkpointEvery: number;
  /** How long one message is worked on; what is left goes on with another. */
  readonly workFor: number;
  /** Pages that one message of the lister makes: the platform gives it 1,000 queries, and every page takes six. */
  readonly listedPages: number;
  /** Requests to the store at once: where it begins, and where it ends at most. */
  readonly concurrency: number;
  readonly maxConcurrency: number;
  /** How often a store that fails is asked again, and how long is waited first. */
  readonly attempts: number;
  readonly backoff: number;
  /** How long a rotation waits that cannot go on: at first, and at most. */
  readonly pause: number;
  readonly maxPause: number;
  /** Beyond so many bytes an object is copied by parts, where the store copies it; S3 copies no more at once. */
  readonly maxCopy: number;
  /** And beyond so many where it goes through here. */
  readonly maxWhole: number;
  /** Bytes of a part at least, where it is copied by the store. */
  readonly copiedPart: number;
  /** Bytes that one message may write to the log. The platform cuts it at 256 KB. */
  readonly log: number;
}

export const LIMITS: Limits = {
  pageSize: 1000,
  lease: 60_000,
  resend: 60_000,
  window: 250,
  checkpointObjects: 100,
  checkpointEvery: 5_000,
  // Of the 15 minutes that the platform gives.
  workFor: 600_000,
  listedPages: 100,
  // A Worker has six connections at once; more wait for one.
  concurrency: 6,
  maxConcurrency: 16,
  attempts: 5,
  backoff: 250,
  pause: 30_000,
  maxPause: 600_000,
  maxCopy: 5 * 2 ** 30,
  maxWhole: 32 * 2 ** 20,
  copiedPart: 2 ** 29,
  log: 160_000,
};

/** Objects that a rotation names that could not be rotated; more are only counted. The platform gives a database 10 GB. */
export const MAX_NAMED = 1_000_000;

/** What an object's line in the log takes beside its key, bytes. */
export const LOG_LINE = 350;

/** For how long a rotation that failed or was cancelled can be gone on with, milliseconds: what is open of it is kept so long. */
export const RESUMABLE = 30 * DAY;
