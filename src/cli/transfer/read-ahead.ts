/** Items that are found while others are worked on, so that it shows early how many there are. */

/**
 * The items, in order. They are taken from their source as fast as it gives them.
 *
 * @param found is told of each
 * @param ended is told when there are no more
 */
export async function* readAhead<T>(
  source: AsyncIterable<T> | Iterable<T>,
  found: (item: T) => void,
  ended: () => void,
): AsyncGenerator<T> {
  const items: T[] = [];
  let isOver = false;
  let isLeft = false;
  let wake = () => {};
  const reading = (async () => {
    for await (const item of source) {
      if (isLeft) return;
      items.push(item);
      found(item);
      wake();
    }
    ended();
  })().finally(() => {
    isOver = true;
    wake();
  });
  // It is thrown when what came before it has been taken.
  reading.catch(() => {});
  try {
    for (let next = 0; ; ) {
      if (next < items.length) {
        yield items[next++] as T;
        continue;
      }
      if (isOver) break;
      // What has been taken is not kept.
      items.length = next = 0;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    await reading;
  } finally {
    isLeft = true;
  }
}
