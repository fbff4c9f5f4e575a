/**
 * The queue's end: events into the database. The queue delivers at least once; an event that is there already changes
 * nothing, so each counts exactly once.
 */

import { wellFormedJson } from "../audit/bounded.ts";
import { type AuditEvent, EVENT_FIELDS } from "../audit/event.ts";
import type { Database, MessageBatch } from "../bindings.ts";
import { describeUnforeseen, logError } from "../log.ts";

/** D1 takes up to 2 MB a bound value; characters of JSON. */
const MAX_INSERT = 500_000;
/** The longest that a batch waits for a database that is down, seconds. */
const MAX_DELAY = 600;

const INSERT = `
  INSERT INTO events (${EVENT_FIELDS.map((name) => `"${name}"`).join(", ")}, countedBucket)
  SELECT ${EVENT_FIELDS.map((name) => `value ->> '${name}'`).join(", ")}, CASE
    WHEN ?2 IS NULL OR value ->> 'bucket' IS NULL THEN value ->> 'bucket'
    WHEN value ->> 'bucket' IN (SELECT value FROM json_each(?2)) THEN value ->> 'bucket'
    ELSE '?' END
  FROM json_each(?1) WHERE true
  ON CONFLICT (id) DO NOTHING`;

/**
 * Writes a batch. Where the database does not take it, the queue is asked to bring it again, later and later.
 *
 * @param buckets names that there are: whatever else was named is counted as one; undefined where they are not known
 */
export async function consume(
  batch: MessageBatch,
  db: Database | undefined,
  buckets?: readonly string[],
): Promise<void> {
  try {
    if (db === undefined) throw new Error("no database is bound as DB");
    await insertEvents(
      batch.messages.flatMap(({ body }) => eventsOf(body)),
      db,
      buckets,
    );
    batch.ackAll();
  } catch (error) {
    const { message } = describeUnforeseen(error);
    logError({ code: "audit-unavailable", message: `audit events wait in the queue: ${message}` });
    const attempts = Math.max(...batch.messages.map((each) => each.attempts));
    batch.retryAll({ delaySeconds: Math.min(2 ** attempts, MAX_DELAY) });
  }
}

/** Writes events of which some may be there already. */
export async function insertEvents(
  events: readonly AuditEvent[],
  db: Database,
  buckets?: readonly string[],
): Promise<void> {
  const names = buckets === undefined ? null : JSON.stringify(buckets);
  let lines: string[] = [];
  let length = 0;
  const flush = async () => {
    if (lines.length > 0)
      await db
        .prepare(INSERT)
        .bind(`[${lines.join(",")}]`, names)
        .run();
    lines = [];
    length = 0;
  };
  for (const event of events) {
    const line = wellFormedJson(event);
    if (length + line.length > MAX_INSERT) await flush();
    lines.push(line);
    length += line.length;
  }
  await flush();
}

/** What is no list of events was put into the queue by somebody else: it is told, and does not hold up the others. */
function eventsOf(body: unknown): AuditEvent[] {
  if (Array.isArray(body) && body.every(isEvent)) return body;
  logError({ code: "internal", message: "a message in QUEUE is no list of audit events, and was dropped" });
  return [];
}

function isEvent(event: unknown): event is AuditEvent {
  return (
    typeof event === "object" &&
    event !== null &&
    ["id", "time", "outcome"].every((name) => typeof (event as Record<string, unknown>)[name] === "string")
  );
}
