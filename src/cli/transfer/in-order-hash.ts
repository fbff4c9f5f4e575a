/** The hash of a file whose parts arrive in any order, taken while they do. */
import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";

/** Bytes read back at once. */
const CHUNK = 2 ** 20;

export class InOrderHash {
  readonly #file: FileHandle;
  readonly #hash = createHash("sha256");
  /** Up to where the hash goes. */
  #at = 0;
  #reading: Promise<void> | undefined;

  /** @param file open for reading, too */
  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Takes bytes that are written at a position, where they come next; others are read back later. */
  take(position: number, chunk: Buffer): void {
    if (position !== this.#at || this.#reading !== undefined) return;
    this.#hash.update(chunk);
    this.#at += chunk.length;
  }

  /** Reads back what is in the file, up to a position that it is whole to. */
  async catchUp(to: number): Promise<void> {
    while (this.#reading !== undefined) await this.#reading;
    if (this.#at >= to) return;
    this.#reading = this.#readTo(to).finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
  }

  /** Hexadecimal, of the bytes up to a position. */
  async digest(to: number): Promise<string> {
    await this.catchUp(to);
    return this.#hash.digest("hex");
  }

  async #readTo(to: number): Promise<void> {
    const buffer = Buffer.allocUnsafe(CHUNK);
    while (this.#at < to) {
      const length = Math.min(buffer.length, to - this.#at);
      const { bytesRead } = await this.#file.read(buffer, 0, length, this.#at);
      if (bytesRead === 0) throw new Error("the file was cut while it was downloaded: begin again");
      this.#hash.update(buffer.subarray(0, bytesRead));
      this.#at += bytesRead;
    }
  }
}
