/** From the store to this machine, through presigned URLs. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { resolve } from "node:path";
import type { Writable } from "node:stream";
import type { Api } from "../api.ts";
import { inParallel, type Slots } from "../parallel.ts";
import { withRetries } from "../retry.ts";
import { InOrderHash } from "./in-order-hash.ts";
import type { ObjectName } from "./location.ts";
import { Memory } from "./memory.ts";
import { PartialFile, writeWhole } from "./partial-file.ts";
import { type Presigned, presign, Renewed } from "./presigned.ts";
import type { Moved } from "./progress.ts";
import type { FileSink, StreamSink } from "./sink.ts";
import { headObject, type StoredObject, type Which } from "./stored.ts";
import { StoredBytes } from "./stored-bytes.ts";

/** What one GET asks for, bytes. */
const PART_SIZE = 16 * 2 ** 20;
/** What is written to a file at once, bytes. */
const WRITE_SIZE = 2 ** 20;

interface Options {
  readonly which: Which;
  /** For parts under way at once. */
  readonly slots: Slots;
  readonly resume: boolean;
  /** Whether a file that is there may be replaced. */
  readonly force: boolean;
  readonly progress: (size: number) => Moved;
}

export interface Downloaded extends StoredObject {
  readonly sha256: string;
  /** Whether the uploader had written down what the SHA-256 should be. */
  readonly isChecked: boolean;
}

/** Of a download that was cut off. */
interface Begun {
  readonly etag: string;
  /** Numbers of the parts that are in the file, from 0. */
  readonly parts: readonly number[];
}

/**
 * Downloads into a file, which appears under its name only when it is whole.
 *
 * @throws {ExistsError} when a file of that name has come about meanwhile, unless `force`
 */
export async function downloadFile(
  api: Api,
  object: ObjectName,
  sink: FileSink,
  options: Options,
): Promise<Downloaded> {
  const { bucket, key } = object;
  const { which, slots, resume, force, progress } = options;
  const memory = new Memory<Begun>("get", api.url, bucket, key, which.versionId ?? "", resolve(sink.path));
  return memory.alone(async () => {
    const left = resume ? await Download.goOn(api, object, sink, options, memory) : undefined;
    if (left !== undefined) return left.finish(slots, force);
    const request = requestOf(api, object, which);
    // Before it is its turn: others are asked for along with it.
    await request.get();
    const release = await slots.take();
    let bytes: StoredBytes | undefined;
    try {
      bytes = await StoredBytes.begin(api, object, which, await request.get(), PART_SIZE);
      const { size } = bytes.stored;
      if (size <= WRITE_SIZE) return await downloadShort(bytes, sink, memory, force, progress(size));
      const partial = await PartialFile.openNew(sink, memory.id);
      return await new Download(bytes, partial, memory, progress(size)).finish(slots, force, release);
    } finally {
      bytes?.close();
      release();
    }
  });
}

/** All at once: to make a file step by step, and wait for each, takes longer than to fetch what is short. */
async function downloadShort(
  bytes: StoredBytes,
  sink: FileSink,
  memory: Memory<Begun>,
  force: boolean,
  progress: Moved,
): Promise<Downloaded> {
  const { stored } = bytes;
  try {
    const whole = await withRetries(async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of await bytes.open(0, stored.size)) chunks.push(chunk);
      return Buffer.concat(chunks);
    });
    progress.add(whole.length);
    memory.forget();
    const downloaded = checked(stored, createHash("sha256").update(whole).digest("hex"));
    writeWhole(sink, memory.id, whole, force);
    return downloaded;
  } finally {
    progress.end();
  }
}

class Download {
  readonly #bytes: StoredBytes;
  readonly #partial: PartialFile;
  readonly #memory: Memory<Begun>;
  readonly #progress: Moved;
  readonly #hash: InOrderHash;
  /** Numbers of the parts that are in the file. */
  readonly #done: Set<number>;

  constructor(
    bytes: StoredBytes,
    partial: PartialFile,
    memory: Memory<Begun>,
    progress: Moved,
    done: readonly number[] = [],
  ) {
    this.#bytes = bytes;
    this.#partial = partial;
    this.#memory = memory;
    this.#progress = progress;
    this.#hash = new InOrderHash(partial.file);
    this.#done = new Set(done);
  }

  /** With what was left of an earlier one; undefined where nothing was. */
  static async goOn(
    api: Api,
    object: ObjectName,
    sink: FileSink,
    { which, progress }: Options,
    memory: Memory<Begun>,
  ): Promise<Download | undefined> {
    const earlier = memory.recall();
    if (earlier === undefined) return undefined;
    const stored = await headObject(api, object, which);
    const left = earlier.etag === stored.etag ? await PartialFile.openAgain(sink, memory.id) : undefined;
    if (left === undefined) return undefined;
    const moved = progress(stored.size);
    for (const number of earlier.parts) moved.skip(lengthOf(stored.size, number));
    return new Download(StoredBytes.of(api, object, stored, which), left, memory, moved, earlier.parts);
  }

  /**
   * Fetches what is not there yet, and gives the file its name.
   *
   * @param release gives back the slot of the answer that has begun
   */
  async finish(slots: Slots, force: boolean, release: () => void = () => {}): Promise<Downloaded> {
    try {
      await this.#fetchAll(slots, release);
      return await this.#become(force);
    } finally {
      this.#progress.end();
      await this.#partial.close();
    }
  }

  get #size(): number {
    return this.#bytes.stored.size;
  }

  /** The parts that are not there yet, side by side: those of the answer that has begun in the slot that it has. */
  async #fetchAll(slots: Slots, release: () => void): Promise<void> {
    const missing = numbersOf(this.#size).filter((number) => !this.#done.has(number));
    const begun = missing.splice(0, countOf(this.#bytes.begun));
    // Where none has, the slot is wanted by others.
    if (begun.length === 0) release();
    const all = [...(begun.length > 0 ? [begun] : []), ...missing.map((number) => [number])];
    await inParallel(all, slots.limit, async (numbers) => {
      const fetching = () => this.#fetch(numbers);
      await (numbers === begun ? fetching().finally(release) : slots.run(fetching));
      await this.#note(numbers);
    });
  }

  async #note(numbers: readonly number[]): Promise<void> {
    for (const number of numbers) this.#done.add(number);
    if (this.#done.size < countOf(this.#size)) {
      this.#memory.keep({ etag: this.#bytes.stored.etag, parts: [...this.#done] });
      this.#partial.keep();
    }
    let next = 0;
    while (this.#done.has(next)) next++;
    await this.#hash.catchUp(Math.min(next * PART_SIZE, this.#size));
  }

  /** @param numbers of parts that follow one another */
  async #fetch(numbers: readonly number[]): Promise<void> {
    const [first = 0] = numbers;
    const from = first * PART_SIZE;
    const to = Math.min(from + numbers.length * PART_SIZE, this.#size);
    const { file } = this.#partial;
    await withRetries(async () => {
      let at = from;
      try {
        for await (const chunks of gathered(await this.#bytes.open(from, to))) {
          await file.writev(chunks, at);
          for (const chunk of chunks) {
            this.#hash.take(at, chunk);
            at += chunk.length;
            this.#progress.add(chunk.length);
          }
        }
      } catch (error) {
        this.#progress.add(from - at);
        throw error;
      }
    });
  }

  /** Gives the file its name. @throws when it is not what was uploaded */
  async #become(force: boolean): Promise<Downloaded> {
    const sha256 = await this.#hash.digest(this.#size);
    this.#memory.forget();
    // What is whole, and yet not to be had, is not worth going on with.
    this.#partial.giveUp();
    const downloaded = checked(this.#bytes.stored, sha256);
    this.#partial.become(force);
    return downloaded;
  }
}

function requestOf(api: Api, object: ObjectName, which: Which): Renewed<Presigned> {
  return new Renewed(() => presign(api, { operation: "GetObject", ...object, ...which }));
}

const countOf = (size: number) => Math.ceil(size / PART_SIZE);
const numbersOf = (size: number) => Array.from({ length: countOf(size) }, (_, number) => number);
const lengthOf = (size: number, number: number) => Math.min(PART_SIZE, size - number * PART_SIZE);

/** Several chunks at once: to write one costs more than to receive it. */
async function* gathered(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer[]> {
  let held: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    held.push(chunk);
    bytes += chunk.length;
    if (bytes < WRITE_SIZE) continue;
    yield held;
    held = [];
    bytes = 0;
  }
  if (bytes > 0) yield held;
}

/** Downloads into a stream, in order. */
export async function downloadStream(
  api: Api,
  object: ObjectName,
  sink: StreamSink,
  { which, progress: progressFor }: Pick<Options, "which" | "progress">,
): Promise<Downloaded> {
  const request = await requestOf(api, object, which).get();
  const bytes = await StoredBytes.begin(api, object, which, request);
  const { stored } = bytes;
  const progress = progressFor(stored.size);
  const hash = createHash("sha256");
  let at = 0;
  try {
    const { stream, end } = sink.open();
    await withRetries(async () => {
      for await (const chunk of await bytes.open(at, stored.size)) {
        await write(stream, chunk);
        hash.update(chunk);
        at += chunk.length;
        progress.add(chunk.length);
      }
    });
    await end();
  } finally {
    progress.end();
    bytes.close();
  }
  return checked(stored, hash.digest("hex"));
}

async function write(stream: Writable, chunk: Buffer): Promise<void> {
  if (stream.errored ?? stream.destroyed) throw stream.errored ?? new Error("nobody reads any more");
  if (!stream.write(chunk)) await once(stream, "drain");
}

/** @throws when the bytes are not those that were uploaded, by the SHA-256 in the object's metadata */
function checked(stored: StoredObject, sha256: string): Downloaded {
  const { sha256: expected } = stored.metadata;
  if (expected !== undefined && expected !== sha256) {
    throw new Error(
      "what came is not what was uploaded: its SHA-256 is another than the one in the object's metadata",
    );
  }
  return { ...stored, sha256, isChecked: expected !== undefined };
}
