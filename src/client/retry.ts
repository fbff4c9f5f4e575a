/** What is tried again, and when. */
import type { SsecError } from "./error.ts";

/** Milliseconds. */
const FIRST_WAIT = 300;
const LONGEST_WAIT = 20_000;
const ATTEMPTS = 6;
/** Of what is asked for by Retry-After. Whoever waits longer than this decides that for themselves. */
export const PATIENCE = 60_000;
/** Where nothing answers at all, most often nothing ever will; where a new URL does not do, the next one does not either. */
const ATTEMPTS_UNHEARD = 3;
const ATTEMPTS_STALE = 2;

/**
 * Does it until it goes well, with twice the wait before each further time, and chance in it, so that many clients do not
 * come back together.
 *
 * @param attempt gets how often it has failed
 * @throws what the last attempt throws, which tells in `retryAfter` how long the other side wants to be left alone where that is
 * longer than anybody waits here; the signal's reason
 */
export async function persist<T>(
  attempt: (failures: number) => Promise<T>,
  signal: AbortSignal | undefined,
  onFailure?: (error: SsecError) => void,
): Promise<T> {
  for (let failures = 0; ; ) {
    signal?.throwIfAborted();
    try {
      return await attempt(failures);
    } catch (caught) {
      // Whose error it is does not matter, where it says that it may pass.
      const error = caught as SsecError;
      if (!error?.isPassing) throw error;
      failures++;
      const isUnheard = error.code === "cors-or-network";
      const attempts = isUnheard ? ATTEMPTS_UNHEARD : error.isStale ? ATTEMPTS_STALE : ATTEMPTS;
      if (failures >= attempts || Number(error.retryAfter) > PATIENCE) throw error;
      onFailure?.(error);
      await pause(waitAfter(failures, error.retryAfter), signal);
    }
  }
}

/**
 * Milliseconds before the next attempt, where `failures` have been: as many as the other side asks for, or a number of our own.
 *
 * @param first what an attempt that never failed would wait
 */
export function waitAfter(failures: number, retryAfter?: number, first = FIRST_WAIT): number {
  return retryAfter ?? Math.min(first * 2 ** failures, LONGEST_WAIT) * (0.5 + Math.random() / 2);
}

/** What Retry-After says, in milliseconds: of seconds, or of a date that is to come. */
export function retryAfterOf(header: string | null | undefined): number | undefined {
  const wait = Number(header) * 1000 || Date.parse(String(header)) - Date.now();
  return wait > 0 ? wait : undefined;
}

/** @throws the signal's reason */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", end);
  });
}
