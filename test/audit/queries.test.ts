/** Every question to the trail is a range of an index, and looks at no more than a window. */
import { beforeAll, describe, expect, test } from "vitest";
import type { AuditEvent } from "../../src/audit/event.ts";
import {
  countEvents,
  countQueries,
  type EventFilter,
  eventsQueries,
  listEvents,
  objectsQuery,
  type Query,
} from "../../src/audit/queries.ts";
import type { Scope } from "../../src/audit/scope.ts";
import { insertEvents } from "../../src/jobs/audit-consumer.ts";
import { batch, db, emptyDatabase, eventAt } from "./database.ts";

const NOW = Date.parse("2026-11-24T12:00:00Z");
const everything: Scope = {
  isEverything: true,
  ranges: [{ bucket: "media", prefix: "" }],
  hasBucketless: true,
};
const folder: Scope = {
  isEverything: false,
  ranges: [{ bucket: "media", prefix: "acme/" }],
  hasBucketless: false,
};
const mixed: Scope = {
  isEverything: false,
  ranges: [
    { bucket: "media", prefix: "" },
    { bucket: "vault", prefix: "x/" },
  ],
  hasBucketless: true,
};
/** D1 binds at most 100 values to a statement. */
const many: Scope = {
  isEverything: false,
  ranges: Array.from({ length: 300 }, (_, i) => ({
    bucket: `bucket ${Math.floor(i / 2)}`,
    prefix: i % 2 === 0 ? "a/" : "b/",
  })),
  hasBucketless: false,
};
const manyWhole: Scope = {
  isEverything: false,
  ranges: Array.from({ length: 150 }, (_, i) => ({ bucket: i === 0 ? "media" : `bucket ${i}`, prefix: "" })),
  hasBucketless: true,
};
const scopes = { everything, folder, mixed, many, manyWhole };

beforeAll(async () => {
  await emptyDatabase();
  const events = Array.from({ length: 25_000 }, (_, i) =>
    eventAt(NOW + i, {
      key: `${i % 1000 === 0 ? "acme" : "other"}/${i}`,
      caller: "often",
    }),
  );
  await insertEvents(events, db);
});

/** The plan of each, asked for together: a question of its own takes longer to come and go than to answer. */
async function plans(queries: readonly Query[]): Promise<string[][]> {
  const answers = await batch<{ detail: string }>(
    queries.map(({ sql, values }) => ({ sql: `EXPLAIN QUERY PLAN ${sql}`, values })),
  );
  return answers.map((rows) => rows.map(({ detail }) => detail));
}

const fields = {
  bucket: "media",
  key: "acme/0",
  keyId: "k1",
  caller: "often",
  operation: "PutObject",
  outcome: "allowed",
} as const;
const names = Object.keys(fields) as (keyof typeof fields)[];
const subsets = Array.from({ length: 2 ** names.length }, (_, bits) =>
  names.filter((_, i) => bits & (1 << i)),
);

describe.for(Object.entries(scopes))("events, for an admin of %s", ([, scope]) => {
  test("any fields together are answered by an index, in its order, within a window", async () => {
    const queries = subsets.flatMap((subset) =>
      [{}, { since: NOW, until: NOW + 5000 }, { cursor: eventAt(NOW + 100).id }].flatMap((times) => {
        const filter: EventFilter = {
          ...Object.fromEntries(subset.map((name) => [name, fields[name]])),
          ...times,
          limit: 10,
        };
        const { page, window } = eventsQueries(filter, scope);
        return [page, window];
      }),
    );
    const found = await plans(queries);
    expect(found).toHaveLength(subsets.length * 3 * 2);
    for (const [i, { sql }] of queries.entries()) {
      const details = found[i] ?? [];
      const isNarrowed = /WHERE/.test(sql.slice(sql.indexOf("FROM events")).split("ORDER")[0] ?? "");
      const read = details.find((detail) => / events\b/.test(detail));
      expect(read, details.join("\n")).toMatch(isNarrowed ? /^SEARCH events USING/ : /^SCAN events$/);
      expect(details.join("\n")).not.toMatch(/TEMP B-TREE/);
      expect(sql).toMatch(/LIMIT 20000/);
    }
  });
});

test("events that no index finds are reached window by window", async () => {
  // The oldest in the folder are beyond the first window of the bucket.
  const found: string[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const page = await listEvents({ limit: 100, cursor }, folder, db);
    found.push(...page.items.map(({ key }) => key ?? ""));
    cursor = page.cursor;
    pages++;
  } while (cursor !== undefined);
  expect(pages).toBe(2);
  expect(found).toEqual(Array.from({ length: 25 }, (_, i) => `acme/${24_000 - i * 1000}`));
});

test("an admin of many buckets sees what is theirs, and of whole ones also what has no key", async () => {
  const times = { since: NOW + 100_000, until: NOW + 200_000, limit: 10 };
  await insertEvents(
    [
      { bucket: "media", key: undefined },
      { bucket: "elsewhere", key: "a/1" },
      { bucket: undefined, key: undefined },
      { bucket: "bucket 7", key: "a/1" },
      { bucket: "bucket 7", key: "c/1" },
    ].map((fields, i) => eventAt(NOW + 100_000 + i, fields as Partial<AuditEvent>)),
    db,
  );
  const seenBy = async (scope: Scope) =>
    (await listEvents(times, scope, db)).items.map(({ bucket, key }) => [bucket, key]);
  expect(await seenBy(many)).toEqual([["bucket 7", "a/1"]]);
  expect(await seenBy(manyWhole)).toEqual([
    ["bucket 7", "c/1"],
    ["bucket 7", "a/1"],
    [undefined, undefined],
    ["media", undefined],
  ]);
  const counted = await countEvents(NOW, manyWhole, db);
  expect(counted.reduce((sum, { events }) => sum + events, 0)).toBe(25_000 + 4);
  expect(await countEvents(NOW, many, db)).toMatchObject([{ events: 1 }]);
});

test("the objects of a key are a range of its primary key", async () => {
  for (const range of [undefined, ...folder.ranges, ...mixed.ranges]) {
    for (const cursor of [undefined, { bucket: "media", key: "acme/0" }]) {
      const [details = []] = await plans([objectsQuery({ keyId: "k1", cursor, limit: 10 }, range)]);
      expect(details[0]).toMatch(/^SEARCH key_usage USING/);
      expect(details.join("\n")).not.toMatch(/TEMP B-TREE/);
    }
  }
});

test("counts are a range of hours, or of a folder's events", async () => {
  for (const scope of Object.values(scopes)) {
    for (const details of await plans(countQueries(NOW, scope))) {
      expect(details[0]).toMatch(/^SEARCH (counts|events) USING/);
    }
  }
});
