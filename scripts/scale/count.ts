/** What a rotation takes, counted: the engine itself runs, on a store that answers at once and a database that counts. */
import { loadConfig } from "../../src/config/load.ts";
import { Secrets } from "../../src/config/secrets.ts";
import { customerKey } from "../../src/keys/customer-key.ts";
import { KeyRing } from "../../src/keys/ring.ts";
import { Engine } from "../../src/rotation/engine.ts";
import { Ledger } from "../../src/rotation/ledger.ts";
import { LIMITS, type Limits } from "../../src/rotation/limits.ts";
import type { Message } from "../../src/rotation/messages.ts";
import type { Ways } from "../../src/rotation/state.ts";
import { CountingDatabase } from "./counting-database.ts";
import { pretendStore } from "./pretend-store.ts";

/** What a rotation took, all of it. */
export interface Count {
  readonly reads: number;
  readonly writes: number;
  readonly messages: number;
  readonly statements: number;
  readonly rows: number;
}

/** As AWS, and as Ceph. */
export const WAYS = {
  copied: {
    copies: true,
    copiesParts: true,
    ifSourceMatch: "quoted",
    ifMatchOfCopy: "quoted",
    ifMatchOfPut: "quoted",
    ifMatchOfComplete: "quoted",
    hasAcls: false,
    isVersioned: false,
    keepsVersions: false,
  },
  streamed: {
    copies: false,
    copiesParts: false,
    ifSourceMatch: undefined,
    ifMatchOfCopy: undefined,
    ifMatchOfPut: "bare",
    ifMatchOfComplete: undefined,
    hasAcls: true,
    isVersioned: false,
    keepsVersions: false,
  },
} as const satisfies Record<string, Ways>;
export type Way = keyof typeof WAYS;

const base64 = (byte: number) => Buffer.alloc(32, byte).toString("base64");
const ENV = {
  STORES: {
    s: {
      endpoint: "https://s3.example.com",
      region: "r",
      addressing: "path",
      accessKeyId: "ID",
      secretAccessKey: "SECRET",
    },
  },
  KEYS: { k1: { secret: "K1" }, k2: { secret: "K2" } },
  BUCKETS: { bucket: { store: "s", keys: ["k2", "k1"] } },
  ID: "id",
  SECRET: "secret",
  K1: base64(1),
  K2: base64(2),
};

/** @param size of each object, bytes */
export async function count(
  way: Way,
  objects: number,
  size: number,
  limits: Partial<Limits> = {},
): Promise<Count> {
  const config = loadConfig(ENV);
  const secrets = new Secrets(ENV);
  const names = Array.from({ length: objects }, (_, i) => `o${String(i).padStart(8, "0")}`);
  const { md5 } = customerKey("k1", Buffer.from(ENV.K1, "base64"));
  const store = pretendStore(names, size, md5);
  const database = await CountingDatabase.make();
  const ledger = new Ledger(database);
  const queued: Message[] = [];
  let messages = 0;
  const engine = new Engine({
    config,
    secrets,
    ring: new KeyRing(secrets.read),
    ledger,
    queue: {
      send: async (message, delay = 0) => {
        messages++;
        if (delay === 0) queued.push(message);
      },
    },
    teller: { object: () => {}, event: async () => {} },
    // By number alone: how long it takes is for the simulation to say.
    limits: { ...LIMITS, checkpointEvery: 3_600_000, ...limits },
  });
  const [bucket, to] = [config.buckets.get("bucket"), config.keys.get("k2")];
  if (bucket === undefined || to === undefined) throw new Error("the configuration is not as it should be");
  const real = globalThis.fetch;
  globalThis.fetch = store.fetch as typeof fetch;
  try {
    const request = { bucket, prefix: "", from: undefined, to, dryRun: false, caller: "scale" };
    const { id } = await engine.start(request);
    await ledger.setWays(id, JSON.stringify(WAYS[way]));
    for (let next = queued.shift(); next !== undefined; next = queued.shift()) await engine.handle(next);
    const { rotated } = await ledger.counts(id);
    if (rotated !== objects) throw new Error(`${rotated} of ${objects} objects were rotated`);
  } finally {
    globalThis.fetch = real;
  }
  return { ...store.asked, messages, statements: database.statements, rows: await database.rowsWritten() };
}

export function minus(a: Count, b: Count): Count {
  return combine(a, b, (x, y) => x - y);
}

export function times(a: Count, factor: number): Count {
  return combine(a, a, (x) => x * factor);
}

export function plus(a: Count, b: Count): Count {
  return combine(a, b, (x, y) => x + y);
}

function combine(a: Count, b: Count, f: (x: number, y: number) => number): Count {
  return {
    reads: f(a.reads, b.reads),
    writes: f(a.writes, b.writes),
    messages: f(a.messages, b.messages),
    statements: f(a.statements, b.statements),
    rows: f(a.rows, b.rows),
  };
}
