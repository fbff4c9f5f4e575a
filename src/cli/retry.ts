/** Trying again, where the network or an overloaded store may be to blame: after waits as the client's are. */
import { pause, waitAfter } from "../client/retry.ts";

const ATTEMPTS = 5;
/** Half of the client's, milliseconds: somebody looks on. */
const FIRST_WAIT = 150;
/** The longest that is waited because the other side asks for it, milliseconds: limits of a rate count for a minute at most. */
const PATIENCE = 60_000;

/** What may succeed when it is tried again. */
export class Transient extends Error {
  override name = "Transient";
  /** Milliseconds after which another attempt is welcome. */
  readonly retryAfter: number | undefined;

  constructor(message: string, retryAfter?: number) {
    super(message);
    this.retryAfter = retryAfter;
  }

  get isPassing(): boolean {
    return (this.retryAfter ?? 0) <= PATIENCE;
  }
}

/** Runs `attempt` until it does not throw what is worth another, five times at most. */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  isWorthAnother = (error: unknown): boolean => error instanceof Transient,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      const { retryAfter } = error as { readonly retryAfter?: number };
      if (!isWorthAnother(error) || failures === ATTEMPTS || (retryAfter ?? 0) > PATIENCE) throw error;
      await pause(waitAfter(failures, retryAfter, FIRST_WAIT));
    }
  }
}
