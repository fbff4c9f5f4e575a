/** Where an upload's bytes come from. */
import { createHash } from "node:crypto";
import {
  type BigIntStats,
  closeSync,
  constants,
  createReadStream,
  fstatSync,
  openSync,
  readSync,
  statSync,
} from "node:fs";
import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { fileFault } from "../file-fault.ts";
import { printable } from "../terminal.ts";
import { descriptorOf } from "./descriptor.ts";
import type { Moved } from "./progress.ts";

/** What goes up as one PUT, bytes; more goes in parts. */
export const MAX_SINGLE = 8 * 2 ** 20;
/** Bytes read, and sent, at once: each chunk costs as much again as some tens of KiB. */
const CHUNK = 2 ** 20;
/** What one write hands to the network, so that no time passes in the middle of it, bytes. */
const MAX_WRITE = 2 ** 16;
/** The longest stretch of a file that is held while it is sent, bytes; a longer one is read twice. */
const MAX_HELD = 2 ** 24;

/** A stretch of what is uploaded. */
export interface Stretch {
  readonly body: AsyncIterable<Buffer>;
  /** Base64, where it can be had, for the store to check. */
  readonly md5?: string;
  /** To be called when all of it has arrived: only then its memory is free for another. */
  release?(): void;
}

/** What is uploaded. Each stretch of it may be read more than once. */
export interface Source {
  /** Bytes. */
  readonly size: number;
  /** The bytes from `from` up to `to`. */
  open(from: number, to: number): Promise<Stretch>;
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
  const stats = statOf(path);
  if (stats.isDirectory()) throw new SourceError(`${printable(path)} is a folder: give -r`);
  if (stats.isSocket()) throw new SourceError(`${printable(path)} is a socket: it cannot be read as a file`);
  if (!stats.isFile()) return { stream: chunksOf(createReadStream(path), path) };
  const source =
    stats.size > MAX_SINGLE
      ? await LongFile.read(path, progress(Number(stats.size)))
      : ShortFile.read(path, Number(stats.size));
  return source ?? { stream: chunksOf(createReadStream(path), path) };
}

/**
 * A file that is held while it is sent. It is read by this thread: to have another read it costs more than to read it,
 * and of many files that is most of the work.
 */
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
  static read(path: string, size: number): ShortFile | undefined {
    try {
      // A pipe that has taken its place by now is not waited for.
      const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
      try {
        const stats = fstatSync(file, { bigint: true });
        // One byte more than it says that it has, to see its end.
        const buffer = Buffer.allocUnsafe(size + 1);
        const length = fill((at) => readSync(file, buffer, at, buffer.length - at, null), buffer.length);
        if (Number(stats.size) !== size || !isSame(stats, fstatSync(file, { bigint: true })))
          throw changed(path);
        return length === size ? new ShortFile(path, stats, buffer.subarray(0, size)) : undefined;
      } finally {
        closeSync(file);
      }
    } catch (error) {
      return fail(path, error);
    }
  }

  async open(from: number, to: number): Promise<Stretch> {
    const bytes = this.#bytes.subarray(from, to);
    return { body: this.#send(bytes), md5: createHash("md5").update(bytes).digest("base64") };
  }

  /** The last of it goes only while the file is still what it was: without that the store keeps nothing. */
  async *#send(bytes: Buffer): AsyncGenerator<Buffer> {
    const last = bytes.length <= MAX_WRITE ? bytes.length : 1;
    yield* piecesOf(bytes.subarray(0, bytes.length - last));
    await this.confirmUnchanged();
    if (last > 0) yield bytes.subarray(bytes.length - last);
  }

  async confirmUnchanged(): Promise<void> {
    confirmSame(this.path, this.#stats);
  }
}

/** A file that is read a second time while it is sent. */
class LongFile implements FileSource {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  readonly #stats: BigIntStats;
  /** Memory for stretches that nothing holds: new memory for each would cost as much as to read it. */
  readonly #free: Buffer[] = [];

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
      const { stats, length } = await readOnce(path, Buffer.allocUnsafe(CHUNK), (chunk) => {
        hash.update(chunk);
        progress.add(chunk.length);
        return true;
      });
      return length === Number(stats.size) ? new LongFile(path, stats, hash.digest("hex")) : undefined;
    } finally {
      progress.end();
    }
  }

  async open(from: number, to: number): Promise<Stretch> {
    const hash = createHash("md5");
    if (to - from > MAX_HELD) {
      for await (const chunk of this.#read(from, to)) hash.update(chunk);
      return { body: this.#read(from, to), md5: hash.digest("base64") };
    }
    const length = to - from;
    const free = this.#free.findIndex((each) => each.length >= length);
    const memory = free < 0 ? Buffer.allocUnsafeSlow(length) : (this.#free.splice(free, 1)[0] as Buffer);
    const bytes = memory.subarray(0, length);
    await readAt(this.path, bytes, from);
    return {
      body: piecesOf(bytes),
      md5: hash.update(bytes).digest("base64"),
      release: () => this.#free.push(memory),
    };
  }

  #read(from: number, to: number): AsyncGenerator<Buffer> {
    const stretch = { start: from, end: to - 1, highWaterMark: CHUNK };
    return chunksOf(createReadStream(this.path, stretch), this.path);
  }

  async confirmUnchanged(): Promise<void> {
    confirmSame(this.path, this.#stats);
  }
}

/**
 * Reads a file from its beginning to its end, as much at once as fills the buffer.
 *
 * @throws {SourceError} when it changed meanwhile
 */
async function readOnce(
  path: string,
  buffer: Buffer,
  take: (chunk: Buffer) => void,
): Promise<{ stats: BigIntStats; length: number }> {
  const file = await open(path).catch((error: unknown) => fail(path, error));
  try {
    const stats = await file.stat({ bigint: true });
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
      take(buffer.subarray(0, bytesRead));
    }
    if (!isSame(stats, await file.stat({ bigint: true }))) throw changed(path);
    return { stats, length };
  } catch (error) {
    return fail(path, error);
  } finally {
    await file.close();
  }
}

/** Fills the buffer from a position on. @throws {SourceError} when the file ends before */
async function readAt(path: string, buffer: Buffer, from: number): Promise<void> {
  const file = await open(path).catch((error: unknown) => fail(path, error));
  try {
    let at = 0;
    while (at < buffer.length) {
      const { bytesRead } = await file.read(buffer, at, buffer.length - at, from + at);
      if (bytesRead === 0) throw changed(path);
      at += bytesRead;
    }
  } catch (error) {
    fail(path, error);
  } finally {
    await file.close();
  }
}

/** How much was read, when the buffer is full or the file at its end: some files give less at once. */
function fill(read: (at: number) => number, size: number): number {
  let at = 0;
  for (let bytesRead = -1; bytesRead !== 0 && at < size; at += bytesRead) bytesRead = read(at);
  return at;
}

async function* piecesOf(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
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

function statOf(path: string): BigIntStats {
  try {
    return statSync(path, { bigint: true });
  } catch (error) {
    return fail(path, error);
  }
}

/** @throws {SourceError} */
function confirmSame(path: string, stats: BigIntStats): void {
  if (!isSame(stats, statOf(path))) throw changed(path);
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
  throw new SourceError(
    code === "ENOENT"
      ? `${printable(path) || "a path that is empty"}: there is no such file`
      : (fileFault(error, path) ?? `${printable(path)}: ${message}`),
  );
}
