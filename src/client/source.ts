/** What is uploaded: bytes that can be read again, or a stream, which can be read once. */
import { SsecError } from "./error.ts";
import { type Body, isStream, sizeOf } from "./send.ts";

export type Source = Blob | ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | string;

/** The source with its bytes at hand, or as they come. */
export type Readable =
  | { readonly body: Body; readonly size: number }
  | { readonly cutter: Cutter; readonly size?: undefined };

export function readable(source: Source): Readable {
  if (isStream(source)) return { cutter: new Cutter(source) };
  const body = bytesOf(source);
  return { body, size: sizeOf(body) };
}

export function bytesOf(source: Exclude<Source, ReadableStream>): Body {
  return typeof source === "string" ? new TextEncoder().encode(source) : source;
}

export function slice(body: Body, from: number, to: number): Body {
  return body instanceof Uint8Array ? body.subarray(from, to) : body.slice(from, to);
}

/** Cuts a stream into pieces. */
export class Cutter {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #rest: Uint8Array[] = [];
  #size = 0;
  #isOver = false;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /** Reads until `size` bytes are there, or there are no more; how many there are. */
  async peek(size: number): Promise<number> {
    while (this.#size < size && !this.#isOver) {
      const { done, value } = await this.#reader.read();
      this.#isOver = done;
      if (!value) continue;
      this.#rest.push(value);
      this.#size += value.byteLength;
    }
    return this.#size;
  }

  /** The next `size` bytes, or as many as there still are. They stay in memory until they are sent. */
  async next(size: number): Promise<Uint8Array<ArrayBuffer>> {
    await this.peek(size);
    const piece = new Uint8Array(Math.min(size, this.#size));
    let at = 0;
    while (at < piece.length) {
      const [chunk = piece] = this.#rest;
      const taken = chunk.subarray(0, piece.length - at);
      piece.set(taken, at);
      at += taken.length;
      if (taken.length < chunk.length) this.#rest[0] = chunk.subarray(taken.length);
      else this.#rest.shift();
    }
    this.#size -= piece.length;
    return piece;
  }

  cancel(reason: unknown): void {
    this.#reader.cancel(reason).catch(() => {});
  }
}

/**
 * By which a source is known again after a reload: a file by its name, size and time, as the browser's own dialogs do; bytes by
 * their hash.
 *
 * @throws {SsecError} invalid-request for what cannot be known again
 */
export async function fingerprint(source: Source): Promise<string> {
  const { name, lastModified, size } = source as File;
  if (lastModified !== undefined) return JSON.stringify([name, size, lastModified]);
  const body = isStream(source) ? undefined : bytesOf(source);
  if (!(body instanceof Uint8Array))
    throw new SsecError("invalid-request", "resume takes a File, bytes or text");
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", body)));
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
