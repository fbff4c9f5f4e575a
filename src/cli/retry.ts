/** Trying again, where the network or an overloaded store may be to blame. */

const ATTEMPTS = 5;
/** Before the second attempt, milliseconds; each later one waits twice as long. */
const FIRST_PAUSE = 250;

/** What may succeed when it is tried again. */
export class Transient extends Error {
  override name = "Transient";
}

/** Runs `attempt` until it does not throw what is worth another, five times at most. */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  isWorthAnother = (error: unknown): boolean => error instanceof Transient,
): Promise<T> {
  for (let number = 1; ; number++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isWorthAnother(error) || number === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE * 2 ** (number - 1)));
    }
  }
}
