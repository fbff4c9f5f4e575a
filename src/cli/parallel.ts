/** Many things at once, but never more than so many. */

/** At most `limit` under way at once, whoever asks for them. */
export class Slots {
  readonly limit: number;
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.limit = limit;
    this.#free = limit;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
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
  if (failure !== undefined) throw failure.error;
}
