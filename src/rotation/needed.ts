/** Which objects still need a key, by the last scan of all of each bucket that uses it. */
import type { Bucket } from "../config/load.ts";
import type { KeyRule } from "../keys/ring.ts";
import type { Ledger } from "./ledger.ts";
import { type Counts, countsOf, type Rotation } from "./state.ts";

export interface NeededBy {
  readonly objects: number;
  /** Versions that are not current. */
  readonly olderVersions: number;
  /** When the oldest of the scans began, ISO 8601: what was written later may not be counted. */
  readonly scannedAt: string;
  /** Whether every bucket that uses the key was scanned, and every object was seen under some key or none. */
  readonly complete: boolean;
}

/** Of a bucket: the last rotation, or dry run, that has seen all of it. */
export interface Scan {
  readonly rotation: Rotation;
  readonly counts: Counts;
}

export async function lastScan(ledger: Ledger, { name }: Bucket): Promise<Scan | undefined> {
  const rotation = await ledger.lastFull(name);
  return rotation && { rotation, counts: await ledger.counts(rotation.id) };
}

/**
 * @param scans of every bucket that uses the key; undefined where there is none, or it is not for the caller to see
 * @returns undefined where no bucket was scanned
 */
export function neededBy({ id }: KeyRule, scans: readonly (Scan | undefined)[]): NeededBy | undefined {
  const done = scans.filter((scan) => scan !== undefined);
  if (done.length === 0) return undefined;
  const sum = (family: "left" | "older") =>
    done.reduce((total, { counts }) => total + (countsOf(counts, family)[id] ?? 0), 0);
  // A key that came later was not tried.
  const isSeen = ({ rotation, counts }: Scan) =>
    (JSON.parse(rotation.keyIds) as string[]).includes(id) && (counts.unclear ?? 0) === 0;
  return {
    objects: sum("left"),
    olderVersions: sum("older"),
    scannedAt: new Date(Math.min(...done.map(({ rotation }) => rotation.startedAt))).toISOString(),
    complete: done.length === scans.length && done.every(isSeen),
  };
}
