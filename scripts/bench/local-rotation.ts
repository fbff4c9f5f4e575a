/**
 * A rotation in a process of its own, with its ledger in memory, as far as it can be: a program for `rotation.ts`. Its
 * configuration is the environment; it prints what became of the rotation.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { byNode } from "../../src/cli/node-transport.ts";
import { SqliteDatabase } from "../../src/cli/sqlite-database.ts";
import { loadConfig } from "../../src/config/load.ts";
import { Secrets } from "../../src/config/secrets.ts";
import { KeyRing } from "../../src/keys/ring.ts";
import { Engine } from "../../src/rotation/engine.ts";
import { Ledger } from "../../src/rotation/ledger.ts";
import type { Message } from "../../src/rotation/messages.ts";
import { reportOf } from "../../src/rotation/state.ts";

/** Messages that are worked on at once: the platform has 250 consumers, this machine its cores. */
const LANES = 4;

const { MIGRATIONS = "", BUCKET = "", PREFIX = "", TO = "" } = process.env;
const database = new SqliteDatabase(":memory:");
for (const file of readdirSync(MIGRATIONS).sort())
  database.execute(readFileSync(join(MIGRATIONS, file), "utf8"));
const ledger = new Ledger(database);
const config = loadConfig(process.env);
const secrets = new Secrets(process.env);
const messages: Message[] = [];
const engine = new Engine({
  config,
  secrets,
  ring: new KeyRing(secrets.read),
  ledger,
  // Nothing is lost here, so that nobody has to sweep.
  queue: { send: async (message, delay = 0) => void (delay === 0 && messages.push(message)) },
  teller: { object: () => {}, event: async () => {} },
  transport: byNode,
  // As many pages as lanes.
  limits: { pageSize: Number(process.env.PAGE_SIZE) },
});
const bucket = config.buckets.get(BUCKET);
const to = config.keys.get(TO);
if (bucket === undefined || to === undefined) throw new Error("no such bucket or key");
const request = { bucket, prefix: PREFIX, from: undefined, to, dryRun: false, caller: "bench" };
const { id } = await engine.start(request);
const isOver = async () => (await ledger.find(id))?.state !== "running";

await Promise.all(
  Array.from({ length: LANES }, async () => {
    while (!(await isOver())) {
      const message = messages.shift();
      if (message === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
      else await engine.handle(message);
    }
  }),
);
const rotation = await ledger.find(id);
if (rotation === undefined) throw new Error("it is not in the ledger");
console.log(JSON.stringify(reportOf(rotation, await ledger.counts(id), await ledger.failures(id, 10))));
