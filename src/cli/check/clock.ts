/** How far the store's clock is from this machine's: a signature counts by the store's. */
import type { Answer } from "./http.ts";
import { bad, type Outcome, off, ok, warn } from "./report.ts";

/** S3 refuses what is signed by a clock that is further off than that, milliseconds. */
const MAX_SKEW = 15 * 60_000;
/** Not worth a word, milliseconds: a Date header has whole seconds. */
export const GOOD_SKEW = 30_000;

/** The store's clock less this machine's, milliseconds; undefined where the store does not tell. */
export function skewOf({ headers }: Answer, sentAt: number): number | undefined {
  const date = Date.parse(headers.date ?? "");
  return Number.isNaN(date) ? undefined : date - (sentAt + Date.now()) / 2;
}

export function clockOutcome(skew: number | undefined): Outcome {
  if (skew === undefined) return off("the store does not tell its time (no Date header)");
  const seconds = Math.round(Math.abs(skew) / 1000);
  if (Math.abs(skew) <= GOOD_SKEW) return ok(`${seconds} s off`);
  const by = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} minutes`;
  const what = `the store's is ${by} ${skew > 0 ? "ahead of" : "behind"} this machine's`;
  const todo =
    "URLs live so much shorter or longer, and beyond 15 minutes none is taken. Compare `date -u` here with the true time: set this machine's clock by NTP, or have whoever runs the store do so.";
  return Math.abs(skew) < MAX_SKEW ? warn(what, todo) : bad(what, todo);
}
