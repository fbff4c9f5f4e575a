/**
 * Whoever carries a rotation, on a good day or a bad one: the engine over a ledger in a file, with a queue that loses a
 * third of its messages, doubles a third and delays a third, and a database that fails for a while every so often.
 */
import type { Ledger as Database } from "../../src/bindings.ts";
import { SqliteDatabase } from "../../src/cli/sqlite-database.ts";
import { loadConfig } from "../../src/config/load.ts";
import { Secrets } from "../../src/config/secrets.ts";
import { KeyRing } from "../../src/keys/ring.ts";
import { Engine } from "../../src/rotation/engine.ts";
import { Ledger } from "../../src/rotation/ledger.ts";
import type { Limits } from "../../src/rotation/limits.ts";
import type { Message, Sender } from "../../src/rotation/messages.ts";

/** What fails meanwhile. */
export type Fails = "nothing" | "the queue" | "the queue and the database";

export interface Orders {
  readonly env: Readonly<Record<string, unknown>>;
  /** The ledger's file. */
  readonly database: string;
  /** Its id. */
  readonly rotation: string;
  readonly limits: Partial<Limits>;
  readonly fails: Fails;
}

/** Messages that are handled at once. */
const CONSUMERS = 3;
/** How often the database fails, and for how long, milliseconds. */
const EVERY = 3_000;
const DOWN = 600;
/** After so many milliseconds nobody waits any longer. */
const PATIENCE = 600_000;
/** How late a message comes that is delayed, and how long until whoever has nothing to do looks what was lost. */
const LATE = 300;
const SWEEP = 200;

/** An engine that tells nobody anything; its messages go nowhere, where somebody else carries the rotation. */
export function engineOf(
  env: Orders["env"],
  ledger: Ledger,
  { limits = {}, send = async () => {} }: { limits?: Partial<Limits>; send?: Sender["send"] } = {},
): Engine {
  const secrets = new Secrets(env);
  return new Engine({
    config: loadConfig(env),
    secrets,
    ring: new KeyRing(secrets.read),
    ledger,
    queue: { send },
    teller: { object: () => {}, event: async () => {} },
    limits,
  });
}

/** @returns when the rotation is over. @throws when that takes too long */
export async function carry(
  { env, database, rotation: id, limits, fails }: Orders,
  patience = PATIENCE,
): Promise<void> {
  const began = Date.now();
  const sqlite = new SqliteDatabase(database);
  const check = () => {
    if (fails === "the queue and the database" && (Date.now() - began) % EVERY > EVERY - DOWN)
      throw new Error(IS_DOWN);
  };
  const failing: Database = {
    prepare: (sql) => {
      check();
      return sqlite.prepare(sql);
    },
    batch: async (statements) => {
      check();
      return sqlite.batch(statements);
    },
  };
  const queue: { message: Message; at: number }[] = [];
  const send = async (message: Message, delay = 0) => {
    const at = Date.now() + delay;
    const fate = fails === "nothing" ? 3 : Math.floor(Math.random() * 3);
    if (fate === 0) return;
    queue.push({ message, at: fate === 1 ? at + LATE : at });
    if (fate === 2) queue.push({ message, at });
  };
  const ledger = new Ledger(failing);
  const engine = engineOf(env, ledger, { limits, send });
  let sweptAt = 0;
  const consume = async () => {
    for (;;) {
      if (Date.now() - began > patience) throw new Error("the rotation does not come to an end");
      try {
        const next = queue.findIndex(({ at }) => at <= Date.now());
        const [taken] = next < 0 ? [] : queue.splice(next, 1);
        if (taken !== undefined) {
          await engine.handle(taken.message);
          continue;
        }
        const rotation = await ledger.find(id);
        if (rotation?.state !== "running") return;
        if (Date.now() - sweptAt > SWEEP) {
          sweptAt = Date.now();
          await engine.sweep(rotation);
        }
      } catch (error) {
        if (!String(error).includes(IS_DOWN)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  try {
    await Promise.all(Array.from({ length: CONSUMERS }, consume));
  } finally {
    sqlite.close();
  }
}

const IS_DOWN = "D1_ERROR: down";
