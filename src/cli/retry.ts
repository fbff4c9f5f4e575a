/** Trying again, where the network or an overloaded store may be to blame: after waits as the client's are. */
import { PATIENCE, pause, waitAfter } from "../client/retry.ts";

const ATTEMPTS = 5;
/** Half of the client's, milliseconds: somebody looks on. */
const FIRST_WAIT = 150;

/** What may succeed when it is tried again. */
export class Transient extends Error {
  override name = "Transient";
  /** To the client, which looks at `retryAfter` itself. */
  readonly isPassing = true;
  /** Milliseconds after which another attempt is welcome. */
  readonly retryAfter: number | undefined;

  constructor(message: string, retryAfter?: number) {
    super(message);
    this.retryAfter = retryAfter;
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
