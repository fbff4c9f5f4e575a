/** Where an upload's bytes come from. */
import { createHash } from "node:crypto";
import { createReadStream, type Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { hashFile } from "./hash.ts";
import type { Progress } from "./progress.ts";

/** What is uploaded. Each stretch of it may be read more than once. */
export interface Source {
  /** Bytes. */
  readonly size: number;
  /** The bytes from `from` up to `to`, and their MD5 as base64 where it can be had, for the store to check. */
  open(from: number, to: number): Promise<{ body: Readable; md5?: string }>;
}

/** A file, read whole once. */
export class FileSource implements Source {
  readonly path: string;
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly #modified: number;

  private constructor(path: string, { size, mtimeMs }: Stats, sha256: string) {
    this.path = path;
    this.size = size;
    this.sha256 = sha256;
    this.#modified = mtimeMs;
  }

  static async read(path: string, progress: Progress): Promise<FileSource> {
    const stats = await stat(path);
    const hash = createHash("sha256");
    await hashFile(path, hash, progress);
    return new FileSource(path, stats, hash.digest("hex"));
  }

  async open(from: number, to: number): Promise<{ body: Readable; md5: string }> {
    const stretch = () =>
      from === to ? Readable.from([]) : createReadStream(this.path, { start: from, end: to - 1 });
    const hash = createHash("md5");
    for await (const chunk of stretch()) hash.update(chunk);
    return { body: stretch(), md5: hash.digest("base64") };
  }

  /** @throws when the file is not what it was any more */
  async confirmUnchanged(): Promise<void> {
    const { size, mtimeMs } = await stat(this.path);
    if (size !== this.size || mtimeMs !== this.#modified)
      throw new Error(`${this.path} changed while it was uploaded: put it again`);
  }
}
