/** A body that is read in lines and in runs of bytes, in memory that serves again and again. */
import { S3Fault } from "./faults.ts";

/** What is read at once, bytes. */
const PIECE = 64 * 1024;
const LF = 0x0a;

export class Source {
  readonly #reader: ReadableStreamBYOBReader;
  #memory: ArrayBufferLike = new ArrayBuffer(PIECE);
  /** What has come and was not taken yet. */
  #unread = new Uint8Array();

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader({ mode: "byob" });
  }

  /** Whether something is there without being waited for. */
  get hasMore(): boolean {
    return this.#unread.length > 0;
  }

  /**
   * At least one byte, which are its caller's until the next call.
   *
   * @param most bytes
   * @throws {S3Fault} IncompleteBody at the end
   */
  async next(most: number): Promise<Uint8Array> {
    if (!this.hasMore && !(await this.#read())) throw brokenOff();
    const bytes = this.#unread.subarray(0, most);
    this.#unread = this.#unread.subarray(bytes.length);
    return bytes;
  }

  /**
   * Up to the next CRLF, without it.
   *
   * @param most bytes
   * @throws {S3Fault} IncompleteBody at the end, or when it is longer
   */
  async line(most: number): Promise<string> {
    let line = "";
    while (!line.endsWith("\r\n")) {
      if (!this.hasMore && !(await this.#read())) throw brokenOff();
      const end = this.#unread.indexOf(LF);
      const part = this.#unread.subarray(0, end < 0 ? this.#unread.length : end + 1);
      this.#unread = this.#unread.subarray(part.length);
      if (line.length + part.length > most) throw brokenOff();
      line += Buffer.from(part).toString("latin1");
    }
    return line.slice(0, -2);
  }

  async isAtEnd(): Promise<boolean> {
    return !this.hasMore && !(await this.#read());
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }

  async #read(): Promise<boolean> {
    const { done, value } = await this.#reader.read(new Uint8Array(this.#memory));
    if (done || value === undefined) return false;
    this.#memory = value.buffer;
    this.#unread = value as Uint8Array<ArrayBuffer>;
    return true;
  }
}

function brokenOff(): S3Fault {
  return new S3Fault("IncompleteBody", "The body is not a complete aws-chunked stream.");
}
