/**
 * The CRC of a whole that is made of the CRCs of its pieces, which no other hash allows: that of a piece is moved to its place
 * by a multiplication with a power of x, and added to the rest.
 *
 * @see https://github.com/madler/zlib/blob/v1.3.1/crc32.c#L73 for the same with CRC32
 */

/** Their polynomials, the bits in reverse, and how many bits they have. */
const CRCS = {
  crc32: { width: 32n, polynomial: 0xedb88320n },
  crc32c: { width: 32n, polynomial: 0x82f63b78n },
  crc64nvme: { width: 64n, polynomial: 0x9a6c9329ac4bc9b5n },
} as const;

export type Joinable = keyof typeof CRCS;

export interface CrcOfPiece {
  readonly crc: bigint;
  /** Of the piece, bytes. */
  readonly length: number;
}

/** @param pieces in their order */
export function joinedCrc(name: Joinable, pieces: Iterable<CrcOfPiece>): bigint {
  const field = new Field(CRCS[name]);
  let whole = 0n;
  for (const { crc, length } of pieces) whole = field.multiply(field.power(8 * length), whole) ^ crc;
  return whole;
}

/** Polynomials over two, modulo that of a CRC; the highest bit is the power 0. */
class Field {
  readonly #polynomial: bigint;
  readonly #one: bigint;
  /** Parts are nearly all of one length. */
  readonly #powers = new Map<number, bigint>();

  constructor({ width, polynomial }: (typeof CRCS)[Joinable]) {
    this.#polynomial = polynomial;
    this.#one = 1n << (width - 1n);
  }

  multiply(a: bigint, b: bigint): bigint {
    let product = 0n;
    let shifted = b;
    for (let bit = this.#one; bit > 0n; bit >>= 1n) {
      if (a & bit) product ^= shifted;
      shifted = shifted & 1n ? (shifted >> 1n) ^ this.#polynomial : shifted >> 1n;
    }
    return product;
  }

  /** Of x. */
  power(exponent: number): bigint {
    const known = this.#powers.get(exponent);
    if (known !== undefined) return known;
    let power = this.#one;
    let square = this.#one >> 1n;
    for (let left = BigInt(exponent); left > 0n; left >>= 1n) {
      if (left & 1n) power = this.multiply(power, square);
      square = this.multiply(square, square);
    }
    this.#powers.set(exponent, power);
    return power;
  }
}
