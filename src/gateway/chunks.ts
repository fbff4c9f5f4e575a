/**
 * The aws-chunked framing of a body, taken off while the body goes through: chunks, their signatures, and what comes after.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
import type { Hash } from "node:crypto";
import { areEqual } from "../hash/equal.ts";
import type { HmacKey } from "../hash/hmac.ts";
import { Message } from "../hash/message.ts";
import { ALGORITHM } from "../s3/sign/sigv4.ts";
import { S3Fault } from "./faults.ts";
import { wordsOf } from "./signature.ts";
import { Source } from "./source.ts";

const { createHash } = process.getBuiltinModule("node:crypto");

/** By what the signature says of the body. */
export const FRAMINGS = {
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER": { isSigned: false, hasTrailer: true },
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": { isSigned: true, hasTrailer: false },
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": { isSigned: true, hasTrailer: true },
} as const;

export interface Chunked {
  readonly framing: (typeof FRAMINGS)[keyof typeof FRAMINGS];
  /** Of the body without its framing, bytes. */
  readonly length: number;
  /** What signatures of chunks go on from: that of the request. */
  readonly signing: {
    readonly timestamp: string;
    readonly scope: string;
    /** Hexadecimal. */
    readonly signature: string;
    readonly key: HmacKey;
  };
  /** Takes what comes after the last chunk. */
  readonly onTrailer: (name: string, value: string) => void;
}

/** Of a signed chunk, unless it is the last that has any, bytes: as S3 demands. */
const MIN_CHUNK = 8192;
/** Of a line between chunks or after them, bytes. */
const MAX_LINE = 1024;
const MAX_TRAILERS = 10;
/** What whoever reads without a buffer of their own gets at once, bytes. */
const PIECE = 64 * 1024;
const EMPTY = createHash("sha256").digest("hex");

/**
 * A body without its framing. It is read as it is asked for, and holds one piece. Its last byte comes only when all that is
 * around it has come and is right; what has come before is worth nothing when it breaks off.
 *
 * @throws {S3Fault} from the stream: IncompleteBody, InvalidChunkSizeError, MalformedTrailerError, SignatureDoesNotMatch
 */
export function unchunked(body: ReadableStream<Uint8Array>, chunked: Chunked): ReadableStream<Uint8Array> {
  const chunks = new Chunks(new Source(body), chunked);
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: PIECE,
    async pull(controller) {
      const { byobRequest } = controller;
      const view = byobRequest?.view;
      if (!byobRequest || !view) throw new Error("a byte stream is pulled without a view");
      const filled = await chunks.into(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
      if (filled > 0) byobRequest.respond(filled);
      if (chunks.isOver) controller.close();
      // A read that waits is let go only so.
      if (filled === 0) byobRequest.respond(0);
    },
    cancel: () => chunks.cancel(),
  });
}

class Chunks {
  isOver = false;
  readonly #source: Source;
  readonly #chunked: Chunked;
  /** Hexadecimal: that of the chunk before, or of the request. */
  #previous: string;
  /** Of the whole, bytes. */
  #taken = 0;
  /** The chunk that is read now. */
  #chunk: { left: number; readonly hash: Hash; readonly signature: string } | undefined;
  #smallest = Number.POSITIVE_INFINITY;

  constructor(source: Source, chunked: Chunked) {
    this.#source = source;
    this.#chunked = chunked;
    this.#previous = chunked.signing.signature;
  }

  cancel(): Promise<void> {
    return this.#source.cancel();
  }

  /** @returns how many bytes were written; none only at the end */
  async into(view: Uint8Array): Promise<number> {
    const { length, framing } = this.#chunked;
    let filled = 0;
    while (filled < view.length && this.#taken < length) {
      // What there is goes on before more is waited for.
      if (filled > 0 && !this.#source.hasMore) return filled;
      const chunk = await this.#current();
      const bytes = await this.#source.next(Math.min(chunk.left, view.length - filled));
      view.set(bytes, filled);
      if (framing.isSigned) chunk.hash.update(bytes);
      filled += bytes.length;
      chunk.left -= bytes.length;
      this.#taken += bytes.length;
    }
    if (this.#taken === length) await this.#finish();
    return filled;
  }

  async #current() {
    if (this.#chunk !== undefined && this.#chunk.left > 0) return this.#chunk;
    await this.#leave();
    const { size, signature } = await this.#head();
    if (size === 0 || this.#taken + size > this.#chunked.length) throw wrongLength();
    if (this.#chunked.framing.isSigned && this.#smallest < MIN_CHUNK)
      throw new S3Fault(
        "InvalidChunkSizeError",
        `Only the last chunk is allowed to have a size less than ${MIN_CHUNK} bytes`,
      );
    this.#smallest = Math.min(this.#smallest, size);
    this.#chunk = { left: size, hash: createHash("sha256"), signature };
    return this.#chunk;
  }

  /** `SIZE[;chunk-signature=SIGNATURE]` */
  async #head(): Promise<{ size: number; signature: string }> {
    const { isSigned } = this.#chunked.framing;
    const line = await this.#source.line(MAX_LINE);
    const [, digits, signature = ""] =
      /^([\da-fA-F]{1,12})(?:;chunk-signature=([\da-f]{64}))?$/.exec(line) ?? [];
    if (digits === undefined || isSigned !== (signature !== "")) throw incomplete();
    return { size: Number.parseInt(digits, 16), signature };
  }

  /** What is behind the last byte of a chunk, and whether the chunk is what was signed. */
  async #leave(): Promise<void> {
    if (this.#chunk === undefined) return;
    const { hash, signature } = this.#chunk;
    this.#chunk = undefined;
    if ((await this.#source.line(MAX_LINE)) !== "") throw incomplete();
    if (this.#chunked.framing.isSigned) this.#check("PAYLOAD", `${EMPTY}\n${hash.digest("hex")}`, signature);
  }

  /** The chunk without bytes, and what comes after it. */
  async #finish(): Promise<void> {
    if (this.isOver) return;
    const { isSigned, hasTrailer } = this.#chunked.framing;
    await this.#leave();
    const { size, signature } = await this.#head();
    if (size > 0) throw wrongLength();
    if (isSigned) this.#check("PAYLOAD", `${EMPTY}\n${EMPTY}`, signature);
    if (hasTrailer) await this.#trailer();
    else if ((await this.#source.line(MAX_LINE)) !== "") throw incomplete();
    if (!(await this.#source.isAtEnd())) throw incomplete();
    this.isOver = true;
  }

  async #trailer(): Promise<void> {
    const { framing, onTrailer } = this.#chunked;
    const trailers = new Map<string, string>();
    let signature: string | undefined;
    for (;;) {
      const line = (await this.#source.line(MAX_LINE)).trim();
      if (line === "") break;
      const [, name, value] = /^([\w-]+):(.*)$/.exec(line) ?? [];
      // What comes after the signature is not signed by it.
      if (name === undefined || value === undefined || signature !== undefined) throw malformed();
      const lower = name.toLowerCase();
      if (lower === "x-amz-trailer-signature") signature = value.trim();
      else if (trailers.has(lower) || trailers.size === MAX_TRAILERS) throw malformed();
      else trailers.set(lower, value.trim());
    }
    if (framing.isSigned !== (signature !== undefined)) throw malformed();
    if (signature !== undefined) {
      const signed = createHash("sha256");
      for (const [name, value] of trailers) signed.update(`${name}:${value}\n`);
      this.#check("TRAILER", signed.digest("hex"), signature);
    }
    for (const [name, value] of trailers) onTrailer(name, value);
  }

  #check(kind: "PAYLOAD" | "TRAILER", hashes: string, given: string): void {
    const { timestamp, scope, key } = this.#chunked.signing;
    const text = `${ALGORITHM}-${kind}\n${timestamp}\n${scope}\n${this.#previous}\n${hashes}`;
    const isRight =
      /^[\da-f]{64}$/.test(given) && areEqual(key.sign(new Message(512).add(text)), wordsOf(given));
    if (!isRight)
      throw new S3Fault(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided: that of a chunk.",
      );
    this.#previous = given;
  }
}

function wrongLength(): S3Fault {
  return new S3Fault(
    "IncompleteBody",
    "The body does not have as many bytes as x-amz-decoded-content-length says.",
  );
}

function incomplete(): S3Fault {
  return new S3Fault("IncompleteBody", "The body is not a complete aws-chunked stream.");
}

function malformed(): S3Fault {
  return new S3Fault(
    "MalformedTrailerError",
    "The request contained trailing data that was not well-formed or did not conform to our published schema.",
  );
}
