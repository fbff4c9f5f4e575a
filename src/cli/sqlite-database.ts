/** The SQL surface of D1 over a SQLite file on this machine, so that what needs a database runs without the Worker. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { Ledger, Statement } from "../bindings.ts";

class SqliteStatement implements Statement {
  readonly #prepared: StatementSync;
  readonly #named: Record<string, SQLInputValue>;
  readonly #values: readonly SQLInputValue[];

  constructor(prepared: StatementSync, values: readonly SQLInputValue[] = []) {
    this.#prepared = prepared;
    // Older versions of Node, 22.18 among them, take a value for `?1` by that name only, and for `?` by its place only.
    const isNumbered = /\?\d/.test(prepared.sourceSQL);
    this.#named = isNumbered ? Object.fromEntries(values.map((value, i) => [`?${i + 1}`, value])) : {};
    this.#values = isNumbered ? [] : values;
  }

  bind(...values: unknown[]): SqliteStatement {
    return new SqliteStatement(this.#prepared, values as SQLInputValue[]);
  }

  async all<Row>(): Promise<{ results: Row[] }> {
    return { results: this.#prepared.all(this.#named, ...this.#values) as Row[] };
  }

  async run(): Promise<{ meta: { changes: number } }> {
    return { meta: { changes: this.runNow() } };
  }

  /** How many rows it changed. */
  runNow(): number {
    return Number(this.#prepared.run(this.#named, ...this.#values).changes);
  }
}

export class SqliteDatabase implements Ledger {
  readonly #database: DatabaseSync;
  /** Statements by their text: to prepare one costs more than to run it. */
  readonly #prepared = new Map<string, StatementSync>();

  /** @param path `:memory:` for one that is gone with the process */
  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    // Whoever is killed in the midst of a transaction leaves the database as it was before; when the power goes, the last of
    // them may be lost, which is nothing that a ledger could not stand.
    this.#database.exec("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  }

  /** Runs statements that answer nothing, as those of a migration. */
  execute(sql: string): void {
    this.#database.exec(sql);
  }

  /** How many migrations it has had, as whoever runs them notes it. */
  get version(): number {
    return Number(this.#database.prepare("PRAGMA user_version").get()?.user_version);
  }

  prepare(sql: string): SqliteStatement {
    const prepared = this.#prepared.get(sql) ?? this.#database.prepare(sql);
    this.#prepared.set(sql, prepared);
    return new SqliteStatement(prepared);
  }

  /** All of them or none. */
  async batch(statements: readonly Statement[]): Promise<{ meta: { changes: number } }[]> {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const results = (statements as SqliteStatement[]).map((statement) => ({
        meta: { changes: statement.runNow() },
      }));
      this.#database.exec("COMMIT");
      return results;
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  close(): void {
    this.#database.close();
  }
}
