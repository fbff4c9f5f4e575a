/** The ledger on D1 itself: leases and their fences, all or nothing, a database that is down, and the plans of what is asked. */
import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Ledger as Database, MessageBatch, Statement } from "../../src/bindings.ts";
import { consumeRotations } from "../../src/jobs/rotation-consumer.ts";
import { LIMITS } from "../../src/limits.ts";
import { type Lease, Ledger } from "../../src/rotation/ledger.ts";
import type { Rotation } from "../../src/rotation/state.ts";
import { services } from "../../src/service.ts";
import { oneBucket } from "../support/one-bucket.ts";

const bound = env as unknown as { DB: Database; MIGRATIONS: never };
const NOW = 1_800_000_000_000;
const times = { now: NOW, until: NOW + 60_000 };
const tables = ["rotations", "rotation_pages", "rotation_objects", "rotation_counts", "rotation_failures"];

/** Every statement that was prepared. */
const asked = new Set<string>();
const watched: Database = {
  prepare: (sql) => {
    asked.add(sql);
    return bound.DB.prepare(sql);
  },
  batch: (statements) => bound.DB.batch(statements),
};
const ledger = new Ledger(watched);

beforeEach(async () => {
  await applyD1Migrations(bound.DB as never, bound.MIGRATIONS);
  for (const table of tables) await bound.DB.prepare(`DELETE FROM ${table}`).run();
});
afterEach(() => vi.restoreAllMocks());

let made = 0;

async function begun(place = `place ${++made}`, id: string = crypto.randomUUID()): Promise<string> {
  const isFirst = await ledger.start({
    ...{ id, bucket: "media", place, prefix: "", fromKey: null, toKey: "k2", toCheck: "x", keyIds: "[]" },
    ...{ dryRun: 0, encryptPlain: 0, versions: 0, removeVersions: 0, caller: "me", startedAt: NOW },
  });
  return isFirst ? id : "";
}

/** A rotation that is listed, of so many pages. */
async function listed(pages: number): Promise<string> {
  const id = await begun();
  const lease: Lease = { work: { kind: "list", rotation: id }, token: "lister" };
  await ledger.takeList(lease, times);
  for (let number = 0; number < pages; number++) {
    const last = number === pages - 1 ? null : `key ${number}`;
    const page = { number, after: number === 0 ? "" : `key ${number - 1}`, last, objects: 10, bytes: 100 };
    expect(await ledger.listed(lease, page, times)).toBe(true);
  }
  await ledger.release(lease);
  return id;
}

const pageLease = (rotation: string, token: string, page = 0): Lease => ({
  work: { kind: "page", rotation, page },
  token,
});
const NOTHING = { counts: {}, failures: [], large: [] };
const SOME = {
  counts: { rotated: 3, "found/k1": 3 },
  failures: [{ key: "a", code: "key-unknown", detail: "d" }],
  large: [{ key: "large", size: 9, fromKey: "k1" }],
};

test("one rotation runs in a place at a time", async () => {
  expect(await begun("here")).not.toBe("");
  expect(await begun("here")).toBe("");
  expect(await begun("there")).not.toBe("");
});

test("of many who want a page one has it, until the lease is over; who had it is fenced off then", async () => {
  const id = await listed(1);
  const tokens = Array.from({ length: 8 }, (_, i) => `worker ${i}`);
  const rows = await Promise.all(tokens.map((token) => ledger.takePage(pageLease(id, token), times)));
  expect(rows.filter((row) => row !== undefined)).toHaveLength(1);
  const first = pageLease(id, tokens[rows.findIndex((row) => row !== undefined)] as string);
  const later = { now: times.until + 1, until: times.until + 60_000 };
  const second = pageLease(id, "the next");
  expect(await ledger.takePage(second, later)).toMatchObject({ page: 0, attempts: 2 });

  // What the one who slept says is not taken: not the counts, not the failures, not the large ones.
  expect(await ledger.pageDone(first, SOME, "z", later)).toBe(false);
  expect(await ledger.renew(first, later)).toBe(false);
  await ledger.release(first);
  expect(await ledger.counts(id)).toEqual({});
  expect(await ledger.failures(id, 10)).toEqual([]);
  expect((await ledger.due(id, { now: later.now, resend: 1, window: 9 })).objects).toEqual([]);

  expect(await ledger.pageDone(second, SOME, "m", later)).toBe(true);
  expect(await ledger.pageDone(second, SOME, undefined, later)).toBe(true);
  // It is over: twice is once.
  expect(await ledger.pageDone(second, SOME, undefined, later)).toBe(false);
  expect(await ledger.counts(id)).toEqual({ rotated: 6, "found/k1": 6 });
  expect(await ledger.endIfDone(id, NOW)).toBe(false);
  const large: Lease = { work: { kind: "object", rotation: id, number: 1 }, token: "l" };
  expect(await ledger.takeObject(large, later)).toMatchObject({ key: "large", fromKey: "k1" });
  expect(await ledger.uploadIs(large, { uploadId: "u", etag: "e" })).toBe(true);
  expect(await ledger.partDone(large, later)).toBe(true);
  expect(await ledger.objectDone(large, { counts: { rotated: 1 }, failures: [] }, later)).toBe(true);
  expect(await ledger.endIfDone(id, NOW)).toBe(true);
  expect(await ledger.endIfDone(id, NOW)).toBe(false);
});

test("cancelled in the midst of a page: nothing more is taken, and resumed it goes on from there", async () => {
  const id = await listed(1);
  const lease = pageLease(id, "one");
  await ledger.takePage(lease, times);
  expect(await ledger.pageDone(lease, SOME, "m", times)).toBe(true);
  expect(await ledger.end(id, "cancelled", { now: NOW })).toBe(true);
  expect(await ledger.pageDone(lease, SOME, undefined, times)).toBe(false);
  expect((await ledger.counts(id)).rotated).toBe(3);
  expect(await ledger.resume(id, NOW)).toBe(true);
  await ledger.release(lease);
  expect(await ledger.takePage(pageLease(id, "two"), times)).toMatchObject({ doneThrough: "m" });
});

test("what is open of a rotation that ended long ago goes, piece by piece, and nobody goes on with it", async () => {
  const [old, fresh] = [await listed(5), await listed(2)];
  const lease = pageLease(old, "one");
  await ledger.takePage(lease, times);
  expect(await ledger.pageDone(lease, SOME, "m", times)).toBe(true);
  await ledger.end(old, "cancelled", { now: NOW });
  await ledger.end(fresh, "failed", { now: NOW + 2 });
  const left = async (table: string, id: string) =>
    (await bound.DB.prepare(`SELECT 1 FROM ${table} WHERE rotation = ?`).bind(id).all()).results.length;
  expect([await left("rotation_pages", old), await left("rotation_objects", old)]).toEqual([5, 1]);
  const more = [];
  for (let i = 0; i < 3; i++) more.push(await ledger.forgetOpen(NOW + 1, 2));
  expect(more).toEqual([true, true, false]);
  expect([await left("rotation_pages", old), await left("rotation_objects", old)]).toEqual([0, 0]);
  expect(await left("rotation_pages", fresh)).toBe(2);
  expect(await ledger.resume(old, NOW + 1)).toBe(false);
  expect(await ledger.resume(fresh, NOW + 1)).toBe(true);
  // What became of it is still known.
  expect(await ledger.counts(old)).toMatchObject({ rotated: 3 });
});

test("so many are under way at once, and what is lost is sent again", async () => {
  const id = await listed(10);
  const ask = (now: number) => ledger.due(id, { now, resend: 1000, window: 4 });
  expect((await ask(NOW)).pages).toEqual([0, 1, 2, 3]);
  expect((await ask(NOW + 500)).pages).toEqual([]);
  await ledger.takePage(pageLease(id, "w", 2), { now: NOW + 900, until: NOW + 9000 });
  // Page 2 has given a sign of life; those that have never been sent come first.
  expect((await ask(NOW + 1600)).pages).toEqual([4, 5, 6]);
});

test("every statement finds its rows by an index", async () => {
  const id = await listed(3);
  const lease = pageLease(id, "one");
  await ledger.takePage(lease, times);
  await ledger.pageDone(lease, SOME, "m", times);
  await ledger.renew(lease, times);
  await ledger.due(id, { now: NOW, resend: 1, window: 4 });
  const large: Lease = { work: { kind: "object", rotation: id, number: 1 }, token: "l" };
  await ledger.takeObject(large, times);
  await ledger.uploadIs(large, { uploadId: "u", etag: "e" });
  await ledger.partDone(large, times);
  await ledger.objectDone(large, NOTHING, times);
  await ledger.release(lease);
  await ledger.pause(id, "why", times);
  await ledger.note(id, "why");
  await ledger.claimSweep(id, times);
  await ledger.endIfDone(id, NOW);
  await ledger.find(id);
  await ledger.failures(id, 10);
  await ledger.counts(id);
  await ledger.firstTo("k2", { bucket: "media", place: "place" });
  await ledger.lastFull({ bucket: "media", place: "place" });
  expect(asked.size).toBeGreaterThan(20);
  for (const sql of asked) {
    if (!/^\s*(UPDATE|SELECT|INSERT)/.test(sql) || /state = 'running' ORDER BY id/.test(sql)) continue;
    const { results } = await bound.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .bind(...values(sql))
      .all<{ detail: string }>();
    const scans = results.filter(({ detail }) => /^SCAN (?!json_each|\d)/.test(detail));
    expect(scans, sql).toEqual([]);
  }
});

/** As many as it asks for; plans are made without looking at them. */
function values(sql: string): unknown[] {
  const numbered = [...sql.matchAll(/\?(\d+)/g)].map(([, n]) => Number(n));
  const count = numbered.length > 0 ? Math.max(...numbered) : (sql.match(/\?/g) ?? []).length;
  return Array.from({ length: count }, () => (sql.includes("json_each") ? "[]" : 1));
}

/** A service whose database fails as long as it is told to. */
function serviceWith(isDown: () => boolean) {
  const db: Database = {
    prepare: (sql) => {
      if (isDown()) throw new Error("D1_ERROR: the database is down");
      return bound.DB.prepare(sql);
    },
    batch: (statements: readonly Statement[]) => bound.DB.batch(statements),
  };
  const sent: unknown[] = [];
  const queue = { send: async (message: unknown) => void sent.push(message) };
  const service = services({ limits: LIMITS })({ ...oneBucket(), DB: db, ROTATION_QUEUE: queue });
  return { service, sent };
}

function batch(queue: string, body: unknown, attempts = 1) {
  const messages: MessageBatch["messages"] = [{ id: "1", body, attempts }];
  return { queue, messages, ackAll: vi.fn(), retryAll: vi.fn() };
}

test("a database that is down lets messages come again, later each time; what died is named, and begun anew", async () => {
  const lines: string[] = [];
  vi.spyOn(console, "error").mockImplementation((line) => void lines.push(line));
  const id = await listed(2);
  let isDown = true;
  const { service, sent } = serviceWith(() => isDown);
  const body = { kind: "page", rotation: id, page: 1 };
  const delays: number[] = [];
  for (let attempt = 1; attempt <= 7; attempt++) {
    const delivered = batch("ssec-edge-rotation", body, attempt);
    await consumeRotations(delivered, () => service);
    expect(delivered.ackAll).not.toHaveBeenCalled();
    delays.push(delivered.retryAll.mock.calls[0]?.[0].delaySeconds);
  }
  expect(delays).toEqual([2, 4, 8, 16, 32, 60, 60]);
  const dead = () => batch("ssec-edge-rotation-dead", body);
  const meanwhile = dead();
  await consumeRotations(meanwhile, () => service);
  expect(meanwhile.retryAll).toHaveBeenCalledOnce();

  isDown = false;
  const up = dead();
  await consumeRotations(up, () => service);
  expect(up.ackAll).toHaveBeenCalledOnce();
  expect(sent).toContainEqual(body);
  expect(((await ledger.find(id)) as Rotation).reason).toMatch(/page 1 again and again/);
  expect(lines.at(-1)).toContain(`page 1 of the rotation ${id}`);
  // Once it gets on there is nothing to be told any more.
  const lease = pageLease(id, "w", 1);
  await ledger.takePage(lease, times);
  await ledger.pageDone(lease, SOME, undefined, times);
  expect(((await ledger.find(id)) as Rotation).reason).toBeNull();
});
