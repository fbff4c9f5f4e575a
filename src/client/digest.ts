/** SHA-256 of what is too large to be held: WebCrypto hashes only what is there as a whole. Loaded when it is asked for. */
import { bytesOf, Message } from "../hash/message.ts";
import { absorb, type Midstate, sha256 } from "../hash/sha256.ts";
import type { Body } from "./send.ts";
import { sizeOf } from "./send.ts";
import { hex, slice } from "./source.ts";

/** Bytes read at once. */
const PIECE = 2 ** 20;
const BLOCK = 64;

/** Hashes what comes, piece by piece. */
export class Sha256 {
  #state: Midstate | undefined;
  #rest = new Message(2 * BLOCK);

  update(bytes: Uint8Array): this {
    const all = this.#rest.addBytes(bytes);
    const whole = all.length - (all.length % BLOCK);
    if (whole === 0) return this;
    const text = all.bytes;
    this.#state = absorb(Message.of(text.subarray(0, whole)), this.#state);
    this.#rest = new Message(2 * BLOCK).addBytes(text.subarray(whole));
    return this;
  }

  /** Lower-case hexadecimal digits; nothing may follow. */
  digest(): string {
    return hex(bytesOf(sha256(this.#rest, this.#state)));
  }
}

/** @throws the signal's reason */
export async function hashOf(body: Body, signal: AbortSignal | undefined): Promise<string> {
  const hash = new Sha256();
  for (let at = 0; at < sizeOf(body); at += PIECE) {
    signal?.throwIfAborted();
    const piece = slice(body, at, at + PIECE);
    hash.update(piece instanceof Uint8Array ? piece : new Uint8Array(await piece.arrayBuffer()));
  }
  return hash.digest();
}
