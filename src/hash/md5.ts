/** MD5 (RFC 1321) of a single block: the stores know a customer key by that of its 32 bytes. No secret rests on it. */
import { BLOCK } from "./message.ts";

/** What fits beside the padding, bytes. */
const MOST = BLOCK - 9;

/** RFC 1321, 3.4: how far the steps of each round rotate, four in turn. */
const SHIFTS = Uint8Array.of(7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21);
/** Which word each step takes. */
const WORDS = Uint8Array.from({ length: 64 }, (_, i) => ([i, 5 * i + 1, 3 * i + 5, 7 * i][i >> 4] ?? 0) % 16);
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

  let a = START[0] | 0;
  let b = START[1] | 0;
  let c = START[2] | 0;
  let d = START[3] | 0;
  for (let step = 0; step < 64; step++) {
    const word = block.getInt32(4 * (WORDS[step] ?? 0), true);
    const sum = (a + mix(step >> 4, b, c, d) + word + (SINES[step] ?? 0)) | 0;
    const by = SHIFTS[((step >> 4) << 2) | (step & 3)] ?? 0;
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << by) | (sum >>> (32 - by)))) | 0;
  }
  const digest = new DataView(new ArrayBuffer(16));
  digest.setInt32(0, a + START[0], true);
  digest.setInt32(4, b + START[1], true);
  digest.setInt32(8, c + START[2], true);
  digest.setInt32(12, d + START[3], true);
  return new Uint8Array(digest.buffer);
}

/** RFC 1321, 3.4: F, G, H and I. */
function mix(round: number, b: number, c: number, d: number): number {
  switch (round) {
    case 0:
      return (b & c) | (~b & d);
    case 1:
      return (b & d) | (c & ~d);
    case 2:
      return b ^ c ^ d;
    default:
      return c ^ (b | ~d);
  }
}
