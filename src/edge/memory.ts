/** The memory of one instance, shared by all uploads that hold a part of their body. */
import { LIMITS, type Limits } from "../limits.ts";
import { Refused } from "../refused.ts";

/** What a new upload leaves for those that have begun, and a part that is read while another is sent for both; bytes. */
const RESERVE = 8 * 2 ** 20;
/** After so many seconds an upload that is under way may have ended. */
const RETRY_AFTER = 10;

/** The least and the most that is taken at once, bytes: never more than what has come already, beyond the least. */
const LEAST = 64 * 2 ** 10;
const MOST = 2 ** 20;
/** How many of the largest blocks are kept to be used again: two parts of one upload, without garbage. */
const MAX_SPARE = 16;

export interface MemoryLimits {
  readonly limit?: number;
  readonly reserve?: number;
}

export class Memory {
  readonly #limit: number;
  readonly #reserve: number;
  readonly #spare: ArrayBufferLike[] = [];
  #held = 0;
  #wake: () => void = () => {};
  #freed: Promise<void> | undefined;

  constructor({ limit = LIMITS.memory, reserve = RESERVE }: MemoryLimits = {}) {
    this.#limit = limit;
    this.#reserve = reserve;
  }

  /** Bytes that are held now. */
  get held(): number {
    return this.#held;
  }

  /**
   * The next block of a part.
   *
   * @param held what its part has of others, bytes
   * @param room what its part may still have, bytes
   * @param isPolite whether it leaves something for those that cannot go on without
   * @returns undefined when there is none
   */
  take(held: number, room: number, isPolite: boolean): ArrayBufferLike | undefined {
    const size = Math.min(room, Math.max(LEAST, held), MOST);
    const reserve = isPolite ? this.#reserve : 0;
    if (this.#held + size + reserve > this.#limit) return undefined;
    this.#held += size;
    return (size === MOST ? this.#spare.pop() : undefined) ?? new ArrayBuffer(size);
  }

  /** @param buffer undefined where a stream that broke off has kept it */
  give(size: number, buffer: ArrayBufferLike | undefined): void {
    this.#held -= size;
    if (size === MOST && buffer?.byteLength === MOST && this.#spare.length < MAX_SPARE)
      this.#spare.push(buffer);
    this.#wake();
    this.#freed = undefined;
  }

  /** Settles when some is given back. */
  get freed(): Promise<void> {
    this.#freed ??= new Promise((resolve) => {
      this.#wake = resolve;
    });
    return this.#freed;
  }
}

const memories = new WeakMap<Limits, Memory>();

/** That of all uploads which have the same limits: those of one app. */
export function memoryOf(limits: Limits): Memory {
  const memory = memories.get(limits) ?? new Memory({ limit: limits.memory });
  memories.set(limits, memory);
  return memory;
}

/** The instance has no memory for another upload: others will end. */
export function noMemory(): Refused {
  return new Refused(
    "unavailable",
    "Too many uploads of unknown length are under way: try again in a while, or send a content-length.",
    { retryAfter: RETRY_AFTER },
  );
}
