/**
 * A rotation as `ssec rotate --local` does it, but with its ledger in memory: a program for `rotation.ts`. Its
 * configuration is the environment; it prints what became of the rotation.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { byNode } from "../../src/cli/node-transport.ts";
import { fixedLength } from "../../src/cli/rotate/fixed-length.ts";
import { LIMITS } from "../../src/cli/rotate/local.ts";
import { LocalQueue } from "../../src/cli/rotate/local-queue.ts";
import { SqliteDatabase } from "../../src/cli/sqlite-database.ts";
import { loadConfig } from "../../src/config/load.ts";
import { Secrets } from "../../src/config/secrets.ts";
import { KeyRing } from "../../src/keys/ring.ts";
import { Engine } from "../../src/rotation/engine.ts";
import { Ledger } from "../../src/rotation/ledger.ts";
import { reportOf } from "../../src/rotation/state.ts";

const { MIGRATIONS = "", BUCKET = "", PREFIX = "", TO = "" } = process.env;
const database = new SqliteDatabase(":memory:");
for (const file of readdirSync(MIGRATIONS).sort())
  database.execute(readFileSync(join(MIGRATIONS, file), "utf8"));
const ledger = new Ledger(database);
const config = loadConfig(process.env);
const secrets = new Secrets(process.env);
const queue = new LocalQueue();
const engine = new Engine({
  config,
  secrets,
  ring: new KeyRing(secrets.read),
  ledger,
  queue,
  teller: { object: () => {}, event: async () => {} },
  transport: byNode,
  limits: LIMITS,
  pipe: fixedLength,
});
queue.handle = (message) => engine.handle(message);
const bucket = config.buckets.get(BUCKET);
const to = config.keys.get(TO);
if (bucket === undefined || to === undefined) throw new Error("no such bucket or key");
const request = { bucket, prefix: PREFIX, from: undefined, to, dryRun: false, caller: "bench" };
const { id } = await engine.start(request);
while ((await ledger.find(id))?.state === "running") await sleep(5);
await queue.close();
const rotation = await ledger.find(id);
if (rotation === undefined) throw new Error("it is not in the ledger");
console.log(JSON.stringify(reportOf(rotation, await ledger.counts(id), await ledger.failures(id, 10))));
