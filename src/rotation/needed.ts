/**
 * Which objects still need a key, and whether it may go: by the last scan of all of each bucket that uses it. A scan tells
 * only of what was there when it began, so that it counts for nothing where the key was written under later.
 */
import type { Bucket } from "../config/load.ts";
import type { KeyReport } from "../keys/report.ts";
import { type KeyRule, writer } from "../keys/ring.ts";
import type { Ledger } from "./ledger.ts";
import { placeOf } from "./place.ts";
import { type Counts, countsOf, type PastRotation, type Rotation, type Ways } from "./state.ts";
import { type Trail, writtenUntil } from "./written.ts";

/** Why zero does not mean that the key may go. */
export type Doubt =
  | "not-scanned"
  /** The scan knew nothing of this key: it came later. */
  | "not-tried"
  /** Objects, or older versions, were seen neither under a key nor under none. */
  | "unclear"
  /** Whether there are older versions is not for the service's credentials to see. */
  | "versions-hidden"
  /** It is the key that writes. */
  | "writes"
  | "written-later";

export interface NeededIn {
  readonly bucket: string;
  readonly objects: number;
  readonly olderVersions: number;
  /** When the scan began, ISO 8601. */
  readonly scannedAt?: string;
  readonly doubt?: Doubt;
  /** Of what was written later: until when that may have been. A scan that begins after it tells. */
  readonly writtenUntil?: string;
}

export interface NeededBy {
  readonly objects: number;
  /** Versions that are not current. */
  readonly olderVersions: number;
  /** When the oldest of the scans began, ISO 8601: what was written later may not be counted. */
  readonly scannedAt: string;
  /** Whether every bucket that uses the key was scanned, and every object was seen under some key or none. */
  readonly complete: boolean;
  /** Whether nothing is under it any more, and nothing comes. */
  readonly removable: boolean;
  readonly buckets: readonly NeededIn[];
}

/** A key as an admin sees it. */
export interface ReportedKey extends KeyReport {
  /** By the last scan of all of its buckets, once there was one. */
  readonly neededBy?: NeededBy;
}

/** Of a bucket: the last rotation, or dry run, that has seen all of it. */
interface Scan {
  readonly rotation: Rotation;
  readonly counts: Counts;
}

/** What the ledger knows of a bucket. */
export interface Known {
  readonly bucket: Bucket;
  readonly scan: Scan | undefined;
  /** Rotations of any kind, the newest first. */
  readonly past: readonly PastRotation[];
}

export async function knownOf(ledger: Ledger, bucket: Bucket): Promise<Known> {
  const rotation = await ledger.lastFull({ bucket: bucket.name, place: placeOf(bucket) });
  const scan = rotation && { rotation, counts: await ledger.counts(rotation.id) };
  return { bucket, scan, past: await ledger.past(bucket.name) };
}

/**
 * @param known of the buckets that use the key
 * @param areAll whether these are all that use it: others may not be for the caller to see
 * @returns undefined where no bucket was scanned
 */
export async function neededBy(
  rule: KeyRule,
  known: readonly Known[],
  { areAll, trail, now = Date.now() }: { areAll: boolean; trail: Trail; now?: number },
): Promise<NeededBy | undefined> {
  const starts = known.flatMap(({ scan }) => (scan ? [scan.rotation.startedAt] : []));
  if (starts.length === 0) return undefined;
  const buckets = await Promise.all(known.map((each) => neededIn(rule, each, trail, now)));
  const sum = (count: (one: NeededIn) => number) => buckets.reduce((total, one) => total + count(one), 0);
  const isSeen = ({ doubt }: NeededIn) =>
    doubt === undefined || doubt === "writes" || doubt === "written-later";
  const isNeeded = ({ objects, olderVersions, doubt }: NeededIn) =>
    doubt !== undefined || objects > 0 || olderVersions > 0;
  return {
    objects: sum(({ objects }) => objects),
    olderVersions: sum(({ olderVersions }) => olderVersions),
    scannedAt: isoTime(Math.min(...starts)),
    complete: areAll && buckets.every(isSeen),
    removable: areAll && !buckets.some(isNeeded),
    buckets,
  };
}

async function neededIn(
  rule: KeyRule,
  { bucket, scan, past }: Known,
  trail: Trail,
  now: number,
): Promise<NeededIn> {
  const { name } = bucket;
  if (scan === undefined) return { bucket: name, objects: 0, olderVersions: 0, doubt: "not-scanned" };
  const { rotation, counts } = scan;
  const of = (family: "left" | "older") => countsOf(counts, family)[rule.id] ?? 0;
  const seen = {
    bucket: name,
    objects: of("left"),
    olderVersions: of("older"),
    scannedAt: isoTime(rotation.startedAt),
  };
  if (!(JSON.parse(rotation.keyIds) as string[]).includes(rule.id)) return { ...seen, doubt: "not-tried" };
  // Of an older version that opens to no key it is not known whether all could be tried.
  if ((counts.unclear ?? 0) + (countsOf(counts, "older").unknown ?? 0) > 0)
    return { ...seen, doubt: "unclear" };
  const ways: Partial<Ways> = JSON.parse(rotation.ways ?? "{}");
  if (ways.hidesVersions) return { ...seen, doubt: "versions-hidden" };
  if (writer(bucket.keys, now) === rule) return { ...seen, doubt: "writes" };
  const until = await writtenUntil(rule, bucket, { scannedAt: rotation.startedAt, past, trail, now });
  return until === undefined ? seen : { ...seen, doubt: "written-later", writtenUntil: isoTime(until) };
}

function isoTime(time: number): string {
  return new Date(time).toISOString();
}
