/** A body on its way through: read in pieces, into memory that is used again, and no longer than it moves. */
import type { Limits } from "../limits.ts";
import { Refused } from "../refused.ts";
import type { Digests } from "./digests.ts";
import { type Memory, memoryOf, noMemory } from "./memory.ts";
import { Pace } from "./pace.ts";

/** What is moved at once, bytes. */
const PIECE = 256 * 1024;

/** What bounds an upload. */
export interface BodyLimits {
  readonly limits: Limits;
  /** Instead of the one that all uploads with these limits share. */
  readonly memory?: Memory;
}

interface Read {
  readonly isOver: boolean;
  readonly bytes: Uint8Array;
}

/** Reads into memory that is its caller's, and waits for each byte only so long. */
class Reader {
  readonly #reader: ReadableStreamBYOBReader;
  readonly #silenceLimit: number;
  readonly #silent: () => Error;
  #isSilent = false;
  /** Of the read that is waited for: since when, milliseconds since the epoch, and what fails it. */
  #since: number | undefined;
  #fail: (error: Error) => void = () => {};
  /** One for many reads: to set another for each costs a tenth of all that a download does. */
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(body: ReadableStream<Uint8Array>, silenceLimit: number, silent: () => Error) {
    this.#reader = body.getReader({ mode: "byob" });
    this.#silenceLimit = silenceLimit;
    this.#silent = silent;
  }

  /**
   * Whatever there is, as soon as there is something. The buffer is taken away meanwhile and comes back below the bytes.
   *
   * @param least so many bytes are waited for, as long as the body has as many
   * @throws what `silent` says when nothing comes in time
   */
  async into(buffer: ArrayBufferLike, offset = 0, least = 1): Promise<Read> {
    this.#since = Date.now();
    this.#timer ??= setTimeout(this.#look, this.#silenceLimit);
    try {
      const { done, value = new Uint8Array() } = await new Promise<{
        done: boolean;
        value?: Uint8Array | undefined;
      }>((resolve, reject) => {
        this.#fail = reject;
        this.#reader.read(new Uint8Array(buffer, offset), { min: least }).then(resolve, reject);
      });
      return { isOver: done, bytes: value };
    } finally {
      this.#since = undefined;
    }
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    // Nothing is waited for now: the next read looks again.
    if (this.#since === undefined) return;
    const left = this.#since + this.#silenceLimit - Date.now();
    if (left > 0) {
      this.#timer = setTimeout(this.#look, left);
      return;
    }
    this.#isSilent = true;
    this.#fail(this.#silent());
  };

  /** Nothing is read any more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  cancel(): void {
    this.#reader.cancel().catch(() => {});
  }

  /**
   * Takes the rest of a body, for a while: many senders read no answer before they have sent everything, and learn
   * nothing from a connection that is closed under them.
   *
   * @param linger milliseconds
   */
  async discard(linger: number): Promise<void> {
    if (this.#isSilent) return this.cancel();
    const timer = setTimeout(() => this.cancel(), linger);
    let buffer: ArrayBufferLike = new ArrayBuffer(PIECE);
    try {
      for (;;) {
        const { isOver, bytes } = await this.into(buffer);
        if (isOver) return;
        buffer = bytes.buffer;
      }
    } catch {
      // The sender has gone away: nobody is left to hear.
    } finally {
      clearTimeout(timer);
      this.end();
    }
  }
}

function clientOf(body: ReadableStream<Uint8Array>, silenceLimit: number): Reader {
  return new Reader(
    body,
    silenceLimit,
    () =>
      new Refused(
        "invalid-request",
        `Nothing of the body came for ${silenceLimit / 1000} seconds: send it again, without such a pause.`,
      ),
  );
}

/** Takes what nobody has begun to read, for a while: see `Reader.discard`. */
export async function discard(body: ReadableStream<Uint8Array> | null, limits: Limits): Promise<void> {
  if (body === null || body.locked) return;
  await clientOf(body, limits.clientSilence).discard(limits.linger);
}

interface Block {
  readonly size: number;
  /** Undefined while it is read into. */
  buffer: ArrayBufferLike | undefined;
  filled: number;
}

/** A part of a body, in memory until it is released. */
export class Piece {
  readonly #memory: Memory;
  readonly #blocks: Block[] = [];
  /** Bytes. */
  size = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** As it came. */
  *chunks(): Generator<Uint8Array> {
    for (const { buffer, filled } of this.#blocks)
      if (buffer && filled > 0) yield new Uint8Array(buffer, 0, filled);
  }

  /** A body of its own each time, for a request to the store. */
  stream(): ReadableStream<Uint8Array> {
    const { readable, writable } = new FixedLengthStream(this.size);
    void this.#writeTo(writable.getWriter());
    return readable;
  }

  async #writeTo(writer: WritableStreamDefaultWriter<Uint8Array>): Promise<void> {
    try {
      for (const chunk of this.chunks()) await writer.write(chunk);
      await writer.close();
    } catch {
      // It is not taken any more: whoever sends it knows why.
    }
  }

  /** @returns false when there is no memory for what comes next */
  grow(room: number, isPolite: boolean): boolean {
    const held = this.#blocks.reduce((sum, { size }) => sum + size, 0);
    const buffer = this.#memory.take(held, room, isPolite);
    if (buffer === undefined) return false;
    this.#blocks.push({ size: buffer.byteLength, buffer, filled: 0 });
    return true;
  }

  /** The block that is filled now; undefined when another is needed. */
  get #last(): Block | undefined {
    const last = this.#blocks.at(-1);
    return last && last.filled < last.size ? last : undefined;
  }

  get isFull(): boolean {
    return this.#last === undefined;
  }

  async fill(reader: Reader): Promise<Read> {
    const block = this.#last;
    if (block?.buffer === undefined) throw new Error("a piece is filled that has not grown");
    const { buffer, filled } = block;
    block.buffer = undefined;
    const read = await reader.into(buffer, filled);
    block.buffer = read.bytes.buffer;
    block.filled += read.bytes.length;
    this.size += read.bytes.length;
    return read;
  }

  release(): void {
    for (const { size, buffer } of this.#blocks.splice(0)) this.#memory.give(size, buffer);
  }
}

/** A body, cut into pieces of one size; the last may be shorter, and beyond it they are empty. */
export class Pieces {
  /** Whether the body has ended: no further piece holds anything. */
  isOver = false;
  readonly #reader: Reader;
  readonly #size: number;
  readonly #digests: Digests;
  readonly #memory: Memory;
  readonly #limits: Limits;
  #hasBegun = false;

  constructor(
    body: ReadableStream<Uint8Array>,
    size: number,
    digests: Digests,
    { limits, memory = memoryOf(limits) }: BodyLimits,
  ) {
    this.#limits = limits;
    this.#reader = clientOf(body, limits.clientSilence);
    this.#size = size;
    this.#digests = digests;
    this.#memory = memory;
  }

  /**
   * The next piece, for the caller to release. Its memory is taken as its bytes come.
   *
   * @param freed settles when the piece before is released: where memory is short it is waited for
   * @throws {Refused} invalid-request when the client falls silent; unavailable when there is no memory
   */
  async next(freed?: Promise<unknown>): Promise<Piece> {
    const piece = new Piece(this.#memory);
    try {
      while (piece.size < this.#size && !this.isOver) {
        if (piece.isFull) await this.#grow(piece, freed);
        const { isOver, bytes } = await piece.fill(this.#reader);
        this.isOver = isOver;
        this.#digests.update(bytes);
      }
      return piece;
    } catch (error) {
      piece.release();
      throw error;
    } finally {
      this.#reader.end();
    }
  }

  async #grow(piece: Piece, freed: Promise<unknown> | undefined): Promise<void> {
    const room = this.#size - piece.size;
    // What is read while the piece before is sent could wait for it.
    let hasGrown = piece.grow(room, !this.#hasBegun || freed !== undefined);
    if (!hasGrown && freed !== undefined) {
      await freed.catch(() => {});
      hasGrown = piece.grow(room, false);
    }
    if (!hasGrown && this.#hasBegun) hasGrown = await this.#growLater(piece, room);
    if (!hasGrown) throw noMemory();
    this.#hasBegun = true;
  }

  async #growLater(piece: Piece, room: number): Promise<boolean> {
    let isLate = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        isLate = true;
        resolve();
      }, this.#limits.memoryWait);
    });
    try {
      while (!isLate) {
        await Promise.race([this.#memory.freed, late]);
        if (piece.grow(room, false)) return true;
      }
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  discard(): Promise<void> {
    return this.#reader.discard(this.#limits.linger);
  }
}

export interface Pumping extends BodyLimits {
  /** What the store has to take a piece, milliseconds. */
  readonly stallLimit: number;
  /** Of the whole, bytes. */
  readonly length: number;
  readonly digests: Digests;
  /** Called when a piece is not taken in time; how slow the client is does not matter. */
  readonly onStall: () => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Moves the body of an upload as fast as it is taken. That it is not taken any more is for the taker to tell; its rest is
 * thrown away then. What would make it whole is moved only once its digests are right.
 *
 * @throws {Refused} invalid-request when the client falls silent, or the body is not what its digests say; unavailable
 * when there is no memory; whatever a body that breaks off throws
 */
export async function pump(
  from: ReadableStream<Uint8Array>,
  to: WritableStream<Uint8Array>,
  { length, digests, stallLimit, onStall, signal, limits, memory = memoryOf(limits) }: Pumping,
): Promise<void> {
  const taken = memory.take(PIECE, PIECE, true);
  if (taken === undefined) throw noMemory();
  const reader = clientOf(from, limits.clientSilence);
  const writer = to.getWriter();
  let buffer: ArrayBufferLike = taken;
  // It may have ended by itself.
  signal.addEventListener("abort", () => void writer.abort().catch(() => {}));
  let writingSince: number | undefined;
  const watch = setInterval(() => {
    if (writingSince !== undefined && Date.now() - writingSince > stallLimit) onStall();
  }, stallLimit / 20);
  const isTaken = (taking: Promise<void>) =>
    taking.then(
      () => true,
      () => false,
    );
  let moved = 0;
  try {
    for (;;) {
      const { isOver, bytes } = await reader.into(buffer);
      digests.update(bytes);
      moved += bytes.length;
      if (!isOver && moved === length) digests.verify();
      writingSince = Date.now();
      const wasTaken = await isTaken(isOver ? writer.close() : writer.write(bytes));
      writingSince = undefined;
      if (isOver) return;
      if (!wasTaken) return await reader.discard(limits.linger);
      // It has been taken, so that the next piece may go where it was: no garbage, however long the body.
      buffer = bytes.buffer;
    }
  } finally {
    clearInterval(watch);
    reader.end();
    memory.give(PIECE, undefined);
  }
}

export interface Relaying {
  /** Milliseconds. */
  readonly silenceLimit: number;
  /** Of the body, bytes, where it is known: a short one needs little memory. */
  readonly length?: number | undefined;
}

/**
 * Moves the body of a download as fast as the client takes it, and reads on while it does. A store that sends nothing for
 * a while breaks it off; a client that takes nothing does not. One that has gone ends the store's side as well.
 */
export async function relay(
  from: ReadableStream<Uint8Array>,
  to: WritableStream<Uint8Array>,
  { silenceLimit, length = PIECE }: Relaying,
): Promise<void> {
  const reader = new Reader(from, silenceLimit, () => new Error("the store sends nothing more"));
  const writer = to.getWriter();
  const pace = new Pace(silenceLimit);
  const size = Math.min(Math.max(length, 1), PIECE);
  let spare: ArrayBufferLike | undefined;
  let other: ArrayBufferLike | undefined;
  let writing: Promise<void> | undefined;
  try {
    for (;;) {
      const asked = Date.now();
      const { isOver, bytes } = await reader.into(spare ?? new ArrayBuffer(size), 0, pace.least(size));
      pace.took(bytes.length, Date.now() - asked);
      await writing;
      if (isOver) return await writer.close();
      writing = writer.write(bytes);
      writing.catch(() => reader.cancel());
      // It is read into while this is written, and the other way round: no garbage, however long the body.
      [spare, other] = [other, bytes.buffer];
    }
  } catch (error) {
    reader.cancel();
    // What has come is the client's, and then the reason why there is no more.
    await writing?.catch(() => {});
    await writer.abort(error).catch(() => {});
  } finally {
    reader.end();
  }
}
