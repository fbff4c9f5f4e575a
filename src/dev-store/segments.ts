/**
 * The bytes: a file per PUT or part, encrypted in counter mode, so that a range can be read from anywhere, with a key of
 * its own that is encrypted with the customer's. A segment is whole and on the disk before any row names it.
 */
import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from "node:crypto";
import { closeSync, createReadStream, createWriteStream, linkSync, openSync, readSync } from "node:fs";
import { readdir, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { SseKey } from "./ssec.ts";

export interface Segment {
  readonly file: string;
  readonly size: number;
  /** Base64; empty where the bytes lie in the clear. */
  readonly iv: string;
  /** What the bytes are encrypted with, itself encrypted, as base64; older segments are encrypted with the customer's key. */
  readonly key?: string;
  /** Where it begins in its file, where that is not at the beginning. */
  readonly start?: number;
}

const BLOCK = 16;
const KEY_BYTES = 32;
/** Of RFC 3394, which says of a key that it was opened with the right one. */
const WRAP = "id-aes256-wrap";
const WRAP_IV = Buffer.alloc(8, 0xa6);
/** What is read and written at once, and not as a stream, bytes: streams cost more than so few bytes. */
const SMALL = 2 ** 18;

export class Segments {
  readonly #dir: string;
  readonly #flushes: boolean;
  /** How many are reading a file. */
  readonly #readers = new Map<string, number>();
  /** Files to be removed when nobody reads them any more. */
  readonly #doomed = new Set<string>();

  /** @param flushes whether a segment is written only when the disk has it */
  constructor(dir: string, flushes: boolean) {
    this.#dir = dir;
    this.#flushes = flushes;
  }

  /** Writes a body to a new segment; on any error nothing of it stays. */
  async write(body: AsyncIterable<Uint8Array>, key: SseKey | undefined): Promise<Segment> {
    const file = randomUUID();
    const iv = randomBytes(BLOCK);
    const own = randomBytes(KEY_BYTES);
    const cipher = key && createCipheriv("aes-256-ctr", own, iv);
    const locked = key === undefined ? { iv: "" } : { iv: iv.toString("base64"), key: wrap(own, key) };
    const path = join(this.#dir, file);
    let size = 0;
    try {
      const { held, rest } = await begun(body);
      if (rest === undefined) {
        const bytes = Buffer.concat(held);
        size = bytes.length;
        await writeFile(path, cipher?.update(bytes) ?? bytes, { flag: "wx", flush: this.#flushes });
      } else {
        const count = new Transform({
          transform(chunk: Uint8Array, _, done) {
            size += chunk.length;
            done(null, chunk);
          },
        });
        const out = createWriteStream(path, { flags: "wx", flush: this.#flushes });
        const all = Readable.from(inTurn(held, rest));
        if (cipher === undefined) await pipeline(all, count, out);
        else await pipeline(all, count, cipher, out);
      }
    } catch (error) {
      await this.remove([{ file, size, iv: "" }]);
      throw error;
    }
    return { file, size, ...locked };
  }

  /**
   * The same bytes under another key: what they are encrypted with is encrypted anew, and no byte is read. It is done when
   * this returns, so that whoever has just seen a row finds its files.
   *
   * @returns undefined where that cannot be: of older segments, and where the file system has no links
   */
  relock(segments: readonly Segment[], from: SseKey, to: SseKey): Segment[] | undefined {
    if (segments.some(({ key }) => key === undefined)) return undefined;
    const made: Segment[] = [];
    for (const segment of segments) {
      const file = randomUUID();
      try {
        linkSync(join(this.#dir, segment.file), join(this.#dir, file));
      } catch {
        void this.remove(made);
        return undefined;
      }
      made.push({ ...segment, file, key: wrap(contentKey(segment, from), to) });
    }
    return made;
  }

  /** The bytes from `first` to `last`, both included, of segments laid end to end. They stay until these are read. */
  read(
    segments: readonly Segment[],
    first: number,
    last: number,
    key: SseKey | undefined,
  ): AsyncGenerator<Buffer> {
    for (const { file } of segments) this.#readers.set(file, (this.#readers.get(file) ?? 0) + 1);
    return this.#readAll(segments, first, last, key);
  }

  async *#readAll(
    segments: readonly Segment[],
    first: number,
    last: number,
    key: SseKey | undefined,
  ): AsyncGenerator<Buffer> {
    try {
      let start = 0;
      for (const segment of segments) {
        const from = Math.max(first - start, 0);
        const to = Math.min(last - start, segment.size - 1);
        if (from <= to) yield* this.#readOne(segment, from, to, key);
        start += segment.size;
      }
    } finally {
      await this.#release(segments);
    }
  }

  async #release(segments: readonly Segment[]): Promise<void> {
    for (const { file } of segments) {
      const left = (this.#readers.get(file) ?? 1) - 1;
      if (left > 0) this.#readers.set(file, left);
      else this.#readers.delete(file);
      if (left === 0 && this.#doomed.delete(file)) await this.#unlink(file);
    }
  }

  async *#readOne(
    segment: Segment,
    from: number,
    to: number,
    key: SseKey | undefined,
  ): AsyncGenerator<Buffer> {
    const { file, iv, start = 0 } = segment;
    const path = join(this.#dir, file);
    const [first, last] = [start + from, start + to];
    if (iv === "" || key === undefined) {
      yield* bytesOf(path, first, last);
      return;
    }
    const aligned = first - (first % BLOCK);
    const counter = counterAt(Buffer.from(iv, "base64"), aligned / BLOCK);
    const decipher = createDecipheriv("aes-256-ctr", contentKey(segment, key), counter);
    let skip = first - aligned;
    for await (const chunk of bytesOf(path, aligned, last)) {
      const plain = decipher.update(chunk);
      yield plain.subarray(skip);
      skip = 0;
    }
  }

  /** Removes what nothing names any more; whoever is reading it reads on to its end. */
  async remove(segments: readonly Segment[]): Promise<void> {
    const files = segments.map(({ file }) => file);
    for (const file of files.filter((file) => this.#readers.has(file))) this.#doomed.add(file);
    const unread = files.filter((file) => !this.#readers.has(file));
    await Promise.all(unread.map((file) => this.#unlink(file)));
  }

  /** Removes what no row names: left over from a kill between the file and its row. */
  async sweep(named: ReadonlySet<string>): Promise<void> {
    const files = await readdir(this.#dir);
    await Promise.all(files.filter((file) => !named.has(file)).map((file) => this.#unlink(file)));
  }

  /** As `rm`, which looks at the file before, and waits for the disk while it does. */
  async #unlink(file: string): Promise<void> {
    try {
      await unlink(join(this.#dir, file));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
}

/** The bytes from `first` to `last`, both included, where they lie in one segment. */
export function pieceOf(segments: readonly Segment[], first: number, last: number): Segment | undefined {
  let before = 0;
  for (const segment of segments) {
    const { size, start = 0 } = segment;
    if (first >= before && last < before + size)
      return { ...segment, start: start + first - before, size: last - first + 1 };
    before += size;
  }
  return undefined;
}

/** The beginning of a body: all of it where `rest` is undefined. */
async function begun(
  body: AsyncIterable<Uint8Array>,
): Promise<{ held: Uint8Array[]; rest: AsyncIterator<Uint8Array> | undefined }> {
  const rest = body[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  for (let size = 0; size <= SMALL; ) {
    const { done, value } = await rest.next();
    if (done === true) return { held, rest: undefined };
    held.push(value);
    size += value.length;
  }
  return { held, rest };
}

async function* inTurn(
  held: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* held;
  yield* { [Symbol.asyncIterator]: () => rest };
}

/** From the one byte of a file to the other, both included. */
async function* bytesOf(path: string, first: number, last: number): AsyncGenerator<Buffer> {
  const length = last - first + 1;
  if (length > SMALL) {
    yield* createReadStream(path, { start: first, end: last });
    return;
  }
  const bytes = Buffer.allocUnsafe(length);
  const file = openSync(path, "r");
  try {
    yield bytes.subarray(0, readSync(file, bytes, 0, length, first));
  } finally {
    closeSync(file);
  }
}

function wrap(own: Buffer, { raw }: SseKey): string {
  const cipher = createCipheriv(WRAP, raw, WRAP_IV);
  return Buffer.concat([cipher.update(own), cipher.final()]).toString("base64");
}

/** What a segment's bytes are encrypted with. @throws where the key is not that of the segment */
function contentKey({ key }: Segment, { raw }: SseKey): Buffer {
  if (key === undefined) return raw;
  const decipher = createDecipheriv(WRAP, raw, WRAP_IV);
  return Buffer.concat([decipher.update(Buffer.from(key, "base64")), decipher.final()]);
}

/** The initial counter plus a number of blocks, as a 128-bit big-endian number. */
function counterAt(iv: Buffer, blocks: number): Buffer {
  const sum = BigInt.asUintN(128, BigInt(`0x${iv.toString("hex")}`) + BigInt(blocks));
  return Buffer.from(sum.toString(16).padStart(32, "0"), "hex");
}
