/**
 * The aws-chunked framing of a body: chunks, their signatures, and what comes after them.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
import { createHash } from "node:crypto";
import { S3Error } from "./errors.ts";
import type { Signing } from "./sigv4.ts";

/** Of any chunk but the last, bytes. */
const MIN_CHUNK_BYTES = 8192;
const MAX_LINE_BYTES = 4096;
const EMPTY = createHash("sha256").digest("hex");

export const CHUNKED = {
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER": { signed: false, trailer: true },
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": { signed: true, trailer: false },
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": { signed: true, trailer: true },
} as const;

export type Framing = (typeof CHUNKED)[keyof typeof CHUNKED];

/**
 * Takes the framing off. A chunk's signature is checked when its last byte has passed, so what is made of the bytes
 * must not count before the end.
 *
 * @param trailers filled with what comes after the last chunk, by lower-case name
 * @throws {S3Error} IncompleteBody, InvalidChunkSizeError, MalformedTrailerError, SignatureDoesNotMatch
 */
export async function* unchunk(
  body: AsyncIterable<Uint8Array>,
  { signed, trailer }: Framing,
  signing: Signing,
  trailers: Record<string, string>,
): AsyncGenerator<Uint8Array> {
  const reader = new Reader(body);
  let previous = signing.signature;
  let smallest = Number.POSITIVE_INFINITY;
  const check = (kind: "PAYLOAD" | "TRAILER", hashes: string[], given: string | undefined) => {
    const { date, scope, sign } = signing;
    const expected = sign([`AWS4-HMAC-SHA256-${kind}`, date, scope, previous, ...hashes].join("\n"));
    if (given !== expected) {
      throw new S3Error(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided: that of a chunk.",
      );
    }
    previous = expected;
  };

  for (;;) {
    const [, digits, signature] = /^([\da-f]{1,12})(?:;chunk-signature=([\da-f]{64}))?$/i.exec(
      await reader.line(),
    ) ?? ["", ""];
    if (!digits || signed !== (signature !== undefined)) throw incomplete();
    const size = Number.parseInt(digits, 16);
    if (size > 0 && smallest < MIN_CHUNK_BYTES) {
      throw new S3Error(
        "InvalidChunkSizeError",
        "Only the last chunk is allowed to have a size less than 8192 bytes",
      );
    }
    smallest = Math.min(smallest, size);
    const hash = createHash("sha256");
    for await (const piece of reader.bytes(size)) {
      if (signed) hash.update(piece);
      yield piece;
    }
    if (signed) check("PAYLOAD", [EMPTY, hash.digest("hex")], signature);
    if (size === 0) break;
    if ((await reader.line()) !== "") throw incomplete();
  }

  let lines = "";
  let signature: string | undefined;
  for (let line = await reader.line(); line.trim() !== ""; line = await reader.line()) {
    const [, name, value] = /^([\w-]+):(.*)$/s.exec(line.trim()) ?? [];
    if (name === undefined || value === undefined || !trailer) throw malformed();
    if (name.toLowerCase() === "x-amz-trailer-signature") signature = value.trim();
    else {
      lines += `${name.toLowerCase()}:${value.trim()}\n`;
      trailers[name.toLowerCase()] = value.trim();
    }
  }
  if (signed && trailer) check("TRAILER", [createHash("sha256").update(lines).digest("hex")], signature);
  if (!(await reader.isAtEnd())) throw incomplete();
}

class Reader {
  readonly #source: AsyncIterator<Uint8Array>;
  #buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Up to the next CRLF, without it. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#buffer.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#buffer.toString("latin1", 0, end);
        this.#buffer = this.#buffer.subarray(end + 2);
        return line;
      }
      if (this.#buffer.length > MAX_LINE_BYTES || !(await this.#more())) throw incomplete();
    }
  }

  async *bytes(count: number): AsyncGenerator<Buffer> {
    for (let left = count; left > 0; ) {
      if (this.#buffer.length === 0 && !(await this.#more())) throw incomplete();
      const piece = this.#buffer.subarray(0, left);
      this.#buffer = this.#buffer.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  async isAtEnd(): Promise<boolean> {
    return this.#buffer.length === 0 && !(await this.#more());
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#source.next();
    if (done === true) return false;
    this.#buffer = this.#buffer.length === 0 ? Buffer.from(value) : Buffer.concat([this.#buffer, value]);
    return true;
  }
}

function incomplete(): S3Error {
  return new S3Error("IncompleteBody", "The body is not a complete aws-chunked stream.");
}

function malformed(): S3Error {
  return new S3Error(
    "MalformedTrailerError",
    "The request contained trailing data that was not well-formed or did not conform to our published schema.",
  );
}
