/** MD5 (RFC 1321) of a single block: the stores know a customer key by that of its 32 bytes. No secret rests on it. */
import { BLOCK } from "./message.ts";

/** What fits beside the padding, bytes. */
const MOST = BLOCK - 9;

interface Round {
  readonly mix: (b: number, c: number, d: number) => number;
  /** The word of each step: `(first + step * stride) % 16`. */
  readonly first: number;
  readonly stride: number;
  /** How far the steps rotate, four in turn. */
  readonly shifts: readonly [number, number, number, number];
}

/** RFC 1321, 3.4. */
const ROUNDS: readonly Round[] = [
  { mix: (b, c, d) => (b & c) | (~b & d), first: 0, stride: 1, shifts: [7, 12, 17, 22] },
  { mix: (b, c, d) => (b & d) | (c & ~d), first: 1, stride: 5, shifts: [5, 9, 14, 20] },
  { mix: (b, c, d) => b ^ c ^ d, first: 5, stride: 3, shifts: [4, 11, 16, 23] },
  { mix: (b, c, d) => c ^ (b | ~d), first: 0, stride: 7, shifts: [6, 10, 15, 21] },
];
/** The sine of each step, 32 bits behind the point. */
const SINES = Int32Array.from({ length: 64 }, (_, step) =>
  Math.floor(Math.abs(Math.sin(step + 1)) * 2 ** 32),
);
const START = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476] as const;

// Nothing here waits, so that one serves all.
const block = new DataView(new ArrayBuffer(BLOCK));

/**
 * @param message at most 55 bytes
 * @returns 16 bytes
 * @throws {RangeError} when it is longer
 */
export function md5(message: Uint8Array): Uint8Array {
  if (message.length > MOST) throw new RangeError(`${message.length} bytes do not fit into one block`);
  for (let at = 0; at < BLOCK; at++) block.setUint8(at, message[at] ?? 0);
  block.setUint8(message.length, 0x80);
  block.setUint32(BLOCK - 8, 8 * message.length, true);

  let [a, b, c, d]: readonly [number, number, number, number] = START;
  for (let round = 0; round < ROUNDS.length; round++) {
    const { mix, first, stride, shifts } = ROUNDS[round] as Round;
    for (let step = 0; step < 16; step++) {
      const word = block.getInt32(4 * ((first + step * stride) & 15), true);
      const sum = (a + mix(b, c, d) + word + (SINES[16 * round + step] ?? 0)) | 0;
      const by = shifts[step & 3] ?? 0;
      a = d;
      d = c;
      c = b;
      b = (b + ((sum << by) | (sum >>> (32 - by)))) | 0;
    }
  }
  const digest = new DataView(new ArrayBuffer(16));
  for (const [i, word] of [a, b, c, d].entries()) digest.setInt32(4 * i, word + (START[i] ?? 0), true);
  return new Uint8Array(digest.buffer);
}
