/** A database of the simulator with the Worker's own schema, emptied. */

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { AuditEvent } from "../../src/audit/event.ts";
import type { Database, Statement } from "../../src/bindings.ts";

interface Batched extends Database {
  batch<Row>(statements: readonly Statement[]): Promise<{ results: Row[] }[]>;
}

const bound = env as unknown as { DB: Batched; MIGRATIONS: never };

export const db = bound.DB;

export async function emptyDatabase(): Promise<void> {
  await applyD1Migrations(bound.DB as never, bound.MIGRATIONS);
  for (const table of ["events", "counts", "key_usage"]) await db.prepare(`DELETE FROM ${table}`).run();
}

let made = 0;

/** An event at a time, with an id of that time. */
export function eventAt(time: number, fields: Partial<AuditEvent> = {}): AuditEvent {
  const hex = time.toString(16).padStart(12, "0");
  const number = (++made).toString(16).padStart(12, "0");
  return {
    id: `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${number}`,
    time: new Date(time).toISOString(),
    requestId: "r",
    caller: "me",
    operation: "PutObject",
    bucket: "media",
    key: "a",
    keyId: "k1",
    outcome: "allowed",
    expiresAt: new Date(time + 1000).toISOString(),
    ...fields,
  };
}

export async function rows<Row>(sql: string, ...values: unknown[]): Promise<Row[]> {
  return (
    await db
      .prepare(sql)
      .bind(...values)
      .all<Row>()
  ).results;
}

/** What each of several questions finds. */
export async function batch<Row>(
  questions: readonly { sql: string; values: readonly unknown[] }[],
): Promise<Row[][]> {
  const statements = questions.map(({ sql, values }) => db.prepare(sql).bind(...values));
  const answers = await db.batch<Row>(statements);
  return answers.map(({ results }) => results);
}
