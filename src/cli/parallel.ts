/** Many things at once, but never more than so many. */

/** At most `limit` under way at once, whoever asks for them. */
export class Slots {
  readonly limit: number;
  readonly #least: number;
  #free: number;
  readonly #waiting: { readonly weight: number; readonly go: () => void }[] = [];

  /** @param least what waits goes on when so many are free, so that several go on together */
  constructor(limit: number, least = 1) {
    this.limit = limit;
    this.#least = least;
    this.#free = limit;
  }

  /** @param weight how many slots the work takes; one that is heavier than all of them takes all */
  async run<T>(work: () => Promise<T>, weight = 1): Promise<T> {
    const release = await this.take(weight);
    try {
      return await work();
    } finally {
      release();
    }
  }

  /** For work whose end is not that of one function. @returns what ends it, which may be called again */
  async take(weight = 1): Promise<() => void> {
    let taken = Math.min(weight, this.limit);
    if (this.#waiting.length === 0 && this.#free >= taken) this.#free -= taken;
    else await new Promise<void>((go) => this.#waiting.push({ weight: taken, go }));
    return () => {
      this.#free += taken;
      taken = 0;
      if (this.#free >= this.#least) this.#wake();
    };
  }

  /** In turn: what is heavy is not passed by for ever. */
  #wake(): void {
    for (let next = this.#waiting[0]; next && this.#free >= next.weight; next = this.#waiting[0]) {
      this.#free -= next.weight;
      this.#waiting.shift();
      next.go();
    }
  }
}

/**
 * Runs `work` for each item, with at most `limit` under way at once. The first failure ends it: nothing more is begun,
 * and it is thrown when what was under way has ended.
 */
export async function inParallel<T>(
  items: Iterable<T> | AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let failure: { error: unknown } | undefined;
  const worker = async () => {
    while (failure === undefined) {
      const { done, value } = await queue.next();
      if (done || failure !== undefined) return;
      await work(value);
    }
  };
  const fail = (error: unknown) => {
    failure ??= { error };
  };
  await Promise.all(Array.from({ length: limit }, () => worker().catch(fail)));
  if (failure === undefined) return;
  await queue.return?.();
  throw failure.error;
}
