/** HMAC-SHA256 (RFC 2104) under a key that stays: what depends on the key alone is hashed once. */
import { BLOCK, Message } from "./message.ts";
import { absorb, type Midstate, sha256 } from "./sha256.ts";

export class HmacKey {
  readonly #inner: Midstate;
  readonly #outer: Midstate;

  private constructor(inner: Midstate, outer: Midstate) {
    this.#inner = inner;
    this.#outer = outer;
  }

  static of(key: Message): HmacKey {
    if (key.length > BLOCK) return HmacKey.of(new Message().addWords(sha256(key)));
    const padded = (pad: number) => {
      const block = new Uint8Array(BLOCK).fill(pad);
      for (const [i, byte] of key.bytes.entries()) block[i] = byte ^ pad;
      return absorb(Message.of(block));
    };
    return new HmacKey(padded(0x36), padded(0x5c));
  }

  /** For messages that begin with the same whole blocks: signs what follows them. */
  after(blocks: Message): HmacKey {
    return new HmacKey(absorb(blocks, this.#inner), this.#outer);
  }

  /**
   * @param words where the signature goes: 32 bytes, as eight words
   * @returns the same words
   */
  sign(message: Message, words: Int32Array = new Int32Array(8)): Int32Array {
    return sha256(digest.restart().addWords(sha256(message, this.#inner, words)), this.#outer, words);
  }
}

// Nothing here waits, so that one serves all.
const digest = new Message();
