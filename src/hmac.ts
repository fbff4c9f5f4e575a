/**
 * HMAC-SHA256 (RFC 2104, FIPS 180-4) for short messages under a key that stays. What depends on the key alone is
 * hashed once; the two or three blocks that are left are done before a call of the runtime's own would be.
 */

/** Bytes that SHA-256 takes in at once. */
export const BLOCK = 64;
const DIGEST = 32;

/** SHA-256 after some whole blocks. */
interface Midstate {
  readonly words: Int32Array;
  /** Bytes taken in. */
  readonly length: number;
}

export class HmacKey {
  readonly #inner: Midstate;
  readonly #outer: Midstate;

  constructor(inner: Midstate, outer: Midstate) {
    this.#inner = inner;
    this.#outer = outer;
  }

  static of(key: Uint8Array): HmacKey {
    const short = key.length > BLOCK ? finish(START, key, new Uint8Array(DIGEST)) : key;
    const padded = (pad: number) =>
      absorb(
        START,
        Uint8Array.from({ length: BLOCK }, (_, i) => (short[i] ?? 0) ^ pad),
      );
    return new HmacKey(padded(0x36), padded(0x5c));
  }

  /** For messages that begin with the same whole blocks: signs what follows them. */
  after(blocks: Uint8Array): HmacKey {
    return new HmacKey(absorb(this.#inner, blocks), this.#outer);
  }

  /** @returns 32 bytes */
  sign(message: Uint8Array): Uint8Array {
    return finish(this.#outer, finish(this.#inner, message, inner), new Uint8Array(DIGEST));
  }
}

/** FIPS 180-4, 4.2.2 and 5.3.3: of the roots of the first primes, 32 bits behind the point. */
const PRIMES = Array.from({ length: 310 }, (_, i) => i + 2).filter(isPrime);
const K = Int32Array.from(PRIMES, (prime) => behindThePoint(Math.cbrt(prime)));
const START: Midstate = {
  words: Int32Array.from(PRIMES.slice(0, 8), (prime) => behindThePoint(Math.sqrt(prime))),
  length: 0,
};

// Nothing here waits, so that one of each serves all.
const inner = new Uint8Array(DIGEST);
const working = new Int32Array(8);
const schedule = new Int32Array(64);
const last = new Uint8Array(2 * BLOCK);

function absorb(from: Midstate, blocks: Uint8Array): Midstate {
  const words = from.words.slice();
  for (let at = 0; at < blocks.length; at += BLOCK) compress(words, blocks, at);
  return { words, length: from.length + blocks.length };
}

/** The digest, once the rest of the message and the padding are taken in. */
function finish(from: Midstate, rest: Uint8Array, digest: Uint8Array): Uint8Array {
  working.set(from.words);
  const whole = rest.length - (rest.length % BLOCK);
  for (let at = 0; at < whole; at += BLOCK) compress(working, rest, at);

  const end = rest.length - whole < BLOCK - 8 ? BLOCK : 2 * BLOCK;
  last.fill(0);
  for (let i = whole; i < rest.length; i++) last[i - whole] = rest[i] ?? 0;
  last[rest.length - whole] = 0x80;
  put(last, end - 4, (from.length + rest.length) * 8);
  for (let at = 0; at < end; at += BLOCK) compress(working, last, at);

  for (let i = 0; i < 8; i++) put(digest, 4 * i, working[i] ?? 0);
  return digest;
}

/**
 * FIPS 180-4, 6.2.2, with Ch and Maj in their shorter forms. That no index here is out of bounds, TypeScript cannot
 * know.
 */
function compress(words: Int32Array, block: Uint8Array, at: number): void {
  const w = schedule;
  for (let t = 0; t < 16; t++) w[t] = get(block, at + 4 * t);
  for (let t = 16; t < 64; t++) {
    const x = w[t - 15] ?? 0;
    const y = w[t - 2] ?? 0;
    const s0 = rotr(x, 7) ^ rotr(x, 18) ^ (x >>> 3);
    const s1 = rotr(y, 17) ^ rotr(y, 19) ^ (y >>> 10);
    w[t] = (s1 + (w[t - 7] ?? 0) + s0 + (w[t - 16] ?? 0)) | 0;
  }
  let a = words[0] ?? 0;
  let b = words[1] ?? 0;
  let c = words[2] ?? 0;
  let d = words[3] ?? 0;
  let e = words[4] ?? 0;
  let f = words[5] ?? 0;
  let g = words[6] ?? 0;
  let h = words[7] ?? 0;
  for (let t = 0; t < 64; t++) {
    const s1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
    const t1 = (h + s1 + (g ^ (e & (f ^ g))) + (K[t] ?? 0) + (w[t] ?? 0)) | 0;
    const s0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22);
    const t2 = (s0 + ((a & b) ^ (c & (a ^ b)))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  add(words, 0, a);
  add(words, 1, b);
  add(words, 2, c);
  add(words, 3, d);
  add(words, 4, e);
  add(words, 5, f);
  add(words, 6, g);
  add(words, 7, h);
}

function rotr(x: number, by: number): number {
  return (x >>> by) | (x << (32 - by));
}

function add(words: Int32Array, i: number, term: number): void {
  words[i] = (words[i] ?? 0) + term;
}

function get(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)
  );
}

function put(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24;
  bytes[at + 1] = word >>> 16;
  bytes[at + 2] = word >>> 8;
  bytes[at + 3] = word;
}

function behindThePoint(root: number): number {
  return (root % 1) * 2 ** 32;
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return true;
}
