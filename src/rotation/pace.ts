/** How fast a store is asked: more at once as long as it answers, less as soon as it says that it is too much. */

/** How much is asked at once. */
export class Pace {
  readonly #max: number;
  #width: number;
  #busy = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(width: number, max: number) {
    this.#width = Math.min(width, max);
    this.#max = max;
  }

  /** How many run at once at the moment. */
  get width(): number {
    return Math.floor(this.#width);
  }

  /** Runs the work as soon as there is room for it. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    while (this.#busy >= this.width) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#busy++;
    try {
      return await work();
    } finally {
      this.#busy--;
      this.#wake();
    }
  }

  /** It answered: a little more. */
  quicker(): void {
    this.#width = Math.min(this.#max, this.#width + 1 / this.#width / 4);
    this.#wake();
  }

  /** It said that it is too much: half of it. */
  slower(): void {
    this.#width = Math.max(1, this.#width / 2);
  }

  #wake(): void {
    for (let room = this.width - this.#busy; room > 0; room--) this.#waiting.shift()?.();
  }
}

/**
 * How long is waited before the n-th try, milliseconds: longer each time, and never as long as others do.
 *
 * @param random 0 to 1
 */
export function backoff(attempt: number, first: number, random = Math.random()): number {
  return Math.round(first * 2 ** (attempt - 1) * (0.5 + random));
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
