/**
 * CRC-32C and CRC-64/NVME, eight bytes a step, and what the CRC of two texts laid end to end is: all three CRCs of S3 are
 * reflected, begin at all ones and end inverted. Node has CRC-32 alone.
 *
 * @see https://reveng.sourceforge.io/crc-catalogue/all.htm
 */
import { crc32 } from "node:zlib";

/** Polynomials, reflected. */
const CRC32 = 0xedb88320n;
const CRC32C = 0x82f63b78n;
const CRC64NVME = 0x9a6c9329ac4bc9b5n;

export interface Crc {
  update(chunk: Uint8Array): void;
  digest(): bigint;
}

export function newCrc32(): Crc {
  let sum = 0;
  return {
    update: (chunk) => {
      sum = crc32(chunk, sum);
    },
    digest: () => BigInt(sum),
  };
}

export const newCrc32c = () => tabled(CRC32C, 32);
export const newCrc64Nvme = () => tabled(CRC64NVME, 64);

export const combineCrc32 = (first: bigint, second: bigint, length: number) =>
  combine(first, second, length, CRC32, 32);
export const combineCrc32c = (first: bigint, second: bigint, length: number) =>
  combine(first, second, length, CRC32C, 32);
export const combineCrc64Nvme = (first: bigint, second: bigint, length: number) =>
  combine(first, second, length, CRC64NVME, 64);

/** The upper and the lower 32 bits of every table's entries: table t, byte b is at 256 t + b. */
interface Tables {
  readonly high: Int32Array;
  readonly low: Int32Array;
}

const known = new Map<bigint, Tables>();

function tablesOf(polynomial: bigint): Tables {
  const made = known.get(polynomial);
  if (made !== undefined) return made;
  const [high, low] = [new Int32Array(2048), new Int32Array(2048)];
  const entries: bigint[] = [];
  for (let i = 0; i < 2048; i++) {
    let entry = i < 256 ? BigInt(i) : (entries[i - 256] ?? 0n);
    if (i < 256)
      for (let bit = 0; bit < 8; bit++) entry = entry & 1n ? (entry >> 1n) ^ polynomial : entry >> 1n;
    else entry = (entry >> 8n) ^ (entries[Number(entry & 255n)] ?? 0n);
    entries.push(entry);
    high[i] = Number(BigInt.asIntN(32, entry >> 32n));
    low[i] = Number(BigInt.asIntN(32, entry));
  }
  const tables = { high, low };
  known.set(polynomial, tables);
  return tables;
}

function tabled(polynomial: bigint, width: 32 | 64): Crc {
  const { high, low } = tablesOf(polynomial);
  let [h, l] = [width === 64 ? -1 : 0, -1];
  const at = (table: Int32Array, index: number) => table[index] as number;
  return {
    update(chunk) {
      const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      let i = 0;
      for (; i + 8 <= chunk.length; i += 8) {
        const a = view.getInt32(i, true) ^ l;
        const b = view.getInt32(i + 4, true) ^ h;
        const [i7, i6, i5, i4] = [
          1792 + (a & 255),
          1536 + ((a >>> 8) & 255),
          1280 + ((a >>> 16) & 255),
          1024 + (a >>> 24),
        ];
        const [i3, i2, i1, i0] = [
          768 + (b & 255),
          512 + ((b >>> 8) & 255),
          256 + ((b >>> 16) & 255),
          b >>> 24,
        ];
        l =
          at(low, i7) ^
          at(low, i6) ^
          at(low, i5) ^
          at(low, i4) ^
          at(low, i3) ^
          at(low, i2) ^
          at(low, i1) ^
          at(low, i0);
        h =
          at(high, i7) ^
          at(high, i6) ^
          at(high, i5) ^
          at(high, i4) ^
          at(high, i3) ^
          at(high, i2) ^
          at(high, i1) ^
          at(high, i0);
      }
      for (; i < chunk.length; i++) {
        const index = (l ^ (chunk[i] as number)) & 255;
        l = (l >>> 8) | (h << 24);
        h = h >>> 8;
        l ^= at(low, index);
        h ^= at(high, index);
      }
    },
    digest: () => {
      const low32 = BigInt.asUintN(32, BigInt(~l));
      return width === 64 ? (BigInt.asUintN(32, BigInt(~h)) << 32n) | low32 : low32;
    },
  };
}

/** The CRC of a text of CRC `first` followed by one of `length` bytes of CRC `second`. */
function combine(first: bigint, second: bigint, length: number, polynomial: bigint, width: number): bigint {
  let power = 1n << BigInt(width - 1); // x^0
  let square = 1n << BigInt(width - 2); // x^1
  for (let bits = BigInt(length) * 8n; bits > 0n; bits >>= 1n) {
    if (bits & 1n) power = multiply(power, square, polynomial, width);
    square = multiply(square, square, polynomial, width);
  }
  return multiply(power, first, polynomial, width) ^ second;
}

/** Product of two polynomials over GF(2), modulo the CRC's own; bits reflected, as everything here. */
function multiply(a: bigint, b: bigint, polynomial: bigint, width: number): bigint {
  let product = 0n;
  let shifted = b;
  for (let bit = 1n << BigInt(width - 1); bit > 0n; bit >>= 1n) {
    if (a & bit) product ^= shifted;
    shifted = shifted & 1n ? (shifted >> 1n) ^ polynomial : shifted >> 1n;
  }
  return product;
}
