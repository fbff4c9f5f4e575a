/** Where an upload's bytes come from. */
import { createHash } from "node:crypto";
import { type BigIntStats, createReadStream } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { printable } from "../terminal.ts";
import { descriptorOf } from "./descriptor.ts";
import type { Moved } from "./progress.ts";

/** What goes up as one PUT, bytes; more goes in parts. */
export const MAX_SINGLE = 8 * 2 ** 20;
/** Bytes read at once. */
const CHUNK = 2 ** 16;

/** What is uploaded. Each stretch of it may be read more than once. */
export interface Source {
  /** Bytes. */
  readonly size: number;
  /** The bytes from `from` up to `to`, and their MD5 as base64 where it can be had, for the store to check. */
  open(from: number, to: number): Promise<{ body: AsyncIterable<Buffer>; md5?: string }>;
  /** @throws {SourceError} when it is not what it was any more */
  confirmUnchanged?(): Promise<void>;
}

/** Of a file, read whole once. */
export interface FileSource extends Source {
  readonly path: string;
  /** Hexadecimal. */
  readonly sha256: string;
  confirmUnchanged(): Promise<void>;
}

/** What can be read only once, and has no length before its end. */
export interface StreamSource {
  readonly stream: AsyncIterable<Buffer>;
}

/** The fault lies with what is uploaded: nothing gets better by trying again. */
export class SourceError extends Error {
  override name = "SourceError";
}

/**
 * A file, or whatever else has that path. Only a regular file that gives as many bytes as it says is taken by its length:
 * pipes and devices have none, and files of /proc say 0.
 *
 * @throws {SourceError} for a folder, a socket, what cannot be read, and a file that changes meanwhile
 */
export async function openSource(
  path: string,
  progress: (size: number) => Moved,
): Promise<FileSource | StreamSource> {
  const descriptor = descriptorOf(path);
  if (descriptor !== undefined) return { stream: chunksOf(inputOf(descriptor), path) };
  const stats = await statOf(path);
  if (stats.isDirectory()) throw new SourceError(`${printable(path)} is a folder: give -r`);
  if (stats.isSocket()) throw new SourceError(`${printable(path)} is a socket: it cannot be read as a file`);
  if (!stats.isFile()) return { stream: chunksOf(createReadStream(path), path) };
  const source =
    stats.size > MAX_SINGLE
      ? await LongFile.read(path, progress(Number(stats.size)))
      : await ShortFile.read(path);
  return source ?? { stream: chunksOf(createReadStream(path), path) };
}

/** A file that is held while it is sent. */
class ShortFile implements FileSource {
  readonly path: string;
  readonly sha256: string;
  readonly #bytes: Buffer;
  readonly #stats: BigIntStats;

  private constructor(path: string, stats: BigIntStats, bytes: Buffer) {
    this.path = path;
    this.#bytes = bytes;
    this.#stats = stats;
    this.sha256 = createHash("sha256").update(bytes).digest("hex");
  }

  get size(): number {
    return this.#bytes.length;
  }

  /** Undefined where the file's length is not the one that it says. */
  static async read(path: string): Promise<ShortFile | undefined> {
    const chunks: Buffer[] = [];
    const { stats, length } = await readOnce(path, MAX_SINGLE + 1, (chunk) =>
      chunks.push(Buffer.from(chunk)),
    );
    return length === Number(stats.size) ? new ShortFile(path, stats, Buffer.concat(chunks)) : undefined;
  }

  async open(from: number, to: number): Promise<{ body: AsyncIterable<Buffer>; md5: string }> {
    const bytes = this.#bytes.subarray(from, to);
    return { body: this.#send(bytes), md5: createHash("md5").update(bytes).digest("base64") };
  }

  /** The last byte goes only while the file is still what it was: without it the store keeps nothing. */
  async *#send(bytes: Buffer): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length - 1; at += CHUNK) {
      yield bytes.subarray(at, Math.min(at + CHUNK, bytes.length - 1));
    }
    await this.confirmUnchanged();
    if (bytes.length > 0) yield bytes.subarray(-1);
  }

  confirmUnchanged(): Promise<void> {
    return confirmSame(this.path, this.#stats);
  }
}

/** A file that is read a second time while it is sent. */
class LongFile implements FileSource {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  readonly #stats: BigIntStats;

  private constructor(path: string, stats: BigIntStats, sha256: string) {
    this.path = path;
    this.size = Number(stats.size);
    this.sha256 = sha256;
    this.#stats = stats;
  }

  /** Undefined where the file's length is not the one that it says. */
  static async read(path: string, progress: Moved): Promise<LongFile | undefined> {
    const hash = createHash("sha256");
    try {
      const { stats, length } = await readOnce(path, Number.POSITIVE_INFINITY, (chunk) => {
        hash.update(chunk);
        progress.add(chunk.length);
      });
      return length === Number(stats.size) ? new LongFile(path, stats, hash.digest("hex")) : undefined;
    } finally {
      progress.end();
    }
  }

  async open(from: number, to: number): Promise<{ body: AsyncIterable<Buffer>; md5: string }> {
    const stretch = () => chunksOf(createReadStream(this.path, { start: from, end: to - 1 }), this.path);
    const hash = createHash("md5");
    for await (const chunk of stretch()) hash.update(chunk);
    return { body: stretch(), md5: hash.digest("base64") };
  }

  confirmUnchanged(): Promise<void> {
    return confirmSame(this.path, this.#stats);
  }
}

/**
 * Reads a file from its beginning, up to `most` bytes.
 *
 * @throws {SourceError} when it changed meanwhile
 */
async function readOnce(
  path: string,
  most: number,
  take: (chunk: Buffer) => void,
): Promise<{ stats: BigIntStats; length: number }> {
  const file = await open(path).catch((error: unknown) => fail(path, error));
  try {
    const stats = await file.stat({ bigint: true });
    let length = 0;
    for await (const chunk of stretchOf(file, path)) {
      length += chunk.length;
      take(chunk);
      if (length >= most) break;
    }
    if (!isSame(stats, await file.stat({ bigint: true }))) throw changed(path);
    return { stats, length };
  } finally {
    await file.close();
  }
}

async function* stretchOf(file: FileHandle, path: string): AsyncGenerator<Buffer> {
  const buffer = Buffer.alloc(CHUNK);
  for (;;) {
    const { bytesRead } = await file
      .read(buffer, 0, CHUNK, null)
      .catch((error: unknown) => fail(path, error));
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Chunks of a stream, whose failure is this source's. */
async function* chunksOf(stream: Readable, path: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of stream) yield chunk;
  } catch (error) {
    fail(path, error);
  }
}

/** Standard input may be what no path can open again, as a socket. */
function inputOf(descriptor: number): Readable {
  return descriptor === 0 ? process.stdin : createReadStream("", { fd: descriptor });
}

async function statOf(path: string): Promise<BigIntStats> {
  return stat(path, { bigint: true }).catch((error: unknown) => fail(path, error));
}

async function confirmSame(path: string, stats: BigIntStats): Promise<void> {
  if (!isSame(stats, await statOf(path))) throw changed(path);
}

/** Whether nobody has written to the file, cut it, or put another in its place. */
function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return (["dev", "ino", "size", "mtimeNs", "ctimeNs"] as const).every((field) => a[field] === b[field]);
}

function changed(path: string): SourceError {
  return new SourceError(`${printable(path)} changed while it was uploaded: put it again`);
}

function fail(path: string, error: unknown): never {
  if (error instanceof SourceError) throw error;
  const { code, message } = error as NodeJS.ErrnoException;
  const why = code === "ENOENT" ? "there is no such file" : message;
  throw new SourceError(`${printable(path)}: ${why}`);
}
