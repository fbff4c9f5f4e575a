/** What a caller administers, and so what of the trail they may see. */
import type { Caller } from "../auth/callers.ts";
import type { Config } from "../config/load.ts";
import { Refused } from "../refused.ts";

/** The objects of one bucket whose keys begin alike. */
export interface Range {
  readonly bucket: string;
  readonly prefix: string;
}

export interface Scope {
  /** Whoever administers every bucket sees everything, also what names no bucket, or one that does not exist. */
  readonly isEverything: boolean;
  /** In the order of the database, none within another; what lies in none is not shown. */
  readonly ranges: readonly Range[];
  /** Whether what belongs to no bucket is shown, as a token that is nobody's: to whoever administers a whole one. */
  readonly hasBucketless: boolean;
}

/** @throws {Refused} `forbidden` when the caller administers nothing */
export function scopeOf({ grants }: Caller, { buckets }: Config): Scope {
  const all = grants
    .filter(({ allow }) => allow.includes("admin"))
    .map(({ bucket, prefix }) => ({ bucket, prefix }));
  if (all.length === 0) throw new Refused("forbidden", "The caller has no admin grant.");
  const ranges = all
    .filter(
      (range, i) => !all.some((other, j) => isWithin(range, other) && (j < i || !isWithin(other, range))),
    )
    .sort((a, b) => compareUtf8(a.bucket, b.bucket) || compareUtf8(a.prefix, b.prefix));
  const whole = ranges.filter(({ prefix }) => prefix === "");
  return { isEverything: whole.length === buckets.size, ranges, hasBucketless: whole.length > 0 };
}

function isWithin(range: Range, other: Range): boolean {
  return range.bucket === other.bucket && range.prefix.startsWith(other.prefix);
}

function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
