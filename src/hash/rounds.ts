/**
 * What SHA-256 does to a block: FIPS 180-4, 6.2.2, sixteen rounds a turn, with Ch and Maj in shorter forms and Sigma 0 as
 * one rotation within the other. The rounds of a turn are written out, since each call in here and each word kept in
 * memory costs a tenth of the whole.
 */
const PRIMES = Array.from({ length: 310 }, (_, i) => i + 2).filter(isPrime);
/** FIPS 180-4, 4.2.2: of the cube roots of the first primes, 32 bits behind the point. */
const K = Int32Array.from(PRIMES, (prime) => (Math.cbrt(prime) % 1) * 2 ** 32);

/**
 * @param words the state, which is changed
 * @param view holds the block
 * @param at where it begins
 */
// biome-ignore format: a round is to be seen beside the next
export function compress(words: Int32Array, view: DataView, at: number): void {
  let w0 = view.getInt32(at);
  let w1 = view.getInt32(at + 4);
  let w2 = view.getInt32(at + 8);
  let w3 = view.getInt32(at + 12);
  let w4 = view.getInt32(at + 16);
  let w5 = view.getInt32(at + 20);
  let w6 = view.getInt32(at + 24);
  let w7 = view.getInt32(at + 28);
  let w8 = view.getInt32(at + 32);
  let w9 = view.getInt32(at + 36);
  let w10 = view.getInt32(at + 40);
  let w11 = view.getInt32(at + 44);
  let w12 = view.getInt32(at + 48);
  let w13 = view.getInt32(at + 52);
  let w14 = view.getInt32(at + 56);
  let w15 = view.getInt32(at + 60);

  let a = words[0] ?? 0;
  let b = words[1] ?? 0;
  let c = words[2] ?? 0;
  let d = words[3] ?? 0;
  let e = words[4] ?? 0;
  let f = words[5] ?? 0;
  let g = words[6] ?? 0;
  let h = words[7] ?? 0;
  let t = 0;
  let s = 0;
  for (let r = 0; r < 64; r += 16) {
    if (r > 0) {
      w0 = (w0 + ((w1 >>> 7 | w1 << 25) ^ (w1 >>> 18 | w1 << 14) ^ w1 >>> 3) + w9 + ((w14 >>> 17 | w14 << 15) ^ (w14 >>> 19 | w14 << 13) ^ w14 >>> 10)) | 0;
      w1 = (w1 + ((w2 >>> 7 | w2 << 25) ^ (w2 >>> 18 | w2 << 14) ^ w2 >>> 3) + w10 + ((w15 >>> 17 | w15 << 15) ^ (w15 >>> 19 | w15 << 13) ^ w15 >>> 10)) | 0;
      w2 = (w2 + ((w3 >>> 7 | w3 << 25) ^ (w3 >>> 18 | w3 << 14) ^ w3 >>> 3) + w11 + ((w0 >>> 17 | w0 << 15) ^ (w0 >>> 19 | w0 << 13) ^ w0 >>> 10)) | 0;
      w3 = (w3 + ((w4 >>> 7 | w4 << 25) ^ (w4 >>> 18 | w4 << 14) ^ w4 >>> 3) + w12 + ((w1 >>> 17 | w1 << 15) ^ (w1 >>> 19 | w1 << 13) ^ w1 >>> 10)) | 0;
      w4 = (w4 + ((w5 >>> 7 | w5 << 25) ^ (w5 >>> 18 | w5 << 14) ^ w5 >>> 3) + w13 + ((w2 >>> 17 | w2 << 15) ^ (w2 >>> 19 | w2 << 13) ^ w2 >>> 10)) | 0;
      w5 = (w5 + ((w6 >>> 7 | w6 << 25) ^ (w6 >>> 18 | w6 << 14) ^ w6 >>> 3) + w14 + ((w3 >>> 17 | w3 << 15) ^ (w3 >>> 19 | w3 << 13) ^ w3 >>> 10)) | 0;
      w6 = (w6 + ((w7 >>> 7 | w7 << 25) ^ (w7 >>> 18 | w7 << 14) ^ w7 >>> 3) + w15 + ((w4 >>> 17 | w4 << 15) ^ (w4 >>> 19 | w4 << 13) ^ w4 >>> 10)) | 0;
      w7 = (w7 + ((w8 >>> 7 | w8 << 25) ^ (w8 >>> 18 | w8 << 14) ^ w8 >>> 3) + w0 + ((w5 >>> 17 | w5 << 15) ^ (w5 >>> 19 | w5 << 13) ^ w5 >>> 10)) | 0;
      w8 = (w8 + ((w9 >>> 7 | w9 << 25) ^ (w9 >>> 18 | w9 << 14) ^ w9 >>> 3) + w1 + ((w6 >>> 17 | w6 << 15) ^ (w6 >>> 19 | w6 << 13) ^ w6 >>> 10)) | 0;
      w9 = (w9 + ((w10 >>> 7 | w10 << 25) ^ (w10 >>> 18 | w10 << 14) ^ w10 >>> 3) + w2 + ((w7 >>> 17 | w7 << 15) ^ (w7 >>> 19 | w7 << 13) ^ w7 >>> 10)) | 0;
      w10 = (w10 + ((w11 >>> 7 | w11 << 25) ^ (w11 >>> 18 | w11 << 14) ^ w11 >>> 3) + w3 + ((w8 >>> 17 | w8 << 15) ^ (w8 >>> 19 | w8 << 13) ^ w8 >>> 10)) | 0;
      w11 = (w11 + ((w12 >>> 7 | w12 << 25) ^ (w12 >>> 18 | w12 << 14) ^ w12 >>> 3) + w4 + ((w9 >>> 17 | w9 << 15) ^ (w9 >>> 19 | w9 << 13) ^ w9 >>> 10)) | 0;
      w12 = (w12 + ((w13 >>> 7 | w13 << 25) ^ (w13 >>> 18 | w13 << 14) ^ w13 >>> 3) + w5 + ((w10 >>> 17 | w10 << 15) ^ (w10 >>> 19 | w10 << 13) ^ w10 >>> 10)) | 0;
      w13 = (w13 + ((w14 >>> 7 | w14 << 25) ^ (w14 >>> 18 | w14 << 14) ^ w14 >>> 3) + w6 + ((w11 >>> 17 | w11 << 15) ^ (w11 >>> 19 | w11 << 13) ^ w11 >>> 10)) | 0;
      w14 = (w14 + ((w15 >>> 7 | w15 << 25) ^ (w15 >>> 18 | w15 << 14) ^ w15 >>> 3) + w7 + ((w12 >>> 17 | w12 << 15) ^ (w12 >>> 19 | w12 << 13) ^ w12 >>> 10)) | 0;
      w15 = (w15 + ((w0 >>> 7 | w0 << 25) ^ (w0 >>> 18 | w0 << 14) ^ w0 >>> 3) + w8 + ((w13 >>> 17 | w13 << 15) ^ (w13 >>> 19 | w13 << 13) ^ w13 >>> 10)) | 0;
    }
    t = ((h + (K[r] ?? 0) + w0 | 0) + (g ^ e & (f ^ g)) + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7))) | 0; d = (d + t) | 0;
    s = (a >>> 9 | a << 23) ^ a; s = (s >>> 11 | s << 21) ^ a; h = (t + (s >>> 2 | s << 30) + (b ^ (a ^ b) & (b ^ c))) | 0;
    t = ((g + (K[r + 1] ?? 0) + w1 | 0) + (f ^ d & (e ^ f)) + ((d >>> 6 | d << 26) ^ (d >>> 11 | d << 21) ^ (d >>> 25 | d << 7))) | 0; c = (c + t) | 0;
    s = (h >>> 9 | h << 23) ^ h; s = (s >>> 11 | s << 21) ^ h; g = (t + (s >>> 2 | s << 30) + (a ^ (h ^ a) & (a ^ b))) | 0;
    t = ((f + (K[r + 2] ?? 0) + w2 | 0) + (e ^ c & (d ^ e)) + ((c >>> 6 | c << 26) ^ (c >>> 11 | c << 21) ^ (c >>> 25 | c << 7))) | 0; b = (b + t) | 0;
    s = (g >>> 9 | g << 23) ^ g; s = (s >>> 11 | s << 21) ^ g; f = (t + (s >>> 2 | s << 30) + (h ^ (g ^ h) & (h ^ a))) | 0;
    t = ((e + (K[r + 3] ?? 0) + w3 | 0) + (d ^ b & (c ^ d)) + ((b >>> 6 | b << 26) ^ (b >>> 11 | b << 21) ^ (b >>> 25 | b << 7))) | 0; a = (a + t) | 0;
    s = (f >>> 9 | f << 23) ^ f; s = (s >>> 11 | s << 21) ^ f; e = (t + (s >>> 2 | s << 30) + (g ^ (f ^ g) & (g ^ h))) | 0;
    t = ((d + (K[r + 4] ?? 0) + w4 | 0) + (c ^ a & (b ^ c)) + ((a >>> 6 | a << 26) ^ (a >>> 11 | a << 21) ^ (a >>> 25 | a << 7))) | 0; h = (h + t) | 0;
    s = (e >>> 9 | e << 23) ^ e; s = (s >>> 11 | s << 21) ^ e; d = (t + (s >>> 2 | s << 30) + (f ^ (e ^ f) & (f ^ g))) | 0;
    t = ((c + (K[r + 5] ?? 0) + w5 | 0) + (b ^ h & (a ^ b)) + ((h >>> 6 | h << 26) ^ (h >>> 11 | h << 21) ^ (h >>> 25 | h << 7))) | 0; g = (g + t) | 0;
    s = (d >>> 9 | d << 23) ^ d; s = (s >>> 11 | s << 21) ^ d; c = (t + (s >>> 2 | s << 30) + (e ^ (d ^ e) & (e ^ f))) | 0;
    t = ((b + (K[r + 6] ?? 0) + w6 | 0) + (a ^ g & (h ^ a)) + ((g >>> 6 | g << 26) ^ (g >>> 11 | g << 21) ^ (g >>> 25 | g << 7))) | 0; f = (f + t) | 0;
    s = (c >>> 9 | c << 23) ^ c; s = (s >>> 11 | s << 21) ^ c; b = (t + (s >>> 2 | s << 30) + (d ^ (c ^ d) & (d ^ e))) | 0;
    t = ((a + (K[r + 7] ?? 0) + w7 | 0) + (h ^ f & (g ^ h)) + ((f >>> 6 | f << 26) ^ (f >>> 11 | f << 21) ^ (f >>> 25 | f << 7))) | 0; e = (e + t) | 0;
    s = (b >>> 9 | b << 23) ^ b; s = (s >>> 11 | s << 21) ^ b; a = (t + (s >>> 2 | s << 30) + (c ^ (b ^ c) & (c ^ d))) | 0;
    t = ((h + (K[r + 8] ?? 0) + w8 | 0) + (g ^ e & (f ^ g)) + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7))) | 0; d = (d + t) | 0;
    s = (a >>> 9 | a << 23) ^ a; s = (s >>> 11 | s << 21) ^ a; h = (t + (s >>> 2 | s << 30) + (b ^ (a ^ b) & (b ^ c))) | 0;
    t = ((g + (K[r + 9] ?? 0) + w9 | 0) + (f ^ d & (e ^ f)) + ((d >>> 6 | d << 26) ^ (d >>> 11 | d << 21) ^ (d >>> 25 | d << 7))) | 0; c = (c + t) | 0;
    s = (h >>> 9 | h << 23) ^ h; s = (s >>> 11 | s << 21) ^ h; g = (t + (s >>> 2 | s << 30) + (a ^ (h ^ a) & (a ^ b))) | 0;
    t = ((f + (K[r + 10] ?? 0) + w10 | 0) + (e ^ c & (d ^ e)) + ((c >>> 6 | c << 26) ^ (c >>> 11 | c << 21) ^ (c >>> 25 | c << 7))) | 0; b = (b + t) | 0;
    s = (g >>> 9 | g << 23) ^ g; s = (s >>> 11 | s << 21) ^ g; f = (t + (s >>> 2 | s << 30) + (h ^ (g ^ h) & (h ^ a))) | 0;
    t = ((e + (K[r + 11] ?? 0) + w11 | 0) + (d ^ b & (c ^ d)) + ((b >>> 6 | b << 26) ^ (b >>> 11 | b << 21) ^ (b >>> 25 | b << 7))) | 0; a = (a + t) | 0;
    s = (f >>> 9 | f << 23) ^ f; s = (s >>> 11 | s << 21) ^ f; e = (t + (s >>> 2 | s << 30) + (g ^ (f ^ g) & (g ^ h))) | 0;
    t = ((d + (K[r + 12] ?? 0) + w12 | 0) + (c ^ a & (b ^ c)) + ((a >>> 6 | a << 26) ^ (a >>> 11 | a << 21) ^ (a >>> 25 | a << 7))) | 0; h = (h + t) | 0;
    s = (e >>> 9 | e << 23) ^ e; s = (s >>> 11 | s << 21) ^ e; d = (t + (s >>> 2 | s << 30) + (f ^ (e ^ f) & (f ^ g))) | 0;
    t = ((c + (K[r + 13] ?? 0) + w13 | 0) + (b ^ h & (a ^ b)) + ((h >>> 6 | h << 26) ^ (h >>> 11 | h << 21) ^ (h >>> 25 | h << 7))) | 0; g = (g + t) | 0;
    s = (d >>> 9 | d << 23) ^ d; s = (s >>> 11 | s << 21) ^ d; c = (t + (s >>> 2 | s << 30) + (e ^ (d ^ e) & (e ^ f))) | 0;
    t = ((b + (K[r + 14] ?? 0) + w14 | 0) + (a ^ g & (h ^ a)) + ((g >>> 6 | g << 26) ^ (g >>> 11 | g << 21) ^ (g >>> 25 | g << 7))) | 0; f = (f + t) | 0;
    s = (c >>> 9 | c << 23) ^ c; s = (s >>> 11 | s << 21) ^ c; b = (t + (s >>> 2 | s << 30) + (d ^ (c ^ d) & (d ^ e))) | 0;
    t = ((a + (K[r + 15] ?? 0) + w15 | 0) + (h ^ f & (g ^ h)) + ((f >>> 6 | f << 26) ^ (f >>> 11 | f << 21) ^ (f >>> 25 | f << 7))) | 0; e = (e + t) | 0;
    s = (b >>> 9 | b << 23) ^ b; s = (s >>> 11 | s << 21) ^ b; a = (t + (s >>> 2 | s << 30) + (c ^ (b ^ c) & (c ^ d))) | 0;
  }
  words[0] = (words[0] ?? 0) + a;
  words[1] = (words[1] ?? 0) + b;
  words[2] = (words[2] ?? 0) + c;
  words[3] = (words[3] ?? 0) + d;
  words[4] = (words[4] ?? 0) + e;
  words[5] = (words[5] ?? 0) + f;
  words[6] = (words[6] ?? 0) + g;
  words[7] = (words[7] ?? 0) + h;
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return true;
}
