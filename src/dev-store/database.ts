/** What the store knows of buckets, objects and uploads, in SQLite: every change is one transaction, safe against a kill. */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import {
  NULL_VERSION,
  OBJECT_DEFAULTS,
  type ObjectRow,
  type PartRow,
  UPLOAD_DEFAULTS,
  type UploadRow,
} from "./rows.ts";
import type { Segment } from "./segments.ts";

export type Setting = "cors" | "policy" | "versioning" | "lock";

/**
 * Of what is kept, as user_version; 0 is what the first edition wrote, and a new file. 1 has the tables below, and 2
 * segments with keys of their own beside those without.
 */
const FORMAT = 2;

/** A key's versions are in the order of their numbers, the newest first. */
const TABLES = `
  CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY, created INTEGER NOT NULL, cors TEXT, policy TEXT);
  ALTER TABLE buckets ADD COLUMN versioning TEXT;
  ALTER TABLE buckets ADD COLUMN lock TEXT;
  CREATE TABLE versions (bucket TEXT, key TEXT, number INTEGER, version TEXT NOT NULL, json TEXT NOT NULL,
    PRIMARY KEY (bucket, key, number DESC)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS objects (bucket TEXT, key TEXT, json TEXT NOT NULL, PRIMARY KEY (bucket, key)) WITHOUT ROWID;
  INSERT INTO versions SELECT bucket, key, 1, '${NULL_VERSION}', json FROM objects;
  DROP TABLE objects;
  CREATE TABLE IF NOT EXISTS uploads (id TEXT PRIMARY KEY, bucket TEXT, json TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS parts (upload TEXT, number INTEGER, json TEXT NOT NULL, PRIMARY KEY (upload, number)) WITHOUT ROWID;
  PRAGMA user_version = 1;
`;

type Json = { readonly json: string };

export class Database {
  readonly #db: DatabaseSync;
  /** Statements by their text: to prepare one costs more than to run it. */
  readonly #prepared = new Map<string, StatementSync>();

  /**
   * @param flushes whether a commit waits until the disk has it
   * @throws when another store holds the file, or a newer one wrote it
   */
  constructor(file: string, flushes: boolean) {
    this.#db = new DatabaseSync(file, { timeout: 1000 });
    try {
      const synchronous = flushes ? "FULL" : "OFF";
      this.#db.exec(
        `PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; BEGIN IMMEDIATE; COMMIT;`,
      );
      const format = Number(this.#db.prepare("PRAGMA user_version").get()?.user_version);
      if (format > FORMAT)
        throw new Error(
          `${file} was written by a newer store (format ${format}; this one reads up to ${FORMAT})`,
        );
      if (format < 1) this.#transaction(() => this.#db.exec(TABLES));
      if (format < FORMAT) this.#db.exec(`PRAGMA user_version = ${FORMAT}`);
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  close(): void {
    this.#db.close();
  }

  createBucket(name: string, created: number): void {
    this.#run("INSERT INTO buckets (name, created) VALUES (?, ?)", name, created);
  }

  deleteBucket(name: string): void {
    this.#run("DELETE FROM buckets WHERE name = ?", name);
  }

  buckets(): { name: string; created: number }[] {
    return this.#statement("SELECT name, created FROM buckets ORDER BY name").all() as never;
  }

  hasBucket(name: string): boolean {
    return this.#statement("SELECT 1 FROM buckets WHERE name = ?").get(name) !== undefined;
  }

  setting(bucket: string, name: Setting): string | undefined {
    const row = this.#statement(`SELECT ${name} AS value FROM buckets WHERE name = ?`).get(bucket);
    return (row?.value as string | null | undefined) ?? undefined;
  }

  setSetting(bucket: string, name: Setting, value: string | null): void {
    this.#run(`UPDATE buckets SET ${name} = ? WHERE name = ?`, value, bucket);
  }

  /** The newest version of a key, a delete marker too. */
  newest(bucket: string, key: string): ObjectRow | undefined {
    return objectIn(
      this.#statement(
        "SELECT json FROM versions WHERE bucket = ? AND key = ? ORDER BY number DESC LIMIT 1",
      ).get(bucket, key),
    );
  }

  /** The object that a key names now. */
  object(bucket: string, key: string): ObjectRow | undefined {
    const row = this.newest(bucket, key);
    return row?.isMarker === true ? undefined : row;
  }

  version(bucket: string, key: string, version: string): ObjectRow | undefined {
    return objectIn(
      this.#statement("SELECT json FROM versions WHERE bucket = ? AND key = ? AND version = ?").get(
        bucket,
        key,
        version,
      ),
    );
  }

  /** Every version of a key, the newest first; delete markers too. */
  versionsOf(bucket: string, key: string): ObjectRow[] {
    return this.#statement("SELECT json FROM versions WHERE bucket = ? AND key = ? ORDER BY number DESC")
      .all(bucket, key)
      .map((row) => objectOf(row));
  }

  /**
   * Puts a version on top of its key, in place of one of the same name, and drops the upload that it was made of.
   *
   * @returns the version that it replaced
   */
  putVersion(bucket: string, row: ObjectRow): ObjectRow | undefined {
    const replaced = this.version(bucket, row.key, row.version);
    this.#transaction(() => {
      this.#dropVersion(bucket, row.key, row.version);
      this.#run(
        "INSERT INTO versions (bucket, key, number, version, json) VALUES (?, ?, ?, ?, ?)",
        bucket,
        row.key,
        row.order,
        row.version,
        JSON.stringify(row),
      );
      if (row.uploadId !== null) this.#dropUpload(row.uploadId);
    });
    return replaced;
  }

  /** Writes what has changed of a version, in its place. */
  updateVersion(bucket: string, row: ObjectRow): void {
    this.#run(
      "UPDATE versions SET json = ? WHERE bucket = ? AND key = ? AND version = ?",
      JSON.stringify(row),
      bucket,
      row.key,
      row.version,
    );
  }

  deleteVersion(bucket: string, key: string, version: string): void {
    this.#dropVersion(bucket, key, version);
  }

  /** Every version in a bucket, in the order of the keys' bytes, the newest first, from the first key at or after `from`. */
  *versions(bucket: string, from: string): Generator<ObjectRow> {
    // One of its own: a list may be read while another is.
    const rows = this.#db
      .prepare("SELECT json FROM versions WHERE bucket = ? AND key >= ? ORDER BY key, number DESC")
      .iterate(bucket, from);
    for (const row of rows) yield objectOf(row);
  }

  /** The objects that keys name now. */
  *objects(bucket: string, from: string): Generator<ObjectRow> {
    let previous: string | undefined;
    for (const row of this.versions(bucket, from)) {
      if (row.key !== previous && !row.isMarker) yield row;
      previous = row.key;
    }
  }

  isEmpty(bucket: string): boolean {
    const versions = this.#statement("SELECT 1 FROM versions WHERE bucket = ? LIMIT 1").get(bucket);
    const uploads = this.#statement("SELECT 1 FROM uploads WHERE bucket = ? LIMIT 1").get(bucket);
    return versions === undefined && uploads === undefined;
  }

  createUpload(row: UploadRow): void {
    this.#run(
      "INSERT INTO uploads (id, bucket, json) VALUES (?, ?, ?)",
      row.id,
      row.bucket,
      JSON.stringify(row),
    );
  }

  upload(id: string): UploadRow | undefined {
    const row = this.#statement("SELECT json FROM uploads WHERE id = ?").get(id);
    return row === undefined ? undefined : uploadOf(row);
  }

  /** By key, in the order of its bytes; those of one key as they were begun, which their ids say. */
  uploads(bucket: string): UploadRow[] {
    return this.#statement("SELECT json FROM uploads WHERE bucket = ?")
      .all(bucket)
      .map(uploadOf)
      .sort((a, b) => compareKeys(a.key, b.key) || compareKeys(a.id, b.id));
  }

  deleteUpload(id: string): void {
    this.#transaction(() => this.#dropUpload(id));
  }

  putPart(uploadId: string, row: PartRow): void {
    this.#run(
      "INSERT OR REPLACE INTO parts (upload, number, json) VALUES (?, ?, ?)",
      uploadId,
      row.number,
      JSON.stringify(row),
    );
  }

  parts(uploadId: string): PartRow[] {
    const rows = this.#statement("SELECT json FROM parts WHERE upload = ? ORDER BY number").all(uploadId);
    return rows.map((row) => JSON.parse((row as Json).json));
  }

  /** The files of every segment that something names. */
  segmentFiles(): Set<string> {
    const versions = this.#statement("SELECT json FROM versions").all().map(objectOf);
    const parts = this.#statement("SELECT json FROM parts").all();
    const segments: Segment[] = [
      ...versions.flatMap((row) => row.segments),
      ...parts.map((row) => (JSON.parse((row as Json).json) as PartRow).segment),
    ];
    return new Set(segments.map(({ file }) => file));
  }

  #dropVersion(bucket: string, key: string, version: string): void {
    this.#run("DELETE FROM versions WHERE bucket = ? AND key = ? AND version = ?", bucket, key, version);
  }

  #dropUpload(id: string): void {
    this.#run("DELETE FROM uploads WHERE id = ?", id);
    this.#run("DELETE FROM parts WHERE upload = ?", id);
  }

  #statement(sql: string): StatementSync {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement;
  }

  #run(sql: string, ...values: (string | number | null)[]): void {
    this.#statement(sql).run(...values);
  }

  #transaction(change: () => void): void {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      change();
      this.#db.exec("COMMIT");
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}

/** The order of keys: that of their UTF-8. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function objectIn(row: unknown): ObjectRow | undefined {
  return row === undefined ? undefined : objectOf(row);
}

function objectOf(row: unknown): ObjectRow {
  return { ...OBJECT_DEFAULTS, ...JSON.parse((row as Json).json) };
}

function uploadOf(row: unknown): UploadRow {
  return { ...UPLOAD_DEFAULTS, ...JSON.parse((row as Json).json) };
}
