/** A bucket of 100,000 keys of odd names: lists, pages and ledger come to its end, and a dry run counts each key once. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "../../src/cli/rotate/local-ledger.ts";
import { SqliteDatabase } from "../../src/cli/sqlite-database.ts";
import { loadConfig } from "../../src/config/load.ts";
import { type RunningStore, startStore } from "../../src/dev-store/index.ts";
import { customerKey } from "../../src/keys/customer-key.ts";
import { Ledger } from "../../src/rotation/ledger.ts";
import { reportOf } from "../../src/rotation/state.ts";
import { isCeph } from "../support/client.ts";
import { oddName } from "../support/odd-names.ts";
import { engineOf } from "../support/rotator.ts";
import { s3Client } from "../support/s3.ts";

const KEYS = Number(process.env.MANY_KEYS ?? 100_000);
const BUCKET = "many";

const dir = mkdtempSync(join(tmpdir(), "ssec-many-"));
const credentials = { accessKeyId: "test", secretAccessKey: randomBytes(20).toString("hex") };
const secret = () => randomBytes(32).toString("base64");
const secrets = { K1: secret(), K2: secret(), STRANGE: secret() };
let store: RunningStore;

/** Under which key the i-th lies; null: in the clear. */
const KINDS = ["k1", "k2", "unknown", "plain"] as const;
const kindOf = (i: number) => KINDS[i % 1009 === 0 ? 3 : i % 211 === 0 ? 2 : i % 7 === 0 ? 1 : 0] ?? "k1";

/** Rows of empty objects, as the store has them: to put each would take minutes. */
function fill(): void {
  const md5 = (id: keyof typeof secrets) => customerKey(id, Buffer.from(secrets[id], "base64")).md5;
  const keyMd5 = { k1: md5("K1"), k2: md5("K2"), unknown: md5("STRANGE"), plain: null };
  const common = {
    version: "null",
    etag: "e",
    size: 0,
    modified: 1000,
    headers: {},
    segments: [],
    uploadId: null,
  };
  const database = new DatabaseSync(join(dir, "data", "store.sqlite"));
  const insert = database.prepare(
    "INSERT INTO versions (bucket, key, number, version, json) VALUES (?, ?, 1, 'null', ?)",
  );
  database.exec("BEGIN");
  for (let i = 0; i < KEYS; i++) {
    const key = oddName(i);
    insert.run(BUCKET, key, JSON.stringify({ ...common, key, keyMd5: keyMd5[kindOf(i)] }));
  }
  database.exec("COMMIT");
  database.close();
}

beforeAll(async () => {
  const options = { data: join(dir, "data"), credentials, flushes: false };
  const empty = await startStore(options);
  const s3 = s3Client({ url: empty.url, ...credentials });
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  s3.destroy();
  await empty.close();
  fill();
  store = await startStore(options);
});
afterAll(async () => {
  await store?.close();
  rmSync(dir, { recursive: true });
});

test.skipIf(isCeph)(
  `${KEYS} keys of odd names: a dry run lists each once, and says under which key it is`,
  { timeout: 600_000 },
  async () => {
    const main = { endpoint: store.url, region: "us-east-1", addressing: "path" };
    const env = {
      STORES: { main: { ...main, accessKeyId: "ID", secretAccessKey: "SECRET" } },
      KEYS: { k1: { secret: "K1" }, k2: { secret: "K2" } },
      BUCKETS: { media: { store: "main", name: BUCKET, keys: ["k2", "k1"] } },
      ID: credentials.accessKeyId,
      SECRET: credentials.secretAccessKey,
      ...secrets,
    };
    const database = join(dir, "ledger.sqlite");
    const sqlite = new SqliteDatabase(database);
    migrate(sqlite);
    const ledger = new Ledger(sqlite);
    const config = loadConfig(env);
    const [bucket, to] = [config.buckets.get("media"), config.keys.get("k2")];
    if (bucket === undefined || to === undefined) throw new Error("there is no bucket, or no key");
    const { id } = await engineOf(env, ledger).start({
      bucket,
      prefix: "",
      from: undefined,
      to,
      dryRun: true,
      caller: "me",
    });
    // The store is in this process, so that the one that works has a core of its own.
    const file = fileURLToPath(new URL("rotation/rotator.ts", import.meta.url));
    const child = spawn(process.execPath, [file], { stdio: ["pipe", "ignore", "inherit"] });
    const limits = { resend: 1_000, window: 4 };
    child.stdin.end(JSON.stringify({ env, database, rotation: id, limits, fails: "nothing" }));
    expect(await new Promise((resolve) => child.once("exit", resolve))).toBe(0);

    const rotation = await ledger.find(id);
    if (rotation === undefined) throw new Error("the rotation is not in the ledger");
    const report = reportOf(rotation, await ledger.counts(id));
    const truth = { k1: 0, k2: 0, unknown: 0, plain: 0 };
    for (let i = 0; i < KEYS; i++) truth[kindOf(i)]++;
    expect(report).toMatchObject({ state: "done", listed: KEYS, rotated: 0, found: truth });
    expect(rotation).toMatchObject({ listed: KEYS, pages: Math.ceil(KEYS / 1000) });
    // Each that nobody can rotate is named, by its own name.
    const named = new Set<string>();
    for (let after = ""; ; ) {
      const failures = await ledger.failures(id, 1000, after);
      for (const { key } of failures) named.add(key);
      if (failures.length < 1000) break;
      after = failures.at(-1)?.key ?? "";
    }
    const left = Array.from({ length: KEYS }, (_, i) => i).filter((i) => i % 1009 === 0 || i % 211 === 0);
    expect([...named].sort()).toEqual(left.map(oddName).sort());
    sqlite.close();
  },
);
