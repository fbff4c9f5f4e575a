/**
 * A database that counts as D1 does: a row that is written, and one more for each index that has a column of it; a row
 * that is deleted counts once. Tried against D1's own `rows_written` in workerd.
 *
 * @see https://developers.cloudflare.com/d1/platform/pricing/
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Ledger, Statement } from "../../src/bindings.ts";
import { SqliteDatabase } from "../../src/cli/sqlite-database.ts";

const MIGRATIONS = join(import.meta.dirname, "../../src/audit/migrations");

export class CountingDatabase implements Ledger {
  statements = 0;
  readonly #database = new SqliteDatabase(":memory:");

  private constructor() {
    for (const file of readdirSync(MIGRATIONS).sort())
      this.#database.execute(readFileSync(join(MIGRATIONS, file), "utf8"));
    this.#database.execute("CREATE TEMP TABLE written (n INTEGER); INSERT INTO written VALUES (0)");
  }

  static async make(): Promise<CountingDatabase> {
    const made = new CountingDatabase();
    for (const table of [
      "rotations",
      "rotation_pages",
      "rotation_objects",
      "rotation_counts",
      "rotation_failures",
    ])
      await made.#count(table);
    return made;
  }

  async #count(table: string): Promise<void> {
    const { results: indexes } = await this.#database
      .prepare(`SELECT name, partial FROM pragma_index_list('${table}') WHERE origin = 'c'`)
      .all<{ name: string; partial: 0 | 1 }>();
    const trigger = (name: string, when: string, rows: number) =>
      this.#database.execute(
        `CREATE TEMP TRIGGER "${table}_${name}" AFTER ${when} ON main.${table} BEGIN UPDATE written SET n = n + ${rows}; END`,
      );
    trigger("insert", "INSERT", 1 + indexes.length);
    trigger("delete", "DELETE", 1);
    trigger("update", "UPDATE", 1);
    for (const { name } of indexes) {
      const { results: columns } = await this.#database
        .prepare(`SELECT name FROM pragma_index_info('${name}')`)
        .all<{ name: string }>();
      const list = columns.map((column) => `"${column.name}"`).join(", ");
      trigger(name, `UPDATE OF ${list}`, 1);
    }
  }

  async rowsWritten(): Promise<number> {
    const { results } = await this.#database.prepare("SELECT n FROM written").all<{ n: number }>();
    return results[0]?.n ?? 0;
  }

  prepare(sql: string): Statement {
    const prepared = this.#database.prepare(sql);
    return {
      bind: (...values) => {
        const bound = prepared.bind(...values);
        return {
          bind: () => {
            throw new Error("bound already");
          },
          all: <Row>() => {
            this.statements++;
            return bound.all<Row>();
          },
          run: () => {
            this.statements++;
            return bound.run();
          },
          bound,
        } as Statement;
      },
    } as Statement;
  }

  batch(statements: readonly Statement[]) {
    this.statements += statements.length;
    return this.#database.batch(statements.map((each) => (each as unknown as { bound: Statement }).bound));
  }
}
