/** Bytes of one object, as it was when it was asked for first. */
import type { IncomingMessage } from "node:http";
import type { Api } from "../api.ts";
import { Transient, withRetries } from "../retry.ts";
import type { ObjectName } from "./location.ts";
import { type Presigned, presign, Renewed } from "./presigned.ts";
import { StoreError, sendToStore } from "./store.ts";
import { explain, headObject, type StoredObject, storedBy, type Which } from "./stored.ts";

/** An answer that has begun, and holds these bytes. */
interface Begun {
  readonly answer: IncomingMessage;
  readonly to: number;
}

export class StoredBytes {
  readonly stored: StoredObject;
  readonly #request: Renewed<Presigned>;
  #begun: Begun | undefined;

  private constructor(
    api: Api,
    object: ObjectName,
    stored: StoredObject,
    { versionId }: Which,
    begun?: Begun & { request: Presigned },
  ) {
    const request = { operation: "GetObject", ...object, keyId: stored.keyId, versionId };
    this.stored = stored;
    this.#request = new Renewed(() => presign(api, request), begun?.request);
    this.#begun = begun;
  }

  /** Of an object that HEAD has told of. */
  static of(api: Api, object: ObjectName, stored: StoredObject, which: Which = {}): StoredBytes {
    return new StoredBytes(api, object, stored, which);
  }

  /**
   * Asks for the first bytes, at most so many: the answer tells of the object all that HEAD would.
   *
   * @param request a presigned GetObject of it
   * @throws {ApiError} not-found, key-unknown, forbidden, …
   */
  static async begin(
    api: Api,
    object: ObjectName,
    which: Which,
    request: Presigned,
    most = Number.POSITIVE_INFINITY,
  ): Promise<StoredBytes> {
    const { keyId, method, url } = request;
    const headers = { ...request.headers, ...(most < Number.POSITIVE_INFINITY && rangeOf(0, most)) };
    let answer: IncomingMessage;
    try {
      answer = await withRetries(() => sendToStore({ method, url, headers }));
    } catch (error) {
      // An object of no bytes has no range of them.
      if (error instanceof StoreError && error.status === 416)
        return StoredBytes.of(api, object, await headObject(api, object, which), which);
      return explain(error, api, { ...object, ...which });
    }
    const [, total] = /^bytes 0-\d+\/(\d+)$/.exec(answer.headers["content-range"] ?? "") ?? [];
    const isWhole = answer.statusCode !== 206;
    if (!isWhole && total === undefined) {
      answer.destroy();
      throw new Error("the store does not say which bytes of the object it gives");
    }
    const stored = { keyId, ...storedBy({ ...answer.headers, ...(total && { "content-length": total }) }) };
    const to = isWhole ? stored.size : Math.min(most, stored.size);
    return new StoredBytes(api, object, stored, which, { request, answer, to });
  }

  /** Up to where the answer goes that has begun already; 0 for none. */
  get begun(): number {
    return this.#begun?.to ?? 0;
  }

  /** The bytes from `from` up to `to`. */
  async open(from: number, to: number): Promise<AsyncIterable<Buffer>> {
    if (from === to) return (async function* () {})();
    const begun = this.#begun;
    if (from === 0 && begun?.to === to) {
      this.#begun = undefined;
      return whole(begun.answer, to);
    }
    const { method, url, headers } = await this.#request.get();
    const { etag } = this.stored;
    // They need no signature, and say that nothing but these bytes of this very object will do.
    const stretch = { ...rangeOf(from, to), ...(etag && { "if-match": etag }) };
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

  /** Gives up what has begun and was not read. */
  close(): void {
    this.#begun?.answer.destroy();
    this.#begun = undefined;
  }
}

function rangeOf(from: number, to: number): { range: string } {
  return { range: `bytes=${from}-${to - 1}` };
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
