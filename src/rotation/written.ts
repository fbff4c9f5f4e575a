/**
 * Until when a key was written under, as far as anybody can know. The trail knows, where it goes back far enough; else
 * the ledger has seen which keys the bucket had, and whoever was handed a presigned upload may use it until it expires.
 */
import type { Database } from "../bindings.ts";
import type { Bucket, Config } from "../config/load.ts";
import { type KeyRule, writer } from "../keys/ring.ts";
import { MAX_EXPIRES_IN } from "../s3/api/limits.ts";
import { TABLE } from "../s3/api/operations.ts";
import type { PastRotation } from "./state.ts";

/** Where events are kept; undefined where none are. */
export interface Trail {
  readonly db: Database | undefined;
  /** The longest that a presigned upload to the bucket lives, milliseconds. */
  readonly uploadLives: (bucket: string) => number;
}

export function uploadLives({ tokenCallers, jwtCallers }: Config): Trail["uploadLives"] {
  const grants = [...tokenCallers, ...jwtCallers].flatMap((caller) => caller.grants);
  return (bucket) =>
    Math.max(
      0,
      ...grants
        .filter((grant) => grant.bucket === bucket && grant.allow.includes("write"))
        .map(({ maxExpiresIn }) => maxExpiresIn * 1000),
    );
}

/** Events of a key that one question looks at: beyond them the trail counts as one that does not go back far enough. */
const WINDOW = 20_000;

/** After which an object may lie under the key that goes with the request. */
const WRITES = JSON.stringify([
  ...Object.entries(TABLE).flatMap(([name, { permission }]) => (permission === "write" ? [name] : [])),
  "RotateObjects",
]);

interface When {
  readonly scannedAt: number;
  /** The newest first. */
  readonly past: readonly PastRotation[];
  readonly trail: Trail;
  readonly now: number;
}

/**
 * @param rule of a key that does not write now
 * @returns milliseconds since the epoch; undefined where it was before the scan began
 */
export async function writtenUntil(
  rule: KeyRule,
  bucket: Bucket,
  { scannedAt, past, trail, now }: When,
): Promise<number | undefined> {
  const life = trail.uploadLives(bucket.name);
  const told = await toldBy(trail, rule, bucket, { since: scannedAt - life });
  if (told.until >= scannedAt) return told.until;
  // Who may have short ones today may have had longer ones, or be gone: what they were given lives on.
  const earlier = { since: scannedAt - MAX_EXPIRES_IN * 1000, before: scannedAt - life };
  const { until: longest } = await toldBy(trail, rule, bucket, earlier);
  if (longest >= scannedAt) return longest;
  const writes = (one: PastRotation) => mayWrite(rule, bucket, one);
  const last = past.find(writes);
  // One that goes to this key writes under it until it ends.
  if (last !== undefined && last.startedAt >= scannedAt) return last.endedAt ?? now;
  const after = last === undefined ? past : past.slice(0, past.indexOf(last));
  const left = after.at(-1)?.startedAt ?? now;
  const until = told.isAll ? left : left + life;
  return until > scannedAt ? until : undefined;
}

/** Whether the key was the one that writes when a rotation began, or the one that was rotated to. */
function mayWrite(
  rule: KeyRule,
  { keys }: Bucket,
  { keyIds, toKey, dryRun, startedAt }: PastRotation,
): boolean {
  if (toKey === rule.id && dryRun === 0) return true;
  // Of a key that has gone nobody knows whether it could write.
  const then = (JSON.parse(keyIds) as string[]).flatMap((id) => keys.find((each) => each.id === id) ?? []);
  return writer(then, startedAt) === rule;
}

/**
 * @returns when the last write ended that was allowed in a time, or the URL expires that it was allowed by; 0 where
 *   there was none; and whether the trail has all since then
 */
async function toldBy(
  { db }: Trail,
  { id }: KeyRule,
  { name }: Bucket,
  { since, before }: { readonly since: number; readonly before?: number },
): Promise<{ until: number; isAll: boolean }> {
  if (db === undefined) return { until: 0, isAll: false };
  const from = idAt(since);
  const { results } = await db
    .prepare(
      `SELECT count(*) AS seen, (SELECT min(id) FROM events) AS first, max(CASE
        WHEN bucket = ?1 AND outcome <> 'denied' AND operation IN (SELECT value FROM json_each(?2))
        THEN coalesce(expiresAt, time) END) AS until
      FROM (SELECT bucket, outcome, operation, expiresAt, time FROM events
        WHERE keyId = ?3 AND id >= ?4 AND id < ?5 ORDER BY id DESC LIMIT ?6)`,
    )
    .bind(name, WRITES, id, from, before === undefined ? "~" : idAt(before), WINDOW)
    .all<{ seen: number; first: string | null; until: string | null }>();
  const [{ seen, first, until } = { seen: 0, first: null, until: null }] = results;
  return {
    until: until === null ? 0 : Date.parse(until),
    isAll: first !== null && first < from && seen < WINDOW,
  };
}

/** The time is the beginning of an event's id. */
function idAt(time: number): string {
  const hex = Math.max(0, time).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}
