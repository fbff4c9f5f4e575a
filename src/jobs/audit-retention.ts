/** Events older than the operator keeps them go, a bounded piece at a time. */

import { idAt } from "../audit/queries.ts";
import type { Database } from "../bindings.ts";
import { DAY } from "../time.ts";

/** Events deleted by one statement, which keeps the database answering meanwhile. */
const PIECE = 5_000;
/** Statements of one run; what is left over goes the next day. */
const MAX_PIECES = 400;

/** @returns how many events went */
export async function expireEvents(days: number, db: Database, now = Date.now()): Promise<number> {
  const oldest = now - days * DAY;
  let gone = 0;
  for (let piece = 0; piece < MAX_PIECES; piece++) {
    const { meta } = await db
      .prepare("DELETE FROM events WHERE id IN (SELECT id FROM events WHERE id < ?1 ORDER BY id LIMIT ?2)")
      .bind(idAt(oldest), PIECE)
      .run();
    gone += meta.changes;
    if (meta.changes < PIECE) break;
  }
  await db
    .prepare("DELETE FROM counts WHERE hour < ?1")
    .bind(new Date(oldest).toISOString().slice(0, 13))
    .run();
  return gone;
}
