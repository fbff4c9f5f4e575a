/**
 * Questions to the trail. Each is answered by a range of an index, however many events there are: where no index
 * covers all that is asked, the rest is sifted within a window, and the answer carries a cursor to go on from.
 */
import type { Database } from "../bindings.ts";
import { type AuditEvent, EVENT_FIELDS, type Outcome } from "./event.ts";
import type { Range, Scope } from "./scope.ts";

/** Events that one question may look at. */
const WINDOW = 20_000;
/** Above every character that a key may hold. */
const LAST_CHARACTER = "\u{10ffff}";

/** SQL and what is bound to its `?`, in order. */
export interface Query {
  readonly sql: string;
  readonly values: readonly unknown[];
}

export interface EventFilter {
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
  readonly keyId?: string | undefined;
  readonly caller?: string | undefined;
  readonly operation?: string | undefined;
  readonly outcome?: Outcome | undefined;
  /** Milliseconds since the epoch; `since` is included, `until` is not. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  /** The id of the last event that was seen. */
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly cursor?: string;
}

/** Indexes, the narrowest first. */
const INDEXES = [
  { name: "events_by_object", fields: ["bucket", "key"] },
  { name: "events_by_key", fields: ["key"] },
  { name: "events_by_keyId", fields: ["keyId"] },
  { name: "events_by_caller", fields: ["caller"] },
  { name: "events_by_outcome", fields: ["outcome"] },
  { name: "events_by_operation", fields: ["operation"] },
  { name: "events_by_bucket", fields: ["bucket"] },
] as const;

/** Events, the newest first. */
export async function listEvents(filter: EventFilter, scope: Scope, db: Database): Promise<Page<AuditEvent>> {
  const { page, window } = eventsQueries(filter, scope);
  const items = (await ask<Record<string, unknown>>(page, db)).map(eventOf);
  const last = items.at(-1);
  if (items.length === filter.limit && last) return { items, cursor: last.id };
  const [seen] = await ask<{ events: number; last: string }>(window, db);
  return seen?.events === WINDOW ? { items, cursor: seen.last } : { items };
}

/** The page, and how far its window reached. */
export function eventsQueries(filter: EventFilter, scope: Scope): { page: Query; window: Query } {
  const only =
    scope.isEverything || scope.hasBucketless || scope.ranges.length > 1 ? undefined : scope.ranges[0];
  const wanted: EventFilter = { ...filter, bucket: filter.bucket ?? only?.bucket };
  const index = INDEXES.find(({ fields }) => fields.every((field) => wanted[field] !== undefined));
  const indexed: readonly string[] = index?.fields ?? [];

  const narrow = conditions([
    ...indexed.map((field) => [`"${field}" = ?`, wanted[field as keyof EventFilter]] as const),
    ["id < ?", filter.cursor],
    ["id < ?", filter.until === undefined ? undefined : idAt(filter.until)],
    ["id >= ?", filter.since === undefined ? undefined : idAt(filter.since)],
  ]);
  const sift = conditions(
    (["bucket", "key", "keyId", "caller", "operation", "outcome"] as const)
      .filter((field) => !indexed.includes(field))
      .map((field) => [`"${field}" = ?`, wanted[field]] as const),
  );
  const visible = visibleTo(scope);
  const by = index ? `INDEXED BY ${index.name}` : "";
  const slice = `SELECT * FROM events ${by} ${where([narrow.sql])} ORDER BY id DESC LIMIT ${WINDOW}`;
  return {
    page: {
      sql: `SELECT * FROM (${slice}) AS event ${where([sift.sql, visible.sql])} ORDER BY id DESC LIMIT ?`,
      values: [...narrow.values, ...sift.values, ...visible.values, filter.limit],
    },
    window: {
      sql: `SELECT count(*) AS events, min(id) AS last FROM (${slice})`,
      values: narrow.values,
    },
  };
}

export interface ObjectFilter {
  readonly keyId: string;
  readonly cursor?: ObjectPosition | undefined;
  readonly limit: number;
}

/** The object after which a list goes on. */
export interface ObjectPosition {
  readonly bucket: string;
  readonly key: string;
}

export interface UsedObject extends ObjectPosition {
  readonly firstUsed: string;
  readonly lastUsed: string;
  readonly operations: readonly string[];
  readonly confirmed: boolean;
}

/** The objects that a key was used for, by bucket and key. */
export async function listObjects(filter: ObjectFilter, scope: Scope, db: Database): Promise<UsedObject[]> {
  const objects: UsedObject[] = [];
  for (const range of scope.isEverything ? [undefined] : scope.ranges) {
    const limit = filter.limit - objects.length;
    if (limit === 0) break;
    const rows = await ask<
      Omit<UsedObject, "operations" | "confirmed"> & { operations: string; confirmed: 0 | 1 }
    >(objectsQuery({ ...filter, limit }, range), db);
    objects.push(
      ...rows.map((row) => ({
        ...row,
        operations: JSON.parse(row.operations),
        confirmed: row.confirmed === 1,
      })),
    );
  }
  return objects;
}

export function objectsQuery({ keyId, cursor, limit }: ObjectFilter, range: Range | undefined): Query {
  const { sql, values } = conditions([
    ["keyId = ?", keyId],
    ["bucket = ?", range?.bucket],
    ['"key" >= ?', range?.prefix],
    ['"key" < ?', range && range.prefix + LAST_CHARACTER],
  ]);
  const after = cursor === undefined ? "" : '(bucket, "key") > (?, ?)';
  return {
    sql: `SELECT bucket, "key", min(firstUsed) AS firstUsed, max(lastUsed) AS lastUsed,
        json_group_array(operation) AS operations, max(confirmed) AS confirmed
      FROM key_usage ${where([sql, after])} GROUP BY bucket, "key" ORDER BY bucket, "key" LIMIT ?`,
    values: [...values, ...(cursor ? [cursor.bucket, cursor.key] : []), limit],
  };
}

/** How many events there were of each kind. */
export interface Count {
  readonly outcome: string;
  readonly code: string;
  readonly caller: string;
  readonly operation: string;
  readonly events: number;
}

/** @param since milliseconds since the epoch, rounded down to its hour */
export async function countEvents(since: number, scope: Scope, db: Database): Promise<Count[]> {
  const counts: Count[] = [];
  for (const query of countQueries(since, scope)) counts.push(...(await ask<Count>(query, db)));
  return counts;
}

/** Whole buckets are counted already; parts of one are counted now. */
export function countQueries(since: number, scope: Scope): Query[] {
  const hour = new Date(since).toISOString().slice(0, 13);
  const whole = scope.ranges.filter(({ prefix }) => prefix === "").map(({ bucket }) => bucket);
  const buckets = [...whole, ...(scope.hasBucketless ? [""] : [])];
  const inBuckets = scope.isEverything ? "" : "AND bucket IN (SELECT value FROM json_each(?))";
  const kept = {
    sql: `SELECT outcome, code, caller, operation, sum(events) AS events FROM counts
      WHERE hour >= ? ${inBuckets} GROUP BY outcome, code, caller, operation`,
    values: [hour, ...(scope.isEverything ? [] : [JSON.stringify(buckets)])],
  };
  if (scope.isEverything) return [kept];
  const parts = scope.ranges
    .filter(({ prefix }) => prefix !== "")
    .map(({ bucket, prefix }) => ({
      sql: `SELECT outcome, coalesce(code, '') AS code, coalesce(caller, '') AS caller,
          coalesce(operation, '') AS operation, sum(coalesce("count", 1)) AS events
        FROM events INDEXED BY events_by_object
        WHERE bucket = ? AND "key" >= ? AND "key" < ? AND id >= ? GROUP BY 1, 2, 3, 4`,
      values: [bucket, prefix, prefix + LAST_CHARACTER, idAt(Date.parse(`${hour}:00:00Z`))],
    }));
  return buckets.length === 0 ? parts : [kept, ...parts];
}

/** What every UUIDv7 of this millisecond begins with, and none of an earlier one (RFC 9562, section 5.7). */
export function idAt(time: number): string {
  const hex = Math.max(0, time).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}

async function ask<Row>({ sql, values }: Query, db: Database): Promise<Row[]> {
  const { results } = await db
    .prepare(sql)
    .bind(...values)
    .all<Row>();
  return results;
}

/** Those conditions whose value is given. */
function conditions(all: readonly (readonly [sql: string, value: unknown])[]): Query {
  const given = all.filter(([, value]) => value !== undefined);
  return { sql: given.map(([sql]) => sql).join(" AND "), values: given.map(([, value]) => value) };
}

function where(conditions: readonly string[]): string {
  const given = conditions.filter((sql) => sql !== "");
  return given.length === 0 ? "" : `WHERE ${given.join(" AND ")}`;
}

/** However many ranges there are, they are two values: D1 binds at most 100 to a statement. */
function visibleTo({ isEverything, ranges, hasBucketless }: Scope): Query {
  if (isEverything) return { sql: "", values: [] };
  const whole = ranges.filter(({ prefix }) => prefix === "").map(({ bucket }) => bucket);
  const parts = ranges.filter(({ prefix }) => prefix !== "").map(({ bucket, prefix }) => [bucket, prefix]);
  const isInWhole = "event.bucket IN (SELECT value FROM json_each(?))";
  const isInPart = `EXISTS (SELECT 1 FROM json_each(?) AS part WHERE event.bucket = part.value ->> 0
    AND substr(event."key", 1, length(part.value ->> 1)) = part.value ->> 1)`;
  return {
    sql: `(${[isInWhole, isInPart, ...(hasBucketless ? ["event.bucket IS NULL"] : [])].join(" OR ")})`,
    values: [JSON.stringify(whole), JSON.stringify(parts)],
  };
}

function eventOf(row: Record<string, unknown>): AuditEvent {
  const fields = EVENT_FIELDS.filter((name) => row[name] !== null).map((name) => [
    name,
    name === "source" ? JSON.parse(row.source as string) : row[name],
  ]);
  return Object.fromEntries(fields);
}
