/** How long a key still writes, in words for its operator. */

import { DAY } from "../time.ts";
import type { KeyRule } from "./ring.ts";

/** A key is near its end so many days before. */
const WARNING_DAYS = 30;

/**
 * What an operator should know of a key that is near its end, or past it; undefined of any other.
 *
 * @param now milliseconds since the epoch
 */
export function lifeOf({ id, writeUntil }: KeyRule, now: number): string | undefined {
  if (writeUntil === undefined) return undefined;
  const days = Math.ceil((writeUntil - now) / DAY);
  if (days > WARNING_DAYS) return undefined;
  return days > 0
    ? `KEYS.${id} stops writing in ${days} day${days === 1 ? "" : "s"}: put its successor before it in its buckets' keys`
    : `KEYS.${id} no longer writes: rotate what is still under it, then take it out of its buckets' keys`;
}
