/** From the store to this machine, through presigned URLs. */
import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import { constants } from "node:fs";
import { chmod, type FileHandle, link, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Writable } from "node:stream";
import type { Api } from "../api.ts";
import { inParallel, type Slots } from "../parallel.ts";
import { Transient, withRetries } from "../retry.ts";
import { hashFile } from "./hash.ts";
import type { ObjectName } from "./location.ts";
import { Memory } from "./memory.ts";
import { type Presigned, presign, Renewed } from "./presigned.ts";
import type { Moved } from "./progress.ts";
import { absent, ExistsError, type FileSink, type StreamSink } from "./sink.ts";
import { StoreError, sendToStore } from "./store.ts";
import { headObject, type StoredObject, type Which } from "./stored.ts";

/** What one GET asks for, bytes. */
const PART_SIZE = 16 * 2 ** 20;
/** Characters of a file's name that the name of what is not whole yet begins with. */
const MAX_NAME = 50;

interface Options {
  readonly which: Which;
  /** For parts under way at once. */
  readonly slots: Slots;
  readonly resume: boolean;
  /** Whether a file that is there may be replaced. */
  readonly force: boolean;
  readonly progress: (size: number, what?: string) => Moved;
}

export interface Downloaded extends StoredObject {
  readonly sha256: string;
  /** Whether the uploader had written down what the SHA-256 should be. */
  readonly isChecked: boolean;
}

/** Bytes of one object, as it was when it was asked for first. */
export class StoredBytes {
  readonly #request: Renewed<Presigned>;
  readonly #etag: string;

  constructor(api: Api, object: ObjectName, { etag, keyId }: StoredObject, { versionId }: Which) {
    this.#request = new Renewed(() => presign(api, { operation: "GetObject", ...object, keyId, versionId }));
    this.#etag = etag;
  }

  /** The bytes from `from` up to `to`. */
  async open(from: number, to: number): Promise<AsyncIterable<Buffer>> {
    if (from === to) return (async function* () {})();
    const { method, url, headers } = await this.#request.get();
    // They need no signature, and say that nothing but these bytes of this very object will do.
    const stretch = { range: `bytes=${from}-${to - 1}`, ...(this.#etag && { "if-match": this.#etag }) };
    try {
      const answer = await sendToStore({ method, url, headers: { ...headers, ...stretch } });
      if (from > 0 && answer.statusCode !== 206) {
        answer.destroy();
        throw new Error("the store gives the whole object instead of a range of it");
      }
      return whole(answer, to - from);
    } catch (error) {
      if (error instanceof StoreError && error.status === 412)
        throw new Error("the object was replaced meanwhile: begin again");
      throw error;
    }
  }
}

/** What breaks off, or comes short, is worth another try. */
async function* whole(chunks: AsyncIterable<Buffer>, length: number): AsyncIterable<Buffer> {
  let left = length;
  try {
    for await (const chunk of chunks) {
      left -= chunk.length;
      if (left < 0) break;
      yield chunk;
    }
  } catch (error) {
    throw new Transient(
      `the store broke off (${(error as NodeJS.ErrnoException).code ?? "no reason given"})`,
    );
  }
  if (left > 0) throw new Transient("the store broke off");
  if (left < 0) throw new Error("the store sends more than it was asked for");
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
  const { versionId = "" } = options.which;
  const memory = new Memory<Begun>("get", api.url, bucket, key, versionId, resolve(sink.path));
  return memory.alone(() => downloadAlone(api, object, sink, options, memory));
}

async function downloadAlone(
  api: Api,
  object: ObjectName,
  { path, mode }: FileSink,
  { which, slots, resume, force, progress: progressFor }: Options,
  memory: Memory<Begun>,
): Promise<Downloaded> {
  const stored = await headObject(api, object, which);
  const { size, etag } = stored;
  const name = `.${basename(path).slice(0, MAX_NAME)}.${memory.id.slice(0, 8)}.ssec-part`;
  const partial = join(dirname(path), name);
  const earlier = resume ? memory.recall() : undefined;
  const opened = earlier?.etag === etag ? await openAgain(partial) : undefined;
  const done = new Set(opened === undefined ? [] : earlier?.parts);
  const file = opened ?? (await openNew(partial));
  const progress = progressFor(size);
  try {
    const numbers = Array.from({ length: Math.ceil(size / PART_SIZE) }, (_, i) => i);
    const ends = (number: number) => [number * PART_SIZE, Math.min((number + 1) * PART_SIZE, size)] as const;
    for (const number of done) progress.skip(ends(number)[1] - ends(number)[0]);
    const bytes = new StoredBytes(api, object, stored, which);
    await inParallel(
      numbers.filter((number) => !done.has(number)),
      slots.limit,
      async (number) => {
        await slots.run(() => writePart(bytes, ends(number), file, progress));
        done.add(number);
        memory.keep({ etag, parts: [...done] });
      },
    );
    await file.sync();
  } finally {
    progress.end();
    await file.close();
  }
  const hash = createHash("sha256");
  await hashFile(partial, hash, progressFor(size, "checking"));
  memory.forget();
  try {
    const downloaded = check(stored, hash);
    if (mode !== undefined) await chmod(partial, mode & 0o777);
    await (force ? rename(partial, path) : renameToNew(partial, path));
    return downloaded;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** What was left of it by a command that was cut off; undefined where nothing was. */
async function openAgain(path: string): Promise<FileHandle | undefined> {
  return open(path, constants.O_RDWR | constants.O_NOFOLLOW).catch(absent);
}

/** A file that nobody else has put there, nor a link to one. */
async function openNew(path: string): Promise<FileHandle> {
  await rm(path, { force: true });
  return open(path, "wx", 0o666);
}

/** Gives a file a name that nobody else has taken. @throws {ExistsError} */
async function renameToNew(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw new ExistsError(to);
    // A file system without links: there it can only be looked.
    if ((await stat(to).catch(absent)) !== undefined) throw new ExistsError(to);
    return rename(from, to);
  }
  await rm(from);
}

async function writePart(
  bytes: StoredBytes,
  [from, to]: readonly [number, number],
  file: FileHandle,
  progress: Moved,
): Promise<void> {
  await withRetries(async () => {
    let at = from;
    try {
      for await (const chunk of await bytes.open(from, to)) {
        await file.write(chunk, 0, chunk.length, at);
        at += chunk.length;
        progress.add(chunk.length);
      }
    } catch (error) {
      progress.add(from - at);
      throw error;
    }
  });
}

/** Downloads into a stream, in order. */
export async function downloadStream(
  api: Api,
  object: ObjectName,
  sink: StreamSink,
  { which, progress: progressFor }: Pick<Options, "which" | "progress">,
): Promise<Downloaded> {
  const stored = await headObject(api, object, which);
  const bytes = new StoredBytes(api, object, stored, which);
  const { stream, end } = sink.open();
  const progress = progressFor(stored.size);
  const hash = createHash("sha256");
  let at = 0;
  try {
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
  }
  return check(stored, hash);
}

async function write(stream: Writable, chunk: Buffer): Promise<void> {
  if (stream.errored ?? stream.destroyed) throw stream.errored ?? new Error("nobody reads any more");
  if (!stream.write(chunk)) await once(stream, "drain");
}

/** @throws when the bytes are not those that were uploaded, by the SHA-256 in the object's metadata */
function check(stored: StoredObject, hash: Hash): Downloaded {
  const sha256 = hash.digest("hex");
  const { sha256: expected } = stored.metadata;
  if (expected !== undefined && expected !== sha256) {
    throw new Error(
      "what came is not what was uploaded: its SHA-256 is another than the one in the object's metadata",
    );
  }
  return { ...stored, sha256, isChecked: expected !== undefined };
}
