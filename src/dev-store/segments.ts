/**
 * The bytes: a file per PUT or part, encrypted with the customer's key in counter mode, so that a range can be read
 * from anywhere. A segment is whole and on the disk before any row names it.
 */
import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { SseKey } from "./ssec.ts";

export interface Segment {
  readonly file: string;
  readonly size: number;
  /** Base64; empty where the bytes lie in the clear. */
  readonly iv: string;
}

const BLOCK = 16;

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
    let size = 0;
    const count = new Transform({
      transform(chunk: Uint8Array, _, done) {
        size += chunk.length;
        done(null, chunk);
      },
    });
    const out = createWriteStream(join(this.#dir, file), { flags: "wx", flush: this.#flushes });
    try {
      if (key === undefined) await pipeline(Readable.from(body), count, out);
      else await pipeline(Readable.from(body), count, createCipheriv("aes-256-ctr", key.raw, iv), out);
    } catch (error) {
      await this.remove([{ file, size, iv: "" }]);
      throw error;
    }
    return { file, size, iv: key === undefined ? "" : iv.toString("base64") };
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
      if (left === 0 && this.#doomed.delete(file)) await rm(join(this.#dir, file), { force: true });
    }
  }

  async *#readOne(
    { file, iv }: Segment,
    from: number,
    to: number,
    key: SseKey | undefined,
  ): AsyncGenerator<Buffer> {
    const path = join(this.#dir, file);
    if (iv === "" || key === undefined) {
      yield* createReadStream(path, { start: from, end: to });
      return;
    }
    const aligned = from - (from % BLOCK);
    const decipher = createDecipheriv(
      "aes-256-ctr",
      key.raw,
      counterAt(Buffer.from(iv, "base64"), aligned / BLOCK),
    );
    let skip = from - aligned;
    for await (const chunk of createReadStream(path, { start: aligned, end: to })) {
      const plain = decipher.update(chunk as Buffer);
      yield plain.subarray(skip);
      skip = 0;
    }
  }

  /** Removes what nothing names any more; whoever is reading it reads on to its end. */
  async remove(segments: readonly Segment[]): Promise<void> {
    const files = segments.map(({ file }) => file);
    for (const file of files.filter((file) => this.#readers.has(file))) this.#doomed.add(file);
    const unread = files.filter((file) => !this.#readers.has(file));
    await Promise.all(unread.map((file) => rm(join(this.#dir, file), { force: true })));
  }

  /** Removes what no row names: left over from a kill between the file and its row. */
  async sweep(named: ReadonlySet<string>): Promise<void> {
    const files = await readdir(this.#dir);
    await Promise.all(
      files.filter((file) => !named.has(file)).map((file) => rm(join(this.#dir, file), { force: true })),
    );
  }
}

/** The initial counter plus a number of blocks, as a 128-bit big-endian number. */
function counterAt(iv: Buffer, blocks: number): Buffer {
  const sum = BigInt.asUintN(128, BigInt(`0x${iv.toString("hex")}`) + BigInt(blocks));
  return Buffer.from(sum.toString(16).padStart(32, "0"), "hex");
}
