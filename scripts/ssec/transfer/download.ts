/** From the store to this machine, through presigned URLs. */
import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Writable } from "node:stream";
import type { Api } from "../api.ts";
import { inParallel, Transient, withRetries } from "../retry.ts";
import { hashFile } from "./hash.ts";
import type { ObjectName } from "./location.ts";
import { Memory } from "./memory.ts";
import { type Presigned, presign, Renewed } from "./presigned.ts";
import { Progress } from "./progress.ts";
import { StoreError, sendToStore } from "./store.ts";
import { headObject, type StoredObject, type Which } from "./stored.ts";

/** What one GET asks for, bytes. */
const PART_SIZE = 16 * 2 ** 20;

interface Options {
  readonly which: Which;
  /** Parts under way at once. */
  readonly parallel: number;
  readonly resume: boolean;
  readonly progress: (size: number) => Progress;
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
    const stretch = { range: `bytes=${from}-${to - 1}`, "if-match": this.#etag };
    try {
      return whole(await sendToStore({ method, url, headers: { ...headers, ...stretch } }), to - from);
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
      yield chunk;
    }
  } catch (error) {
    throw new Transient(
      `the store broke off (${(error as NodeJS.ErrnoException).code ?? "no reason given"})`,
    );
  }
  if (left !== 0) throw new Transient("the store broke off");
}

/** Of a download that was cut off. */
interface Begun {
  readonly etag: string;
  /** Numbers of the parts that are in the file, from 0. */
  readonly parts: readonly number[];
}

/** Downloads into a file, which appears under its name only when it is whole. */
export async function downloadFile(
  api: Api,
  object: ObjectName,
  path: string,
  { which, parallel, resume, progress: progressFor }: Options,
): Promise<Downloaded> {
  const stored = await headObject(api, object, which);
  const { size, etag } = stored;
  const partial = join(dirname(path), `.${basename(path)}.ssec-part`);
  const memory = new Memory<Begun>(
    "get",
    api.url,
    object.bucket,
    object.key,
    which.versionId ?? "",
    resolve(path),
  );
  const earlier = memory.recall();
  const isSame = resume && earlier?.etag === etag && (await exists(partial));
  const done = new Set(isSame ? earlier.parts : []);
  const file = await open(partial, isSame ? "r+" : "w", 0o666);
  const progress = progressFor(size);
  try {
    const numbers = Array.from({ length: Math.ceil(size / PART_SIZE) }, (_, i) => i);
    const ends = (number: number) => [number * PART_SIZE, Math.min((number + 1) * PART_SIZE, size)] as const;
    for (const number of done) progress.skip(ends(number)[1] - ends(number)[0]);
    const bytes = new StoredBytes(api, object, stored, which);
    await inParallel(
      numbers.filter((number) => !done.has(number)),
      parallel,
      async (number) => {
        await writePart(bytes, ends(number), file, progress);
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
  await hashFile(partial, hash, new Progress("checking", size));
  const downloaded = check(stored, hash, () => rm(partial));
  memory.forget();
  const checked = await downloaded;
  await rename(partial, path);
  return checked;
}

async function writePart(
  bytes: StoredBytes,
  [from, to]: readonly [number, number],
  file: FileHandle,
  progress: Progress,
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
  to: Writable,
  { which, progress: progressFor }: Omit<Options, "parallel" | "resume">,
): Promise<Downloaded> {
  const stored = await headObject(api, object, which);
  const bytes = new StoredBytes(api, object, stored, which);
  const progress = progressFor(stored.size);
  const hash = createHash("sha256");
  let at = 0;
  try {
    await withRetries(async () => {
      for await (const chunk of await bytes.open(at, stored.size)) {
        if (!to.write(chunk)) await once(to, "drain");
        hash.update(chunk);
        at += chunk.length;
        progress.add(chunk.length);
      }
    });
  } finally {
    progress.end();
  }
  return check(stored, hash);
}

/** @throws when the bytes are not those that were uploaded, by the SHA-256 in the object's metadata */
async function check(stored: StoredObject, hash: Hash, discard?: () => Promise<void>): Promise<Downloaded> {
  const sha256 = hash.digest("hex");
  const { sha256: expected } = stored.metadata;
  if (expected !== undefined && expected !== sha256) {
    await discard?.();
    throw new Error(
      "what came is not what was uploaded: its SHA-256 is another than the one in the object's metadata",
    );
  }
  return { ...stored, sha256, isChecked: expected !== undefined };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
