/**
 * The ledger of rotations: the only thing that is believed. Whoever works holds a lease, whose token is theirs alone, and
 * every word of theirs is taken only as long as the lease is: what comes late, from somebody who was thought dead,
 * changes nothing.
 */
import type { Ledger as Database, Statement } from "../bindings.ts";
import { MAX_NAMED } from "./limits.ts";
import type { Counts, Failure, LargeRow, PageRow, PastRotation, Rotation } from "./state.ts";

export type NewRotation = Pick<
  Rotation,
  | "id"
  | "bucket"
  | "place"
  | "prefix"
  | "fromKey"
  | "toKey"
  | "toCheck"
  | "keyIds"
  | "dryRun"
  | "encryptPlain"
  | "versions"
  | "removeVersions"
  | "caller"
  | "startedAt"
>;

/** What a lease is of, and by which its row is found. */
export type Work =
  | { readonly kind: "list"; readonly rotation: string }
  | { readonly kind: "page"; readonly rotation: string; readonly page: number }
  | { readonly kind: "object"; readonly rotation: string; readonly number: number };

/** A lease that was taken, and who has it. */
export interface Lease {
  readonly work: Work;
  /** Nobody else's. */
  readonly token: string;
}

/** A large object, as a page's worker has found it. */
export type NewLarge = Pick<LargeRow, "key" | "size" | "fromKey">;

/** What was done since the last word. */
export interface Progress {
  readonly counts: Counts;
  readonly failures: readonly Failure[];
}

/** Milliseconds since the epoch: the time, and when a lease, a pause or a turn ends. */
export interface Times {
  readonly now: number;
  readonly until: number;
}

const IS_RUNNING = "EXISTS (SELECT 1 FROM rotations WHERE id = ? AND state = 'running')";

export class Ledger {
  readonly #db: Database;
  readonly #maxNamed: number;

  /** @param maxNamed failures that a rotation names; more are only counted */
  constructor(db: Database, maxNamed = MAX_NAMED) {
    this.#db = db;
    this.#maxNamed = maxNamed;
  }

  /** @returns false when another runs in the same place */
  async start(rotation: NewRotation): Promise<boolean> {
    const columns = Object.entries({ ...rotation, state: "running" });
    const names = columns.map(([name]) => name).join(", ");
    const marks = columns.map(() => "?").join(", ");
    const changes = await this.#run(
      `INSERT INTO rotations (${names}) VALUES (${marks}) ON CONFLICT DO NOTHING`,
      ...columns.map(([, value]) => value),
    );
    return changes === 1;
  }

  async find(id: string): Promise<Rotation | undefined> {
    const [row] = await this.#all<Rotation>("SELECT * FROM rotations WHERE id = ?", id);
    return row;
  }

  /** The newest first. */
  async list(buckets: readonly string[], limit: number, before?: string): Promise<Rotation[]> {
    return this.#all<Rotation>(
      `SELECT * FROM rotations WHERE bucket IN (SELECT value FROM json_each(?)) AND id < ?
      ORDER BY id DESC LIMIT ?`,
      ...[JSON.stringify(buckets), before ?? "~", limit],
    );
  }

  async running(): Promise<Rotation[]> {
    return this.#all<Rotation>("SELECT * FROM rotations WHERE state = 'running' ORDER BY id");
  }

  /** The last that has seen all of a bucket, where that lies now. */
  async lastFull(
    { bucket, place }: Pick<Rotation, "bucket" | "place">,
    toKey?: string,
  ): Promise<Rotation | undefined> {
    const [row] = await this.#all<Rotation>(
      `SELECT * FROM rotations WHERE bucket = ?1 AND place = ?2 AND state = 'done' AND prefix = ''
        AND (?3 IS NULL OR (toKey = ?3 AND dryRun = 0)) ORDER BY id DESC LIMIT 1`,
      ...[bucket, place, toKey ?? null],
    );
    return row;
  }

  /** When a bucket was first rotated to a key, milliseconds since the epoch. */
  async firstTo(toKey: string, { bucket, place }: Pick<Rotation, "bucket" | "place">) {
    const [row] = await this.#all<{ first: number | null }>(
      `SELECT min(startedAt) AS first FROM rotations WHERE bucket = ? AND place = ? AND toKey = ? AND dryRun = 0`,
      ...[bucket, place, toKey],
    );
    return row?.first ?? undefined;
  }

  /** Of a bucket, the newest first: as many as say when its keys changed places. */
  async past(bucket: string): Promise<PastRotation[]> {
    return this.#all<PastRotation>(
      `SELECT keyIds, toKey, dryRun, startedAt, endedAt FROM rotations
      WHERE bucket = ? ORDER BY id DESC LIMIT 1000`,
      bucket,
    );
  }

  async counts(id: string): Promise<Counts> {
    const rows = await this.#all<{ name: string; n: number }>(
      "SELECT name, n FROM rotation_counts WHERE rotation = ?",
      id,
    );
    return Object.fromEntries(rows.map(({ name, n }) => [name, n]));
  }

  /** By key, after one. */
  async failures(id: string, limit: number, after = ""): Promise<Failure[]> {
    return this.#all<Failure>(
      `SELECT "key", code, detail FROM rotation_failures WHERE rotation = ? AND "key" > ?
      ORDER BY "key" LIMIT ?`,
      ...[id, after, limit],
    );
  }

  /** @returns false when it is in another state than one of `from` */
  async end(
    id: string,
    state: "failed" | "cancelled",
    { now, reason }: { now: number; reason?: string },
  ): Promise<boolean> {
    const changes = await this.#run(
      `UPDATE rotations SET state = ?, reason = ?, endedAt = ?, pausedUntil = 0, lease = NULL
      WHERE id = ? AND state = 'running'`,
      ...[state, reason ?? null, now, id],
    );
    return changes === 1;
  }

  /** When all is listed and nothing open. @returns whether this call has ended it */
  async endIfDone(id: string, now: number): Promise<boolean> {
    const changes = await this.#run(
      `UPDATE rotations SET state = 'done', reason = NULL, endedAt = ?1, pausedUntil = 0
      WHERE id = ?2 AND state = 'running' AND isListed = 1
        AND NOT EXISTS (SELECT 1 FROM rotation_pages WHERE rotation = ?2 AND isOpen = 1)
        AND NOT EXISTS (SELECT 1 FROM rotation_objects WHERE rotation = ?2 AND isOpen = 1)`,
      ...[now, id],
    );
    return changes === 1;
  }

  /**
   * @param since milliseconds since the epoch: of what ended before nothing open is kept
   * @returns false when it is done, runs already, ended too long ago, or another runs in its place
   */
  async resume(id: string, since: number): Promise<boolean> {
    const changes = await this.#run(
      `UPDATE OR IGNORE rotations SET state = 'running', reason = NULL, endedAt = NULL, pausedUntil = 0, pauses = 0,
        sweepAt = 0, sentAt = 0 WHERE id = ? AND state IN ('failed', 'cancelled') AND endedAt >= ?`,
      ...[id, since],
    );
    return changes === 1;
  }

  /**
   * Removes a piece of what is open of rotations that ended before a time without being done.
   *
   * @returns whether there may be more
   */
  async forgetOpen(before: number, piece: number): Promise<boolean> {
    const changes = [];
    for (const [table, number] of [
      ["rotation_pages", "page"],
      ["rotation_objects", "number"],
    ])
      changes.push(
        await this.#run(
          `DELETE FROM ${table} WHERE (rotation, ${number}) IN (
            SELECT open.rotation, open.${number} FROM rotations JOIN ${table} AS open ON open.rotation = rotations.id
            WHERE state IN ('failed', 'cancelled') AND endedAt < ? LIMIT ?)`,
          ...[before, piece],
        ),
      );
    return changes.includes(piece);
  }

  /** It goes on after a while; whoever says so next, of the same, changes nothing. */
  async pause(id: string, reason: string, { now, until }: Times): Promise<void> {
    await this.#run(
      `UPDATE rotations SET reason = ?, pauses = pauses + 1, pausedUntil = ?
      WHERE id = ? AND state = 'running' AND pausedUntil <= ?`,
      ...[reason, until, id, now],
    );
  }

  /** Something is to be known of it, as long as it does not get on. */
  async note(id: string, reason: string): Promise<void> {
    const sql = "UPDATE rotations SET reason = ? WHERE id = ? AND state = 'running' AND reason IS NULL";
    await this.#run(sql, reason, id);
  }

  /** It need not wait any longer. */
  async unpause(id: string): Promise<void> {
    await this.#run("UPDATE rotations SET pausedUntil = 0 WHERE id = ? AND state = 'running'", id);
  }

  async setWays(id: string, ways: string): Promise<void> {
    await this.#run("UPDATE rotations SET ways = ? WHERE id = ?", ways, id);
  }

  /** @returns the row as it is now, where nobody has a lease on it that lasts */
  async takeList({ work, token }: Lease, { now, until }: Times): Promise<Rotation | undefined> {
    const [row] = await this.#all<Rotation>(
      `UPDATE rotations SET lease = ?, leaseUntil = ?, sentAt = ?
      WHERE id = ? AND state = 'running' AND isListed = 0 AND (lease IS NULL OR leaseUntil < ?) RETURNING *`,
      ...[token, until, now, work.rotation, now],
    );
    return row;
  }

  async takePage({ work, token }: Lease, { now, until }: Times): Promise<PageRow | undefined> {
    if (work.kind !== "page") return undefined;
    const [row] = await this.#all<PageRow>(
      `UPDATE rotation_pages SET lease = ?, leaseUntil = ?, sentAt = ?, attempts = attempts + 1
      WHERE rotation = ? AND page = ? AND isOpen = 1 AND (lease IS NULL OR leaseUntil < ?) AND ${IS_RUNNING}
      RETURNING *`,
      ...[token, until, now, work.rotation, work.page, now, work.rotation],
    );
    return row;
  }

  /** Also of a rotation that is over: what was begun has to be ended. */
  async takeObject({ work, token }: Lease, { now, until }: Times): Promise<LargeRow | undefined> {
    if (work.kind !== "object") return undefined;
    const [row] = await this.#all<LargeRow>(
      `UPDATE rotation_objects SET lease = ?, leaseUntil = ?, sentAt = ?, attempts = attempts + 1
      WHERE rotation = ? AND number = ? AND isOpen = 1 AND (lease IS NULL OR leaseUntil < ?) RETURNING *`,
      ...[token, until, now, work.rotation, work.number, now],
    );
    return row;
  }

  /** Somebody else may go on at once. */
  async release(lease: Lease): Promise<void> {
    const { table, mine, values } = rowOf(lease);
    await this.#run(`UPDATE ${table} SET lease = NULL, sentAt = 0 WHERE ${mine}`, ...values);
  }

  /** The list has come so far, and a page was made of it. @returns false when the lease is lost, or the rotation over */
  async listed(
    lease: Lease,
    page: { number: number; after: string; last: string | null; objects: number; bytes: number },
    { now, until }: Times,
  ): Promise<boolean> {
    const { number, after, last, objects, bytes } = page;
    const mine = "id = ? AND lease = ? AND state = 'running'";
    const values = [lease.work.rotation, lease.token];
    const results = await this.#db.batch([
      this.#bind(
        `INSERT INTO rotation_pages (rotation, page, after, last, doneThrough)
        SELECT id, ?, ?, ?, ? FROM rotations WHERE ${mine} ON CONFLICT DO NOTHING`,
        ...[number, after, last, after, ...values],
      ),
      this.#bind(
        `UPDATE rotations SET cursor = coalesce(?, cursor), pages = ? + 1, listed = listed + ?,
          listedBytes = listedBytes + ?, leaseUntil = ?, sentAt = ?, isListed = ? WHERE ${mine}`,
        ...[last, number, objects, bytes, until, now, last === null ? 1 : 0, ...values],
      ),
    ]);
    return results[1]?.meta.changes === 1;
  }

  /**
   * What was done of a page, with its counts, at once or not at all.
   *
   * @param doneThrough the key up to which all is done; undefined: all of the page
   * @param olderThrough and the one up to which the versions behind them are; undefined: as it was
   * @returns false when the lease is lost, or the rotation over: nothing is written then
   */
  async pageDone(
    lease: Lease,
    progress: Progress & { readonly large: readonly NewLarge[] },
    doneThrough: string | undefined,
    times: Times,
    olderThrough: string | undefined = undefined,
  ): Promise<boolean> {
    const id = lease.work.rotation;
    const held = heldBy(lease);
    const { mine, values } = rowOf(lease);
    // One statement for all of them: the platform counts statements.
    const found = this.#bind(
      `INSERT INTO rotation_objects (rotation, "key", number, size, fromKey)
      SELECT ?, value ->> 'key', "key" + 1 +
        (SELECT coalesce(max(number), 0) FROM rotation_objects WHERE rotation = ?), value ->> 'size', value ->> 'fromKey'
      FROM json_each(?) WHERE ${held.sql} ON CONFLICT DO NOTHING`,
      ...[id, id, JSON.stringify(progress.large), ...held.values],
    );
    const page =
      doneThrough === undefined
        ? this.#bind(`DELETE FROM rotation_pages WHERE ${mine} AND ${IS_RUNNING}`, ...values, id)
        : this.#bind(
            `UPDATE rotation_pages SET leaseUntil = ?, sentAt = ?,
              attempts = CASE WHEN doneThrough = ? AND olderThrough IS coalesce(?, olderThrough) THEN attempts ELSE 1 END,
              doneThrough = ?, olderThrough = coalesce(?, olderThrough)
            WHERE ${mine} AND ${IS_RUNNING}`,
            ...[times.until, times.now, doneThrough, olderThrough ?? null],
            ...[doneThrough, olderThrough ?? null, ...values, id],
          );
    return this.#commit(lease, progress, times, [...(progress.large.length > 0 ? [found] : []), page]);
  }

  /** The end of a large object. @returns false when the lease is lost, or the rotation over */
  async objectDone(lease: Lease, progress: Progress, times: Times): Promise<boolean> {
    const { mine, values } = rowOf(lease);
    return this.#commit(lease, progress, times, [
      this.#bind(
        `DELETE FROM rotation_objects WHERE ${mine} AND ${IS_RUNNING}`,
        ...[...values, lease.work.rotation],
      ),
    ]);
  }

  /** An upload was begun, or was ended without success. @returns false when the lease is lost */
  async uploadIs(lease: Lease, { uploadId, etag }: Pick<LargeRow, "uploadId" | "etag">): Promise<boolean> {
    const { mine, values } = rowOf(lease);
    const sql = `UPDATE rotation_objects SET uploadId = ?, etag = ? WHERE ${mine}`;
    return (await this.#run(sql, uploadId, etag, ...values)) === 1;
  }

  /** Whoever is at it is alive. @returns false when the lease is lost, or the rotation over */
  async renew(lease: Lease, { now, until }: Times): Promise<boolean> {
    const { table, mine, values } = rowOf(lease);
    const sql = `UPDATE ${table} SET leaseUntil = ?, sentAt = ? WHERE ${mine} AND ${IS_RUNNING}`;
    return (await this.#run(sql, until, now, ...values, lease.work.rotation)) === 1;
  }

  /** A part of a large object more has gone. @returns false when the lease is lost, or the rotation over */
  async partDone(lease: Lease, { now, until }: Times): Promise<boolean> {
    const { mine, values } = rowOf(lease);
    const sql = `UPDATE rotation_objects SET leaseUntil = ?, sentAt = ?, attempts = 1 WHERE ${mine} AND ${IS_RUNNING}`;
    return (await this.#run(sql, until, now, ...values, lease.work.rotation)) === 1;
  }

  async #commit(
    lease: Lease,
    { counts, failures }: Progress,
    { now }: Times,
    last: readonly Statement[],
  ): Promise<boolean> {
    const id = lease.work.rotation;
    const held = heldBy(lease);
    const given = Object.fromEntries(Object.entries(counts).filter(([, n]) => n !== 0));
    const counting = this.#bind(
      `INSERT INTO rotation_counts (rotation, name, n)
      SELECT ?, "key", value FROM json_each(?) WHERE ${held.sql}
      ON CONFLICT DO UPDATE SET n = n + excluded.n`,
      ...[id, JSON.stringify(given), ...held.values],
    );
    const failing = this.#bind(
      `INSERT INTO rotation_failures (rotation, "key", code, detail)
      SELECT ?, value ->> 'key', value ->> 'code', value ->> 'detail' FROM json_each(?) WHERE ${held.sql}
        AND (SELECT sum(n) FROM rotation_counts WHERE rotation = ? AND name IN ('failed', 'versions/failed')) <= ?
      ON CONFLICT DO UPDATE SET code = excluded.code, detail = excluded.detail`,
      ...[id, JSON.stringify(failures), ...held.values, id, this.#maxNamed],
    );
    const goingOn = this.#bind(
      `UPDATE rotations SET reason = NULL, pauses = 0, pausedUntil = 0
      WHERE id = ? AND reason IS NOT NULL AND pausedUntil <= ? AND ${held.sql}`,
      ...[id, now, ...held.values],
    );
    const results = await this.#db.batch([
      ...(Object.keys(given).length > 0 ? [counting] : []),
      ...(failures.length > 0 ? [failing] : []),
      ...(given.rotated || given.skipped ? [goingOn] : []),
      ...last,
    ]);
    return results.at(-1)?.meta.changes === 1;
  }

  /**
   * What waits to be sent, and is marked as sent now: the list; pages and large objects, so many that at most `window` of
   * each are under way. What was sent and has given no sign of life for a while is lost, and is sent again.
   *
   * @param resend milliseconds
   */
  async due(
    id: string,
    { now, resend, window }: { now: number; resend: number; window: number },
  ): Promise<{ list: boolean; pages: number[]; objects: number[] }> {
    const list = await this.#run(
      `UPDATE rotations SET sentAt = ? WHERE id = ? AND state = 'running' AND isListed = 0 AND sentAt < ?`,
      ...[now, id, now - resend],
    );
    const of = async (table: string, number: string) => {
      const rows = await this.#all<{ number: number }>(
        `UPDATE ${table} SET sentAt = ?1 WHERE rotation = ?2 AND ${number} IN (
          SELECT ${number} FROM ${table} WHERE rotation = ?2 AND isOpen = 1 AND sentAt < ?3
          ORDER BY sentAt, ${number} LIMIT max(0, ?4 - (
            SELECT count(*) FROM ${table} WHERE rotation = ?2 AND isOpen = 1 AND sentAt >= ?3))
        ) RETURNING ${number} AS number`,
        ...[now, id, now - resend, window],
      );
      return rows.map((row) => row.number).sort((a, b) => a - b);
    };
    return {
      list: list === 1,
      pages: await of("rotation_pages", "page"),
      objects: await of("rotation_objects", "number"),
    };
  }

  /** For whoever knows that nobody else is at work: of the dead no sign of life need be waited for. */
  async forgetLeases(id: string): Promise<void> {
    const forget = "SET lease = NULL, leaseUntil = 0, sentAt = 0";
    await this.#db.batch([
      this.#bind(`UPDATE rotations ${forget}, sweepAt = 0 WHERE id = ?`, id),
      this.#bind(`UPDATE rotation_pages ${forget} WHERE rotation = ? AND isOpen = 1`, id),
      this.#bind(`UPDATE rotation_objects ${forget} WHERE rotation = ? AND isOpen = 1`, id),
    ]);
  }

  /** Uploads of a rotation that was ended in the midst of them. */
  async abandoned(id: string): Promise<number[]> {
    const rows = await this.#all<{ number: number }>(
      "SELECT number FROM rotation_objects WHERE rotation = ? AND isOpen = 1 AND uploadId IS NOT NULL",
      id,
    );
    return rows.map(({ number }) => number);
  }

  /** Whether it is this sweep's turn: doubled, they would grow without end. */
  async claimSweep(id: string, { now, until }: Times): Promise<boolean> {
    const changes = await this.#run(
      "UPDATE rotations SET sweepAt = ? WHERE id = ? AND state = 'running' AND sweepAt <= ?",
      ...[until, id, now],
    );
    return changes === 1;
  }

  #bind(sql: string, ...values: unknown[]): Statement {
    return this.#db.prepare(sql).bind(...values);
  }

  async #all<Row>(sql: string, ...values: unknown[]): Promise<Row[]> {
    return (await this.#bind(sql, ...values).all<Row>()).results;
  }

  async #run(sql: string, ...values: unknown[]): Promise<number> {
    return (await this.#bind(sql, ...values).run()).meta.changes;
  }
}

/** The row of a lease, as long as the lease is its holder's. */
function rowOf({ work, token }: Lease): { table: string; mine: string; values: readonly unknown[] } {
  const { kind, rotation } = work;
  switch (kind) {
    case "list":
      return { table: "rotations", mine: "id = ? AND lease = ?", values: [rotation, token] };
    case "page":
      return {
        table: "rotation_pages",
        mine: "rotation = ? AND page = ? AND isOpen = 1 AND lease = ?",
        values: [rotation, work.page, token],
      };
    case "object":
      return {
        table: "rotation_objects",
        mine: "rotation = ? AND number = ? AND isOpen = 1 AND lease = ?",
        values: [rotation, work.number, token],
      };
  }
}

/** That the lease is its holder's, and the rotation runs: a condition of a statement about another table. */
function heldBy(lease: Lease): { sql: string; values: readonly unknown[] } {
  const { table, mine, values } = rowOf(lease);
  return {
    sql: `EXISTS (SELECT 1 FROM ${table} WHERE ${mine}) AND ${IS_RUNNING}`,
    values: [...values, lease.work.rotation],
  };
}
