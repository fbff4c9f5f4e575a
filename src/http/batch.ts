/** Several requests in one: how many, and how they are done. */

/** Requests in one batch. */
export const MAX_BATCH = 1000;
/** The runtime allows six connections at once, and a request may need one to find its key. */
export const BATCH_CONCURRENCY = 6;

/** Like Promise.all over a map, with at most `limit` under way at once. */
export async function mapInOrder<T, R>(
  items: readonly T[],
  limit: number,
  map: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  const queue = items.entries();
  const work = async () => {
    for (const [i, item] of queue) results[i] = await map(item, i);
  };
  await Promise.all(Array.from({ length: limit }, work));
  return results;
}
