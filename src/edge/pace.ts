/** How a store sends, and so how much of a body may be waited for at once. */

/** So much that came within so little time makes a store fast: bytes, and milliseconds. */
const PROOF = 2 ** 20;
const PROVEN_WITHIN = 200;
/** A fast store from which nothing came for so long is fast no more, milliseconds. */
const PAUSE = 50;
/** A store that was fast just now, and sends less than this, has fallen silent: bytes a millisecond. */
const SLOWEST = 13;

/**
 * Each read costs the same, however little it brings: of a store that sends fast, a piece is waited for until it is large,
 * which is a matter of milliseconds. Of any other whatever comes is taken, a byte if it is one.
 */
export class Pace {
  readonly #large: number;
  #isFast = false;
  /** Of what came since it was last judged: bytes, and what was waited for them in milliseconds. */
  #bytes = 0;
  #time = 0;

  /** @param silenceLimit after which a read that brings nothing has failed, milliseconds */
  constructor(silenceLimit: number) {
    this.#large = SLOWEST * silenceLimit;
  }

  /** What the next read is to bring at least, bytes. */
  least(room: number): number {
    return this.#isFast ? Math.min(this.#large, room) : 1;
  }

  /** @param time that was waited for it, milliseconds */
  took(bytes: number, time: number): void {
    if (this.#isFast) {
      this.#isFast = time <= PAUSE;
      return;
    }
    this.#bytes += bytes;
    this.#time += time;
    if (this.#bytes < PROOF) return;
    this.#isFast = this.#time <= PROVEN_WITHIN;
    this.#bytes = 0;
    this.#time = 0;
  }
}
