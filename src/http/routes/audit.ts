/** GET /v1/audit and below: the trail, as far as the caller administers it. */

import { Hono } from "hono";
import * as v from "valibot";
import { countEvents, listEvents, listObjects, type ObjectPosition } from "../../audit/queries.ts";
import type { Scope } from "../../audit/scope.ts";
import type { Database } from "../../bindings.ts";
import type { AppContext, AppEnv, Asked } from "../../front/context.ts";
import { Refused } from "../../refused.ts";
import { isoTimeOf } from "../../s3/api/dates.ts";
import { DAY } from "../../time.ts";
import { faultless } from "../../validation.ts";
import { asked, notAdministered, scopeFor } from "../administered.ts";
import { valid } from "../body.ts";
import { pageLimit } from "../paging.ts";

const LIMIT = 100;

/** Without an offset it is UTC's. */
const instantOf = (text: string) => isoTimeOf(/T[\d:.]+$/.test(text) ? `${text}Z` : text);
const instant = v.pipe(
  v.string(),
  faultless(
    (text) =>
      instantOf(text) === undefined ? "must be an ISO date or date-time on the calendar" : undefined,
    {
      pattern: "^\\d{4}-\\d\\d-\\d\\d(T[\\d:.]+(Z|[+-]\\d\\d:\\d\\d)?)?$",
      examples: ["2026-11-23T15:00:00Z"],
    },
  ),
  v.transform((text) => instantOf(text) ?? 0),
);

export const eventsSchema = v.strictObject({
  bucket: v.optional(v.string()),
  key: v.optional(v.string()),
  keyId: v.optional(v.string()),
  caller: v.optional(v.string()),
  operation: v.optional(v.string()),
  outcome: v.optional(v.picklist(["allowed", "denied", "failed"])),
  since: v.optional(instant),
  until: v.optional(instant),
  cursor: v.optional(v.pipe(v.string(), v.uuid("must be the cursor of an answer"))),
  limit: pageLimit(LIMIT),
});

export const objectsSchema = v.strictObject({
  cursor: v.optional(
    v.pipe(
      v.string(),
      v.rawTransform(({ dataset, addIssue, NEVER }): ObjectPosition => {
        const position = readPosition(dataset.value);
        if (position !== undefined) return position;
        addIssue({ message: "must be the cursor of an answer" });
        return NEVER;
      }),
    ),
  ),
  limit: pageLimit(LIMIT),
});

export const summarySchema = v.strictObject({ since: v.optional(instant) });

export const auditRoutes = new Hono<AppEnv>()
  .get("/", async (c: Asked<{ query?: v.InferInput<typeof eventsSchema> }>) => {
    const scope = scopeFor(c);
    const filter = valid(eventsSchema, c.req.query());
    if (filter.bucket !== undefined) mustHave(filter.bucket, scope);
    const { items, cursor } = await askTrail(c, (db) => listEvents(filter, scope, db));
    return c.json({ events: items, ...(cursor !== undefined && { cursor }) });
  })
  .get("/keys/:keyId/objects", async (c: Asked<{ query?: v.InferInput<typeof objectsSchema> }>) => {
    const scope = scopeFor(c);
    const { cursor, limit } = valid(objectsSchema, c.req.query());
    const filter = { keyId: c.req.param("keyId") ?? "", cursor, limit };
    const objects = await askTrail(c, (db) => listObjects(filter, scope, db));
    const last = objects.length === limit ? objects.at(-1) : undefined;
    return c.json({ objects, ...(last && { cursor: writePosition(last) }) });
  })
  .get("/summary", async (c: Asked<{ query?: v.InferInput<typeof summarySchema> }>) => {
    const scope = scopeFor(c);
    const { since = Date.now() - DAY } = valid(summarySchema, c.req.query());
    const counts = await askTrail(c, (db) => countEvents(since, scope, db));
    const sums = { outcome: {}, code: {}, caller: {}, operation: {} } as Record<
      "outcome" | "code" | "caller" | "operation",
      Record<string, number>
    >;
    let total = 0;
    for (const { events, ...kinds } of counts) {
      total += events;
      for (const [kind, value] of Object.entries(kinds) as [keyof typeof sums, string][]) {
        if (value !== "") sums[kind][value] = (sums[kind][value] ?? 0) + events;
      }
    }
    return c.json({ since: `${new Date(since).toISOString().slice(0, 13)}:00:00Z`, total, ...sums });
  });

function mustHave(bucket: string, scope: Scope): void {
  if (scope.isEverything || scope.ranges.some((range) => range.bucket === bucket)) return;
  throw notAdministered();
}

/** @throws {Refused} unavailable when no database is bound, or it does not answer */
async function askTrail<T>(c: AppContext, question: (db: Database) => Promise<T>): Promise<T> {
  const { db } = c.var.service.bindings;
  if (db === undefined) {
    throw new Refused("unavailable", "The trail is in the log alone: no database is bound to ask.");
  }
  return asked(c, () => question(db));
}

function writePosition({ bucket, key }: ObjectPosition): string {
  return encodeURIComponent(JSON.stringify([bucket, key]));
}

function readPosition(cursor: string): ObjectPosition | undefined {
  try {
    const [bucket, key] = JSON.parse(decodeURIComponent(cursor));
    return typeof bucket === "string" && typeof key === "string" ? { bucket, key } : undefined;
  } catch {
    return undefined;
  }
}
