/** From the queue into the database: whatever is delivered twice, torn, or met by a database that is down. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { AuditEvent } from "../../src/audit/event.ts";
import { countEvents } from "../../src/audit/queries.ts";
import type { Database } from "../../src/bindings.ts";
import { consume, insertEvents } from "../../src/jobs/audit-consumer.ts";
import { expireEvents } from "../../src/jobs/audit-retention.ts";
import { db, emptyDatabase, eventAt, rows } from "../audit/database.ts";

const NOW = Date.parse("2026-11-24T12:00:00Z");

let lines: string[];
beforeEach(async () => {
  await emptyDatabase();
  lines = [];
  vi.spyOn(console, "error").mockImplementation((line) => void lines.push(line));
});
afterEach(() => vi.restoreAllMocks());

function batch(bodies: unknown[], attempts = 1) {
  return {
    queue: "audit",
    messages: bodies.map((body, i) => ({ id: String(i), body, attempts })),
    ackAll: vi.fn(),
    retryAll: vi.fn(),
  };
}

const down: Database = {
  prepare: () => {
    throw new Error("D1_ERROR: the database is down");
  },
};

test("every field arrives as it was", async () => {
  const event: AuditEvent = {
    ...eventAt(NOW),
    clientRequestId: "trace 7",
    subject: "zoë",
    versionId: "v",
    source: { bucket: "vault", key: "s'; DROP TABLE events; --", keyId: "k3" },
    keyMD5: "DWygnHRtgiJ77HCm+1rvHw==",
    via: "s3",
    code: "c",
    bytes: 5 * 2 ** 40,
    count: 3,
    ip: "::1",
    country: "DE",
    userAgent: 'curl/8 "x"\n',
  };
  const delivered = batch([[event]]);
  await consume(delivered, db);
  expect(delivered.ackAll).toHaveBeenCalledOnce();
  const [{ countedBucket, ...row } = {}] = await rows<Record<string, unknown>>("SELECT * FROM events");
  expect(countedBucket).toBe("media");
  expect({ ...row, source: JSON.parse(row?.source as string) }).toEqual(event);
});

test("what comes twice counts once, in the events, the counts and the uses of keys", async () => {
  const events = Array.from({ length: 50 }, (_, i) => eventAt(NOW + i, { key: `k${i % 10}` }));
  await consume(batch([events.slice(0, 30)]), db);
  await consume(batch([events.slice(20, 40), events], 2), db);
  await consume(batch([events], 3), db);
  expect(await rows("SELECT count(*) AS n FROM events")).toEqual([{ n: 50 }]);
  expect(await rows("SELECT sum(events) AS n FROM counts")).toEqual([{ n: 50 }]);
  expect(await rows("SELECT count(*) AS n FROM key_usage")).toEqual([{ n: 10 }]);
});

test("events may come in any order: first and last use are right", async () => {
  for (const offset of [5000, 1000, 9000]) {
    await insertEvents([eventAt(NOW + offset)], db);
  }
  expect(await rows("SELECT firstUsed, lastUsed, confirmed FROM key_usage")).toEqual([
    { firstUsed: "2026-11-24T12:00:01.000Z", lastUsed: "2026-11-24T12:00:09.000Z", confirmed: 0 },
  ]);
});

test("a use is confirmed when the service itself did it, and stays so", async () => {
  await insertEvents([eventAt(NOW, { expiresAt: undefined as never })], db);
  await insertEvents([eventAt(NOW + 1)], db);
  await insertEvents(
    [eventAt(NOW + 2, { operation: "CreateMultipartUpload", key: "b", expiresAt: undefined as never })],
    db,
  );
  expect(await rows("SELECT key, confirmed FROM key_usage ORDER BY key")).toEqual([
    { key: "a", confirmed: 1 },
    { key: "b", confirmed: 0 },
  ]);
});

test("refusals and failures are no use of a key; a copy uses two", async () => {
  const source = { bucket: "vault", key: "s", keyId: "k3" };
  await insertEvents(
    [
      eventAt(NOW, { outcome: "denied", code: "forbidden" }),
      eventAt(NOW, { outcome: "failed", code: "key-invalid" }),
      eventAt(NOW, { operation: "CopyObject", source }),
    ],
    db,
  );
  expect(await rows('SELECT keyId, bucket, "key", operation FROM key_usage ORDER BY keyId')).toEqual([
    { keyId: "k1", bucket: "media", key: "a", operation: "CopyObject" },
    { keyId: "k3", bucket: "vault", key: "s", operation: "CopyObject" },
  ]);
});

describe("a database that is down", () => {
  test.for([
    [1, 2],
    [5, 32],
    [30, 600],
  ])("loses nothing: attempt %i is made again after %i s", async ([attempts, delaySeconds]) => {
    for (const database of [down, undefined]) {
      const delivered = batch([[eventAt(NOW)]], attempts);
      await consume(delivered, database);
      expect(delivered.ackAll).not.toHaveBeenCalled();
      expect(delivered.retryAll).toHaveBeenCalledWith({ delaySeconds });
    }
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ event: "error", code: "audit-unavailable" });
    expect(await rows("SELECT count(*) AS n FROM events")).toEqual([{ n: 0 }]);
  });

  test("midway loses nothing and doubles nothing", async () => {
    let statements = 0;
    const failing: Database = {
      prepare: (sql) => {
        if (++statements === 2) throw new Error("D1_ERROR: gone");
        return db.prepare(sql);
      },
    };
    // More than one statement takes.
    const events = Array.from({ length: 4000 }, (_, i) => eventAt(NOW + i, { userAgent: "x".repeat(200) }));
    const delivered = batch([events]);
    await consume(delivered, failing);
    expect(delivered.retryAll).toHaveBeenCalledOnce();
    const [{ n: before }] = (await rows<{ n: number }>("SELECT count(*) AS n FROM events")) as [
      { n: number },
    ];
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(4000);
    await consume(delivered, db);
    expect(delivered.ackAll).toHaveBeenCalledOnce();
    expect(await rows("SELECT count(*) AS n FROM events")).toEqual([{ n: 4000 }]);
    expect(await rows("SELECT sum(events) AS n FROM counts")).toEqual([{ n: 4000 }]);
  });
});

test("a message that is no list of events is told, and holds up nothing", async () => {
  const delivered = batch([{ hello: "world" }, [eventAt(NOW)], [1], null]);
  await consume(delivered, db);
  expect(delivered.ackAll).toHaveBeenCalledOnce();
  expect(lines).toHaveLength(3);
  expect(await rows("SELECT count(*) AS n FROM events")).toEqual([{ n: 1 }]);
});

test("an event that stands for several counts as many, and a bucket that there is not as none by name", async () => {
  const refusal = { outcome: "denied", code: "forbidden" } as const;
  const events = [
    eventAt(NOW, { ...refusal, count: 900 }),
    eventAt(NOW, refusal),
    ...Array.from({ length: 50 }, (_, i) => eventAt(NOW, { ...refusal, bucket: `made up ${i}` })),
    eventAt(NOW, { ...refusal, bucket: undefined as never }),
  ];
  await consume(batch([events]), db, ["media", "vault"]);
  expect(await rows("SELECT bucket, events FROM counts ORDER BY bucket")).toEqual([
    { bucket: "", events: 1 },
    { bucket: "?", events: 50 },
    { bucket: "media", events: 901 },
  ]);
  const scope = { isEverything: false, ranges: [{ bucket: "media", prefix: "a" }], hasBucketless: false };
  expect(await countEvents(NOW, scope, db)).toMatchObject([{ code: "forbidden", events: 901 }]);
});

test("what is no Unicode is none of what the database holds", async () => {
  const lone = "a\ud800b";
  const source = { bucket: lone, key: lone, keyId: "k3" };
  await consume(batch([[eventAt(NOW, { key: lone, subject: lone, userAgent: lone, source })]]), db);
  const [row] = await rows<Record<string, string>>("SELECT * FROM events");
  expect(row).toMatchObject({ key: "a\ufffdb", subject: "a\ufffdb", userAgent: "a\ufffdb" });
  expect(JSON.parse(row?.source ?? "")).toEqual({ bucket: "a\ufffdb", key: "a\ufffdb", keyId: "k3" });
});

test("what is older than the operator keeps it goes, and which keys objects need stays", async () => {
  const day = 86_400_000;
  const ages = [0, 1, 9.9, 10.1, 11, 400];
  await insertEvents(
    ages.map((age) => eventAt(NOW - age * day, { key: `age ${age}` })),
    db,
  );
  expect(await expireEvents(10, db, NOW)).toBe(3);
  expect(await rows('SELECT "key" FROM events ORDER BY id')).toEqual([
    { key: "age 9.9" },
    { key: "age 1" },
    { key: "age 0" },
  ]);
  expect(await rows("SELECT sum(events) AS n FROM counts")).toEqual([{ n: 3 }]);
  expect(await rows("SELECT count(*) AS n FROM key_usage")).toEqual([{ n: 6 }]);
});
