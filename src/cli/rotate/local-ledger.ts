/**
 * The ledger of rotations that run here, beside the configuration: a SQLite file that only its owner can read, in a folder
 * that git leaves alone.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ownPackage } from "../package.ts";
import { SqliteDatabase } from "../sqlite-database.ts";
import { printable } from "../terminal.ts";
import type { Where } from "../worker.ts";

export interface LocalFiles {
  readonly ledger: string;
  /** A line for each object, and for what went wrong. */
  readonly log: string;
}

/** Where they are, whether there or not: each environment has its own. */
export function localFiles({ config, env }: Where): LocalFiles {
  const folder = join(dirname(config), ".ssec");
  const name = `rotations${env ? `.${env}` : ""}`;
  return { ledger: join(folder, `${name}.sqlite`), log: join(folder, `${name}.log`) };
}

/** The ledger that is there, or an empty one that nobody keeps. @throws when it cannot be opened */
export function openLedger({ ledger }: LocalFiles): SqliteDatabase {
  return migrated(existsSync(ledger) ? ledger : ":memory:");
}

/** Made where there is none. @throws when it cannot be */
export function makeLedger({ ledger, log }: LocalFiles): SqliteDatabase {
  const folder = dirname(ledger);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const ignore = join(folder, ".gitignore");
  if (!existsSync(ignore)) writeFileSync(ignore, "*\n");
  // SQLite gives its other files the permissions of this one.
  for (const file of [ledger, log]) closeSync(openSync(file, "a", 0o600));
  return migrated(ledger);
}

function migrated(path: string): SqliteDatabase {
  const database = new SqliteDatabase(path);
  try {
    migrate(database);
  } catch (error) {
    database.close();
    throw new Error(`${printable(path)} is no ledger of rotations: ${(error as Error).message}`);
  }
  return database;
}

/** The Worker's own schema, as far as it is not there yet. */
export function migrate(database: SqliteDatabase): void {
  const { folder, isSource } = ownPackage();
  const migrations = join(folder, isSource ? "src/audit/migrations" : "dist/migrations");
  const names = readdirSync(migrations).sort();
  // Two that begin at once: the second finds all of it done.
  database.execute("BEGIN IMMEDIATE");
  try {
    for (let done = database.version; done < names.length; done++) {
      database.execute(readFileSync(join(migrations, names[done] ?? ""), "utf8"));
      database.execute(`PRAGMA user_version = ${done + 1}`);
    }
    database.execute("COMMIT");
  } catch (error) {
    database.execute("ROLLBACK");
    throw error;
  }
}

/**
 * Held by whoever works on the ledger, and free as soon as they are gone, however that comes.
 *
 * @returns what lets go of it; undefined where somebody else has it
 */
export function holdLedger({ ledger }: LocalFiles): (() => void) | undefined {
  const path = `${ledger}.lock`;
  closeSync(openSync(path, "a", 0o600));
  const lock = new DatabaseSync(path);
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return () => lock.close();
  } catch (error) {
    lock.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
}

const SQLITE_BUSY = 5;
