/** Several at once, and fewer where the other side says that it is too much. */

/**
 * @param next the next one; undefined where there is none. It is not called again before it is there.
 * @param work does one; it calls `slow` where it was told to
 * @param most at once
 * @throws what the first that fails throws, when all that were begun have ended
 */
export async function inParallel<T>(
  next: () => Promise<T | undefined>,
  work: (item: T, slow: () => void, signal: AbortSignal) => Promise<void>,
  most: number,
  outer: AbortSignal | undefined,
): Promise<void> {
  const ending = new AbortController();
  const end = () => ending.abort(outer?.reason);
  outer?.addEventListener("abort", end);
  const running = new Set<Promise<void>>();
  // As TCP does it: half of them after a refusal, and one more for each round that goes well.
  let allowed = most;
  const slow = () => {
    allowed = Math.max(1, allowed / 2);
  };
  const failed = new Promise<never>((_, reject) => {
    ending.signal.addEventListener("abort", () => reject(ending.signal.reason));
  });
  failed.catch(() => {});
  try {
    outer?.throwIfAborted();
    for (;;) {
      while (running.size >= Math.floor(allowed)) await Promise.race([failed, ...running]);
      const item = await Promise.race([failed, next()]);
      if (item === undefined) break;
      const one = work(item, slow, ending.signal)
        .then(
          () => {
            allowed = Math.min(most, allowed + 1 / allowed);
          },
          (error: unknown) => ending.abort(error),
        )
        .finally(() => running.delete(one));
      running.add(one);
    }
    await Promise.all(running);
    ending.signal.throwIfAborted();
  } catch (error) {
    ending.abort(error);
    await Promise.all(running);
    throw error;
  } finally {
    outer?.removeEventListener("abort", end);
  }
}
