/** What the store knows of buckets, objects and uploads, in SQLite: every change is one transaction, safe against a kill. */
import { DatabaseSync } from "node:sqlite";
import type { Segment } from "./segments.ts";

/** What is kept of an object beside its bytes. */
export interface ObjectRow {
  readonly key: string;
  readonly etag: string;
  readonly size: number;
  /** Milliseconds since the epoch, whole seconds. */
  readonly modified: number;
  /** Null: in the clear. */
  readonly keyMd5: string | null;
  /** Headers as GET answers them: content-type, x-amz-meta-*, … */
  readonly headers: Readonly<Record<string, string>>;
  readonly segments: readonly Segment[];
  /** The upload that made it, so that a second CompleteMultipartUpload can be answered. */
  readonly uploadId: string | null;
}

export interface UploadRow {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly keyMd5: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly created: number;
}

export interface PartRow {
  readonly number: number;
  readonly etag: string;
  readonly size: number;
  readonly modified: number;
  readonly segment: Segment;
}

type Json = { readonly json: string };

export class Database {
  readonly #db: DatabaseSync;

  /** @throws when another store holds the file */
  constructor(file: string) {
    this.#db = new DatabaseSync(file, { timeout: 1000 });
    this.#db.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY, created INTEGER NOT NULL, cors TEXT, policy TEXT);
      CREATE TABLE IF NOT EXISTS objects (bucket TEXT, key TEXT, json TEXT NOT NULL, PRIMARY KEY (bucket, key)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS uploads (id TEXT PRIMARY KEY, bucket TEXT, json TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS parts (upload TEXT, number INTEGER, json TEXT NOT NULL, PRIMARY KEY (upload, number)) WITHOUT ROWID;
    `);
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
    return this.#db.prepare("SELECT name, created FROM buckets ORDER BY name").all() as never;
  }

  hasBucket(name: string): boolean {
    return this.#db.prepare("SELECT 1 FROM buckets WHERE name = ?").get(name) !== undefined;
  }

  setting(bucket: string, name: "cors" | "policy"): string | undefined {
    const row = this.#db.prepare(`SELECT ${name} AS value FROM buckets WHERE name = ?`).get(bucket);
    return (row?.value as string | null | undefined) ?? undefined;
  }

  setSetting(bucket: string, name: "cors" | "policy", value: string | null): void {
    this.#run(`UPDATE buckets SET ${name} = ? WHERE name = ?`, value, bucket);
  }

  object(bucket: string, key: string): ObjectRow | undefined {
    return parse<ObjectRow>(
      this.#db.prepare("SELECT json FROM objects WHERE bucket = ? AND key = ?").get(bucket, key),
    );
  }

  /** Puts an object in its place, and drops the upload that it was made of. */
  putObject(bucket: string, row: ObjectRow): void {
    this.#transaction(() => {
      this.#run(
        "INSERT OR REPLACE INTO objects (bucket, key, json) VALUES (?, ?, ?)",
        bucket,
        row.key,
        JSON.stringify(row),
      );
      if (row.uploadId !== null) this.#dropUpload(row.uploadId);
    });
  }

  deleteObject(bucket: string, key: string): void {
    this.#run("DELETE FROM objects WHERE bucket = ? AND key = ?", bucket, key);
  }

  /** Objects in the order of their keys' bytes, from the first at or after `from`. */
  *objects(bucket: string, from: string): Generator<ObjectRow> {
    const rows = this.#db
      .prepare("SELECT json FROM objects WHERE bucket = ? AND key >= ? ORDER BY key")
      .iterate(bucket, from);
    for (const row of rows) yield JSON.parse((row as Json).json);
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
    return parse<UploadRow>(this.#db.prepare("SELECT json FROM uploads WHERE id = ?").get(id));
  }

  uploads(bucket: string): UploadRow[] {
    const rows = this.#db.prepare("SELECT json FROM uploads WHERE bucket = ? ORDER BY id").all(bucket);
    return rows.map((row) => JSON.parse((row as Json).json));
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
    const rows = this.#db.prepare("SELECT json FROM parts WHERE upload = ? ORDER BY number").all(uploadId);
    return rows.map((row) => JSON.parse((row as Json).json));
  }

  /** The files of every segment that something names. */
  segmentFiles(): Set<string> {
    const objects = this.#db
      .prepare("SELECT json FROM objects")
      .all()
      .map((row) => JSON.parse((row as Json).json) as ObjectRow);
    const parts = this.#db
      .prepare("SELECT json FROM parts")
      .all()
      .map((row) => JSON.parse((row as Json).json) as PartRow);
    return new Set(
      [...objects.flatMap(({ segments }) => segments), ...parts.map(({ segment }) => segment)].map(
        ({ file }) => file,
      ),
    );
  }

  #dropUpload(id: string): void {
    this.#run("DELETE FROM uploads WHERE id = ?", id);
    this.#run("DELETE FROM parts WHERE upload = ?", id);
  }

  #run(sql: string, ...values: (string | number | null)[]): void {
    this.#db.prepare(sql).run(...values);
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

function parse<T>(row: unknown): T | undefined {
  return row === undefined ? undefined : (JSON.parse((row as Json).json) as T);
}
