/** When a key may go: only by a scan that saw everything, after the last that may have been written under the key. */
import { expect, test } from "vitest";
import { migrate } from "../../src/cli/rotate/local-ledger.ts";
import { SqliteDatabase } from "../../src/cli/sqlite-database.ts";
import { loadConfig } from "../../src/config/load.ts";
import { Ledger } from "../../src/rotation/ledger.ts";
import { knownOf, neededBy } from "../../src/rotation/needed.ts";
import { uploadLives } from "../../src/rotation/written.ts";
import { oneBucket } from "../support/one-bucket.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Of the scan. */
const T = Date.parse("2026-11-28T12:00:00Z");
const NOW = T + HOUR;

const { STORES } = oneBucket();
const configured = (keys: readonly string[], more: Record<string, unknown> = {}) =>
  loadConfig({
    STORES,
    KEYS: { k1: { secret: "KEY_1" }, k2: { secret: "KEY_2" } },
    BUCKETS: { media: { store: "main", keys }, ...more },
    CALLERS: {
      app: { token: "APP", grants: [{ bucket: "media", prefix: "", allow: ["write"], maxExpiresIn: 600 }] },
    },
  });

function database() {
  const db = new SqliteDatabase(":memory:");
  migrate(db);
  const insert = (table: string, row: Record<string, unknown>) => {
    const names = Object.keys(row);
    return db
      .prepare(`INSERT INTO ${table} (${names.map((name) => `"${name}"`)}) VALUES (${names.map(() => "?")})`)
      .bind(...Object.values(row))
      .run();
  };
  const idAt = (time: number) => {
    const hex = time.toString(16).padStart(12, "0");
    return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${Math.random().toString(16).slice(2, 14).padEnd(12, "0")}`;
  };
  const rotation = async (startedAt: number, counts: Record<string, number> = {}, more: object = {}) => {
    const id = idAt(startedAt);
    const fixed = {
      bucket: "media",
      place: `${STORES.main.endpoint}/media`,
      prefix: "",
      toKey: "k2",
      toCheck: "c",
      caller: "admin",
    };
    const state = { keyIds: '["k2","k1"]', dryRun: 1, state: "done", startedAt, endedAt: startedAt + MINUTE };
    await insert("rotations", { id, ...fixed, ...state, ...more });
    for (const [name, n] of Object.entries(counts))
      await insert("rotation_counts", { rotation: id, name, n });
  };
  const event = (time: number, more: object = {}) => {
    const fixed = { operation: "PutObject", bucket: "media", keyId: "k1", outcome: "allowed" };
    return insert("events", { id: idAt(time), time: new Date(time).toISOString(), ...fixed, ...more });
  };
  return { db, rotation, event };
}

async function needOf(
  db: SqliteDatabase,
  { config = configured(["k2", "k1"]), isTrailed = false, id = "k1", areAll = true } = {},
) {
  const rule = config.keys.get(id);
  if (rule === undefined) throw new Error(id);
  const users = [...config.buckets.values()].filter((bucket) => bucket.keys.includes(rule));
  const known = await Promise.all(users.map((bucket) => knownOf(new Ledger(db), bucket)));
  const trail = { db: isTrailed ? db : undefined, uploadLives: uploadLives(config) };
  return neededBy(rule, known, { areAll, trail, now: NOW });
}

test("nothing is known before a scan; of what it found the key is still needed", async () => {
  const { db, rotation } = database();
  expect(await needOf(db)).toBeUndefined();
  await rotation(T - HOUR);
  await rotation(T, { "left/k1": 3, "left/k2": 4, "older/k1": 2 });
  expect(await needOf(db)).toEqual({
    objects: 3,
    olderVersions: 2,
    scannedAt: "2026-11-28T12:00:00.000Z",
    complete: true,
    removable: false,
    buckets: [{ bucket: "media", objects: 3, olderVersions: 2, scannedAt: "2026-11-28T12:00:00.000Z" }],
  });
});

test("without a trail a scan counts only after the last URL of the key may have been used", async () => {
  const { db, rotation } = database();
  await rotation(T - 9 * MINUTE);
  await rotation(T, { "left/k2": 4 });
  expect(await needOf(db)).toMatchObject({
    complete: true,
    removable: false,
    buckets: [{ doubt: "written-later", writtenUntil: "2026-11-28T12:01:00.000Z" }],
  });
  await rotation(T - 10 * MINUTE);
  expect(await needOf(db)).toMatchObject({ objects: 0, removable: true });
});

test("a trail that goes back far enough knows whether there was such a URL", async () => {
  const { db, rotation, event } = database();
  await rotation(T);
  // Nobody knows what was before the first event.
  await event(T - 9 * MINUTE, { keyId: "k2" });
  expect(await needOf(db, { isTrailed: true })).toMatchObject({ removable: false });
  await event(T - HOUR, { keyId: "k2" });
  expect(await needOf(db, { isTrailed: true })).toMatchObject({ removable: true });
  for (const harmless of [
    { operation: "GetObject", expiresAt: new Date(T + HOUR).toISOString() },
    { outcome: "denied" },
    { bucket: "other" },
  ])
    await event(T + MINUTE, harmless);
  await event(T - 5 * MINUTE, { expiresAt: new Date(T - 4 * MINUTE).toISOString() });
  expect(await needOf(db, { isTrailed: true })).toMatchObject({ removable: true });
  await event(T - 5 * MINUTE, { expiresAt: new Date(T + MINUTE).toISOString() });
  expect(await needOf(db, { isTrailed: true })).toMatchObject({
    removable: false,
    buckets: [{ doubt: "written-later", writtenUntil: "2026-11-28T12:01:00.000Z" }],
  });
});

test("a URL counts for as long as it lives, also where nobody may have such a one any more", async () => {
  const { db, rotation, event } = database();
  await rotation(T);
  const DAY = 24 * HOUR;
  await event(T - 8 * DAY, { keyId: "k2" });
  expect(await needOf(db, { isTrailed: true })).toMatchObject({ removable: true });
  await event(T - 6 * DAY, { expiresAt: new Date(T + DAY).toISOString() });
  expect(await needOf(db, { isTrailed: true })).toMatchObject({
    removable: false,
    buckets: [{ doubt: "written-later", writtenUntil: "2026-11-29T12:00:00.000Z" }],
  });
});

test.for<[string, () => Promise<unknown>]>([
  [
    "it writes now",
    async () => {
      const { db, rotation } = database();
      await rotation(T - HOUR);
      await rotation(T);
      return needOf(db, { config: configured(["k1", "k2"]) });
    },
  ],
  [
    "it wrote when the scan began",
    async () => {
      const { db, rotation } = database();
      await rotation(T - HOUR);
      await rotation(T, {}, { keyIds: '["k1","k2"]' });
      return needOf(db);
    },
  ],
  [
    "something was rotated back to it",
    async () => {
      const { db, rotation } = database();
      await rotation(T - HOUR);
      await rotation(T);
      await rotation(T + MINUTE, {}, { toKey: "k1", dryRun: 0, state: "cancelled", prefix: "a/" });
      return needOf(db);
    },
  ],
  [
    "an object could not be seen",
    async () => {
      const { db, rotation } = database();
      await rotation(T - HOUR);
      await rotation(T, { unclear: 1 });
      return needOf(db);
    },
  ],
  [
    "nobody could see whether there are older versions",
    async () => {
      const { db, rotation } = database();
      await rotation(T - HOUR);
      await rotation(T, {}, { ways: '{"hidesVersions":true}' });
      return needOf(db);
    },
  ],
  [
    "an older version could not be seen",
    async () => {
      const { db, rotation } = database();
      await rotation(T - HOUR);
      await rotation(T, { "older/unknown": 1 });
      return needOf(db);
    },
  ],
  [
    "the scan did not try it",
    async () => {
      const { db, rotation } = database();
      await rotation(T - HOUR);
      await rotation(T, {}, { keyIds: '["k2"]' });
      return needOf(db);
    },
  ],
  [
    "the last scan saw only a part, or was cut off",
    async () => {
      const { db, rotation } = database();
      await rotation(T - HOUR, { "left/k1": 1 });
      await rotation(T, {}, { prefix: "a/" });
      await rotation(T, {}, { state: "cancelled" });
      return needOf(db);
    },
  ],
  [
    "the scan was of another bucket of the store, by the same name here",
    async () => {
      const { db, rotation } = database();
      await rotation(T - HOUR);
      await rotation(T);
      await rotation(T - HOUR, { "left/k1": 1 }, { place: `${STORES.main.endpoint}/moved` });
      const media = { store: "main", name: "moved", keys: ["k2", "k1"] };
      return needOf(db, { config: configured(["k2", "k1"], { media }) });
    },
  ],
  [
    "another bucket that has it was not scanned",
    async () => {
      const { db, rotation } = database();
      await rotation(T - HOUR);
      await rotation(T);
      const other = { store: "main", name: "other-bucket", keys: ["k2", "k1"] };
      return needOf(db, { config: configured(["k2", "k1"], { other }) });
    },
  ],
  [
    "another bucket that has it is not for the caller to see",
    async () => {
      const { db, rotation } = database();
      await rotation(T - HOUR);
      await rotation(T);
      return needOf(db, { areAll: false });
    },
  ],
])("it may not go where %s", async ([, need]) => {
  expect(await need()).toMatchObject({ removable: false });
});
