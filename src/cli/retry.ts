/** Trying again as the client does, where the network or an overloaded store may be to blame. */
import { persist } from "../client/retry.ts";

/** Less often than the client, after half its waits: somebody looks on. */
export const SOON = { attempts: 5, firstWait: 150 };

/** What may succeed when it is tried again. */
export class Transient extends Error {
  override name = "Transient";
  readonly isPassing = true;
  /** Milliseconds after which another attempt is welcome. */
  readonly retryAfter: number | undefined;

  constructor(message: string, retryAfter?: number) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

/** Runs `attempt` until it does not throw what may pass, five times at most. */
export function withRetries<T>(attempt: () => Promise<T>): Promise<T> {
  return persist(attempt, undefined, SOON);
}
