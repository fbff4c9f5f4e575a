/**
 * Steps that may have to wait. Where nothing waits the result is there at once: a thousand requests of a batch then cost
 * no promises. A single step is written by `andThen` and `attempt`; several, as a generator, read like an async function.
 */

export type Awaitable<T> = T | Promise<T>;

export type Steps<T> = Generator<Promise<unknown>, T, unknown>;

/** `const value = yield* ready(work())` is to steps what `await` is to an async function. */
export function* ready<T>(value: Awaitable<T>): Steps<T> {
  // What comes back is what the promise was for: `run` sees to that, and TypeScript cannot.
  return value instanceof Promise ? ((yield value) as T) : value;
}

/** What `then` is to a promise. */
export function andThen<T, U>(value: Awaitable<T>, next: (value: T) => Awaitable<U>): Awaitable<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Does the work. Whatever it throws, at once or later, `otherwise` makes something of, or throws another error. */
export function attempt<T, U>(work: () => Awaitable<T>, otherwise: (error: unknown) => U): Awaitable<T | U> {
  try {
    const value = work();
    return value instanceof Promise ? value.catch(otherwise) : value;
  } catch (error) {
    return otherwise(error);
  }
}

/** Takes the steps, without a promise as long as none has to wait. */
export function run<T>(steps: Steps<T>, taken = steps.next()): Awaitable<T> {
  if (taken.done) return taken.value;
  return taken.value.then(
    (value) => run(steps, steps.next(value)),
    (error: unknown) => run(steps, steps.throw(error)),
  );
}
