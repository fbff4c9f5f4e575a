/** The body of a request on its way through: read in pieces, into memory that is used again. */

/** What the store has to take a piece of the body, milliseconds. */
const STALL_LIMIT = 20_000;
/** How long the rest of a body that is not wanted any more is taken, milliseconds. */
const LINGER = 5_000;
/** What is moved at once, bytes. */
const PIECE = 256 * 1024;

/** A body, cut into pieces of one size; the last may be shorter, and beyond it they are empty. */
export class Pieces {
  /** Whether the body has ended: no further piece holds anything. */
  isOver = false;
  readonly #reader: ReadableStreamBYOBReader;
  readonly #size: number;
  readonly #spare: ArrayBufferLike[] = [];

  constructor(body: ReadableStream<Uint8Array>, size: number) {
    this.#reader = body.getReader({ mode: "byob" });
    this.#size = size;
  }

  async next(): Promise<Uint8Array> {
    let buffer = this.#spare.pop() ?? new ArrayBuffer(this.#size);
    let length = 0;
    while (length < this.#size && !this.isOver) {
      const { isOver, bytes } = await readInto(buffer, this.#reader, {
        offset: length,
        min: this.#size - length,
      });
      this.isOver = isOver;
      length += bytes.length;
      buffer = bytes.buffer;
    }
    return new Uint8Array(buffer, 0, length);
  }

  /** Gives a piece's memory back, once it is sent: whatever the body's length, two pieces suffice. */
  reuse({ buffer }: Uint8Array): void {
    if (buffer.byteLength === this.#size) this.#spare.push(buffer);
  }

  discard(): Promise<void> {
    return discard(this.#reader);
  }
}

/**
 * Moves a body as fast as it is taken, and rejects when it breaks off. That it is not taken any more is for the taker to
 * tell; its rest is thrown away then.
 *
 * @param onStall called when a piece is not taken in time; how slow the client is does not matter
 * @param signal ends it
 */
export async function pump(
  from: ReadableStream<Uint8Array>,
  to: WritableStream<Uint8Array>,
  { onStall, signal }: { onStall: () => void; signal: AbortSignal },
): Promise<void> {
  const reader = from.getReader({ mode: "byob" });
  const writer = to.getWriter();
  let buffer: ArrayBufferLike = new ArrayBuffer(PIECE);
  // It may have ended by itself.
  signal.addEventListener("abort", () => void writer.abort().catch(() => {}));
  let writingSince: number | undefined;
  const watch = setInterval(() => {
    if (writingSince !== undefined && Date.now() - writingSince > STALL_LIMIT) onStall();
  }, 1000);
  const isTaken = (taking: Promise<void>) =>
    taking.then(
      () => true,
      () => false,
    );
  try {
    for (;;) {
      const { isOver, bytes } = await readInto(buffer, reader);
      writingSince = Date.now();
      const wasTaken = await isTaken(isOver ? writer.close() : writer.write(bytes));
      writingSince = undefined;
      if (isOver) return;
      if (!wasTaken) return await discard(reader);
      // It has been taken, so that the next piece may go where it was: no garbage, however long the body.
      buffer = bytes.buffer;
    }
  } finally {
    clearInterval(watch);
  }
}

/**
 * Takes the rest of a body, for a while: many senders read no answer before they have sent everything, and learn nothing
 * from a connection that is closed under them.
 */
async function discard(reader: ReadableStreamBYOBReader): Promise<void> {
  const timer = setTimeout(() => reader.cancel().catch(() => {}), LINGER);
  let buffer: ArrayBufferLike = new ArrayBuffer(PIECE);
  try {
    for (;;) {
      const { isOver, bytes } = await readInto(buffer, reader);
      if (isOver) return;
      buffer = bytes.buffer;
    }
  } catch {
    // The sender has gone away: nobody is left to hear.
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Reads into a buffer, which is taken away meanwhile and comes back below the bytes.
 *
 * @param min waits for so many bytes, or the end: one long read leaves less garbage than many short ones
 */
async function readInto(
  buffer: ArrayBufferLike,
  reader: ReadableStreamBYOBReader,
  { offset = 0, min = 1 }: { offset?: number; min?: number } = {},
): Promise<{ isOver: boolean; bytes: Uint8Array }> {
  const { done, value = new Uint8Array() } = await reader.read(new Uint8Array(buffer, offset), { min });
  return { isOver: done, bytes: value as Uint8Array };
}
