/** A message to be hashed: bytes that are written one piece after another, in memory that serves again and again. */

const utf8 = new TextEncoder();

/** Bytes that SHA-256 takes in at once. */
export const BLOCK = 64;
/** At most, bytes. */
const PADDING = BLOCK + 8;

/** The two hexadecimal digits of each byte, as two bytes of ASCII. */
const DIGITS = new Uint16Array(256);
const HEX = "0123456789abcdef";
for (let high = 0; high < 16; high++)
  for (let low = 0; low < 16; low++)
    DIGITS[16 * high + low] = (HEX.charCodeAt(high) << 8) | HEX.charCodeAt(low);

export class Message {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  /** @param room bytes to begin with; more is made where it is needed */
  constructor(room = 128) {
    this.#bytes = new Uint8Array(room);
    this.#view = new DataView(this.#bytes.buffer);
  }

  static of(bytes: Uint8Array): Message {
    return new Message(bytes.length + PADDING).addBytes(bytes);
  }

  get length(): number {
    return this.#length;
  }

  /** The memory, in which the message is the first `length` bytes. */
  get view(): DataView {
    return this.#view;
  }

  /** The message itself, as long as nothing is added. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Keeps the first `length` bytes. */
  restart(length = 0): this {
    this.#length = length;
    return this;
  }

  /** UTF-8. */
  add(text: string): this {
    this.#reserve(text.length);
    const bytes = this.#bytes;
    const start = this.#length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return this.addBytes(utf8.encode(text));
      bytes[start + i] = code;
    }
    this.#length += text.length;
    return this;
  }

  addBytes(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** Big-endian, as SHA-256 has them. */
  addWords(words: Int32Array): this {
    this.#reserve(4 * words.length);
    for (let i = 0; i < words.length; i++) this.#view.setInt32(this.#length + 4 * i, words[i] ?? 0);
    this.#length += 4 * words.length;
    return this;
  }

  /** The same in hexadecimal digits. */
  addHex(words: Int32Array): this {
    this.#reserve(8 * words.length);
    const view = this.#view;
    let at = this.#length;
    for (let i = 0; i < words.length; i++) {
      const word = words[i] ?? 0;
      view.setUint16(at, DIGITS[word >>> 24] ?? 0);
      view.setUint16(at + 2, DIGITS[(word >>> 16) & 0xff] ?? 0);
      view.setUint16(at + 4, DIGITS[(word >>> 8) & 0xff] ?? 0);
      view.setUint16(at + 6, DIGITS[word & 0xff] ?? 0);
      at += 8;
    }
    this.#length = at;
    return this;
  }

  /**
   * Pads it to whole blocks: FIPS 180-4, 5.1.1. What is added afterwards overwrites the padding.
   *
   * @param before bytes that were hashed before these
   * @returns where the last block ends
   */
  pad(before: number): number {
    const length = this.#length;
    this.#reserve(PADDING);
    const end = (length + PADDING) & -BLOCK;
    const bytes = this.#bytes;
    bytes[length] = 0x80;
    for (let at = length + 1; at < end - 4; at++) bytes[at] = 0;
    this.#view.setUint32(end - 4, 8 * (before + length));
    return end;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * needed);
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** Big-endian, as SHA-256 has them. */
export function bytesOf(words: Int32Array): Uint8Array {
  return new Message(4 * words.length).addWords(words).bytes;
}
