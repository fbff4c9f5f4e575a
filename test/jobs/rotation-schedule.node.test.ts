/** What the daily look does about rotations: it starts what is due, and says when a key is. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { SqliteDatabase } from "../../src/cli/sqlite-database.ts";
import type { Bucket } from "../../src/config/load.ts";
import { watchRotations } from "../../src/jobs/rotation-schedule.ts";
import { placeOf } from "../../src/rotation/place.ts";
import { serviceOf } from "../../src/service.ts";
import { oneBucket } from "../support/one-bucket.ts";
import { runHere } from "../support/ssec.ts";

const DAY = 86_400_000;
const NOW = Date.parse("2026-11-24T12:00:00Z");
const MIGRATIONS = "src/audit/migrations";

let warnings: string[];
beforeEach(() => {
  warnings = [];
  vi.spyOn(console, "warn").mockImplementation((line) => void warnings.push(line));
});
afterEach(() => vi.restoreAllMocks());

function service(keys: string[], notBefore: Record<string, string> = {}, others: string[] = []) {
  const database = new SqliteDatabase(":memory:");
  for (const file of readdirSync(MIGRATIONS).sort())
    database.execute(readFileSync(join(MIGRATIONS, file), "utf8"));
  const sent: unknown[] = [];
  const key = (id: string) => [id, { secret: "KEY_1", ...(notBefore[id] && { notBefore: notBefore[id] }) }];
  const env = {
    ...oneBucket(),
    KEYS: Object.fromEntries([...keys, ...others].map(key)),
    BUCKETS: { media: { store: "main", keys, rotateEvery: "90d" } },
    DB: database,
    ROTATION_QUEUE: { send: async (message: unknown) => void sent.push(message) },
  };
  const rotations = () => database.prepare("SELECT bucket, toKey, state, caller FROM rotations").all();
  return { service: serviceOf(env), env, sent, database, rotations };
}

test("a newer key stands first, and its predecessor is old enough: the rotation starts", async () => {
  const { service: bound, sent, rotations } = service(["k2", "k1"], { k1: "2026-01-01" });
  await watchRotations(bound, NOW);
  expect((await rotations()).results).toEqual([
    { bucket: "media", toKey: "k2", state: "running", caller: "schedule" },
  ]);
  expect(sent[0]).toMatchObject({ kind: "list" });
  // The next day it runs still: nothing is started, and what is lost is sent again.
  await watchRotations(bound, NOW + DAY);
  expect((await rotations()).results).toHaveLength(1);
  expect(warnings).toEqual([]);
});

test("a predecessor that is not old enough waits", async () => {
  const { service: bound, rotations } = service(["k2", "k1"], { k1: "2026-10-01" });
  await watchRotations(bound, NOW);
  expect((await rotations()).results).toEqual([]);
});

test("a key that has no successor is told of, with what there is to do", async () => {
  const { service: bound, rotations, env } = service(["k1"], { k1: "2026-01-01" }, ["k2"]);
  await watchRotations(bound, NOW);
  expect((await rotations()).results).toEqual([]);
  const line = JSON.parse(warnings[0] ?? "") as { event: string; message: string };
  expect(line).toMatchObject({ event: "rotation-due", bucket: "media", keyId: "k1" });
  expect(line.message).toContain("327 days");
  const commands = [...line.message.matchAll(/`npm run -s ssec -- ([^`]+)`/g)].map(([, words = ""]) => words);
  expect(commands.map((words) => words.split(" ")[0])).toEqual(["add", "rotate", "keys"]);
  // They are commands that there are, and the first does what is said of it.
  const folder = mkdtempSync(join(tmpdir(), "ssec-due-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const config = join(folder, "wrangler.json");
  const { STORES, KEYS, BUCKETS } = env;
  writeFileSync(config, JSON.stringify({ name: "x", vars: { STORES, KEYS, BUCKETS } }, null, 2));
  const outcomes = [];
  for (const words of commands)
    outcomes.push(await runHere(["--config", config, ...words.split(" ")], { SSEC_TOKEN: "" }));
  const [added, ...others] = outcomes;
  expect(added?.status, added?.stderr).toBe(0);
  const { vars } = JSON.parse(readFileSync(config, "utf8"));
  // k2 is another bucket's.
  expect(vars.BUCKETS.media.keys).toEqual(["k3", "k1"]);
  for (const { stderr } of others) expect(stderr).toBe("ssec: set SSEC_TOKEN to a caller's token\n");
});

test("a key that is rotated to again and again grows old all the same", async () => {
  const { service: bound, database } = service(["k2", "k1"]);
  const rotated = (id: string, at: number) =>
    database.execute(
      `INSERT INTO rotations (id, bucket, place, prefix, toKey, toCheck, keyIds, dryRun, caller, state, startedAt)
      VALUES ('${id}', 'media', '${placeOf(bound.config.buckets.get("media") as Bucket)}', '', 'k2', 'c', '[]', 0, 'me', 'done', ${at})`,
    );
  rotated("1", NOW - 91 * DAY);
  rotated("2", NOW - DAY);
  await watchRotations(bound, NOW);
  expect(warnings).toHaveLength(1);
});

test("the age of a key without dates is that of its first use", async () => {
  const { service: bound, database } = service(["k1"]);
  await watchRotations(bound, NOW);
  expect(warnings).toEqual([]);
  const use = (time: number) =>
    database.execute(
      `INSERT INTO key_usage VALUES ('k1', 'media', 'a', 'PutObject', '${new Date(time).toISOString()}', '${new Date(NOW).toISOString()}', 1)`,
    );
  use(NOW - 91 * DAY);
  await watchRotations(bound, NOW);
  expect(warnings).toHaveLength(1);
});
