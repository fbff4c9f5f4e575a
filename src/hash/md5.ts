/** MD5 (RFC 1321): the stores know a customer key by that of its 32 bytes. No secret rests on it. */
import { BLOCK } from "./message.ts";

/** The least padding, bytes: a one, and how long the message is. */
const PADDING = 9;

/** RFC 1321, 3.4: how far the steps of each round rotate, four in turn. */
const SHIFTS = Uint8Array.of(7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21);
/** Which word each step takes. */
const WORDS = Uint8Array.from({ length: 64 }, (_, i) => ([i, 5 * i + 1, 3 * i + 5, 7 * i][i >> 4] ?? 0) % 16);
/** The sine of each step, 32 bits behind the point. */
const SINES = Int32Array.from({ length: 64 }, (_, step) =>
  Math.floor(Math.abs(Math.sin(step + 1)) * 2 ** 32),
);
const START = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476] as const;

// Nothing here waits, so that one of each serves all.
const block = new DataView(new ArrayBuffer(BLOCK));
const state = new Int32Array(4);

/** @returns 16 bytes */
export function md5(message: Uint8Array): Uint8Array {
  const { length } = message;
  const end = Math.ceil((length + PADDING) / BLOCK) * BLOCK;
  state.set(START);
  for (let start = 0; start < end; start += BLOCK) {
    for (let at = 0; at < BLOCK; at++) block.setUint8(at, message[start + at] ?? 0);
    if (start <= length && length < start + BLOCK) block.setUint8(length - start, 0x80);
    if (start + BLOCK === end) {
      block.setUint32(BLOCK - 8, 8 * length, true);
      block.setUint32(BLOCK - 4, Math.floor(length / 2 ** 29), true);
    }
    absorb();
  }
  const digest = new DataView(new ArrayBuffer(16));
  for (const [i, word] of state.entries()) digest.setInt32(4 * i, word, true);
  return new Uint8Array(digest.buffer);
}

/** Takes the block into the state. */
function absorb(): void {
  let a = state[0] ?? 0;
  let b = state[1] ?? 0;
  let c = state[2] ?? 0;
  let d = state[3] ?? 0;
  for (let step = 0; step < 64; step++) {
    const word = block.getInt32(4 * (WORDS[step] ?? 0), true);
    const sum = (a + mix(step >> 4, b, c, d) + word + (SINES[step] ?? 0)) | 0;
    const by = SHIFTS[((step >> 4) << 2) | (step & 3)] ?? 0;
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << by) | (sum >>> (32 - by)))) | 0;
  }
  // The sums are taken modulo 2 ** 32, as an Int32Array does by itself.
  state[0] = (state[0] ?? 0) + a;
  state[1] = (state[1] ?? 0) + b;
  state[2] = (state[2] ?? 0) + c;
  state[3] = (state[3] ?? 0) + d;
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
