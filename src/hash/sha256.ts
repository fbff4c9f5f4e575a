/**
 * SHA-256 (FIPS 180-4) for messages of a few hundred bytes, as signatures need them. A hash of the runtime's own is an
 * object with a stream around it: for so little, the rounds themselves cost less.
 */
import { BLOCK, type Message } from "./message.ts";
import { compress } from "./rounds.ts";

/** What is left after some whole blocks. */
export interface Midstate {
  readonly words: Int32Array;
  /** Bytes taken in. */
  readonly length: number;
}

/** FIPS 180-4, 5.3.3. */
const START: Midstate = {
  words: Int32Array.of(
    0x6a09e667,
    0xbb67ae85,
    0x3c6ef372,
    0xa54ff53a,
    0x510e527f,
    0x9b05688c,
    0x1f83d9ab,
    0x5be0cd19,
  ),
  length: 0,
};

/**
 * Takes in the whole blocks that the message is.
 *
 * @throws {RangeError} when its end is not that of a block
 */
export function absorb(blocks: Message, from = START): Midstate {
  if (blocks.length % BLOCK !== 0) throw new RangeError(`${blocks.length} bytes are not whole blocks`);
  const words = from.words.slice();
  compressAll(words, blocks.view, blocks.length);
  return { words, length: from.length + blocks.length };
}

/**
 * The digest: eight words, each of four bytes of which the first counts most.
 *
 * @param from what was hashed before the message
 * @param words where it goes
 */
export function sha256(message: Message, from = START, words: Int32Array = new Int32Array(8)): Int32Array {
  words.set(from.words);
  const end = message.pad(from.length);
  compressAll(words, message.view, end);
  return words;
}

function compressAll(words: Int32Array, view: DataView, end: number): void {
  for (let at = 0; at < end; at += BLOCK) compress(words, view, at);
}
