/** What is tried again, and when. */
import type { SsecError } from "./error.ts";

/** Milliseconds. */
const FIRST_WAIT = 300;
const LONGEST_WAIT = 20_000;
const ATTEMPTS = 6;
/** Of what is asked for by Retry-After. Whoever waits longer than this decides that for themselves. */
const PATIENCE = 60_000;
/** Where nothing answers at all, most often nothing ever will; where a new URL does not do, the next one does not either. */
const ATTEMPTS_UNHEARD = 3;
const ATTEMPTS_STALE = 2;

/** What was tried often enough: whoever called that, and tries again itself, would multiply the attempts. */
const givenUp = new WeakSet<object>();

export interface Persistence {
  /** At most. Default: six, and fewer where it seems hopeless. */
  readonly attempts?: number;
  /** Milliseconds: half of what the second attempt waits at most. */
  readonly firstWait?: number;
  /** Told of each failure that another attempt follows. */
  readonly onFailure?: (error: SsecError) => void;
}

/**
 * Does it until it goes well, with twice the wait before each further time, and chance in it, so that many clients do not
 * come back together. Of what is persistent itself, no more is asked.
 *
 * @param attempt gets how often it has failed
 * @throws what the last attempt throws, which tells in `retryAfter` how long the other side wants to be left alone where that is
 * longer than anybody waits here; the signal's reason
 */
export async function persist<T>(
  attempt: (failures: number) => Promise<T>,
  signal: AbortSignal | undefined,
  { attempts = ATTEMPTS, firstWait = FIRST_WAIT, onFailure }: Persistence = {},
): Promise<T> {
  for (let failures = 0; ; ) {
    signal?.throwIfAborted();
    try {
      return await attempt(failures);
    } catch (caught) {
      // Whose error it is does not matter, where it says that it may pass.
      const error = caught as SsecError;
      if (!error?.isPassing || givenUp.has(error)) throw error;
      failures++;
      const { code, isStale, retryAfter } = error;
      const most = code === "cors-or-network" ? ATTEMPTS_UNHEARD : isStale ? ATTEMPTS_STALE : attempts;
      if (failures >= most || Number(retryAfter) > PATIENCE) {
        givenUp.add(error);
        throw error;
      }
      onFailure?.(error);
      const chance = 0.5 + Math.random() / 2;
      await pause(retryAfter ?? Math.min(firstWait * 2 ** failures, LONGEST_WAIT) * chance, signal);
    }
  }
}

/** What Retry-After says, in milliseconds: of seconds, or of a date that is to come. */
export function retryAfterOf(header: string | null | undefined): number | undefined {
  const wait = Number(header) * 1000 || Date.parse(String(header)) - Date.now();
  return wait > 0 ? wait : undefined;
}

/** Or until the signal ends it: whoever goes on then looks at that. */
function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener("abort", end);
  });
}
