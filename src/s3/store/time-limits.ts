/** How long a store is waited for: all of it follows from one setting, `STORES.NAME.timeLimit`. */
import type { Store } from "../../config/load.ts";

/** What a store has to answer a look-up where its table does not say, seconds. */
export const DEFAULT_TIME_LIMIT = 10;

/** Milliseconds. */
export interface TimeLimits {
  /** The rest of a refusal, once its status is known. */
  readonly refusal: number;
  /** A HEAD, and all the time that a request may spend in search of its key. */
  readonly lookUp: number;
  /** The beginning of a download, and each piece of a body after it, in either direction. */
  readonly piece: number;
  /** A write, once the store has all of it. */
  readonly write: number;
  /** An operation in XML; completing an upload of thousands of parts is the longest. */
  readonly operation: number;
}

export function timeLimitsOf({ timeLimit = DEFAULT_TIME_LIMIT }: Pick<Store, "timeLimit">): TimeLimits {
  const lookUp = 1000 * timeLimit;
  return { refusal: lookUp / 2, lookUp, piece: 2 * lookUp, write: 3 * lookUp, operation: 6 * lookUp };
}
