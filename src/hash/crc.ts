/**
 * The checksums of S3 that no runtime has: CRC32C and CRC64NVME. A table of 256 entries each and a loop: what there is
 * on npm is a part of the AWS SDK that is not for others to use, or is written for Node alone.
 *
 * @see https://reveng.sourceforge.io/crc-catalogue/all.htm
 */

const { crc32 } = process.getBuiltinModule("node:zlib");

export interface Checksum {
  update(bytes: Uint8Array): void;
  /** Big-endian, as S3 writes it before base64. */
  digest(): Uint8Array;
}

/** The runtime's own. */
export class Crc32 implements Checksum {
  #crc = 0;

  update(bytes: Uint8Array): void {
    this.#crc = crc32(bytes, this.#crc);
  }

  digest(): Uint8Array {
    return bigEndian(this.#crc);
  }
}

/** Castagnoli's polynomial, its bits in reverse. */
const CRC32C = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

export class Crc32c implements Checksum {
  #crc = -1;

  update(bytes: Uint8Array): void {
    let crc = this.#crc;
    for (let i = 0; i < bytes.length; i++) {
      crc = (CRC32C[(crc ^ (bytes[i] as number)) & 0xff] as number) ^ (crc >>> 8);
    }
    this.#crc = crc;
  }

  digest(): Uint8Array {
    return bigEndian(~this.#crc);
  }
}

/** In two halves, since numbers have but 32 bits to shift; the high one first, and then the low one. */
const CRC64NVME = new Int32Array(512);
for (let byte = 0; byte < 256; byte++) {
  let high = 0;
  let low = byte;
  for (let bit = 0; bit < 8; bit++) {
    const isOdd = low & 1;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (isOdd) {
      high ^= 0x9a6c9329;
      low ^= 0xac4bc9b5;
    }
  }
  CRC64NVME[2 * byte] = high;
  CRC64NVME[2 * byte + 1] = low;
}

export class Crc64Nvme implements Checksum {
  #high = -1;
  #low = -1;

  update(bytes: Uint8Array): void {
    let high = this.#high;
    let low = this.#low;
    for (let i = 0; i < bytes.length; i++) {
      const at = 2 * ((low ^ (bytes[i] as number)) & 0xff);
      low = ((low >>> 8) | (high << 24)) ^ (CRC64NVME[at + 1] as number);
      high = (high >>> 8) ^ (CRC64NVME[at] as number);
    }
    this.#high = high;
    this.#low = low;
  }

  digest(): Uint8Array {
    return bigEndian(~this.#high, ~this.#low);
  }
}

function bigEndian(...words: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * words.length));
  for (const [i, word] of words.entries()) view.setUint32(4 * i, word >>> 0);
  return new Uint8Array(view.buffer);
}
