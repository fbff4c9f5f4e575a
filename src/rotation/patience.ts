/** A store that fails is asked again, later each time; and not for ever. */
import { Refused } from "../refused.ts";
import { isTransient } from "../s3/store/fetch.ts";
import type { Limits } from "./limits.ts";
import { backoff, sleep } from "./pace.ts";

/** The store has failed again and again. Whether it is an object's doing, or the store's, is for others to find out. */
export class GaveUp extends Error {
  readonly problem: Refused;

  constructor(problem: Refused) {
    super(problem.message);
    this.problem = problem;
  }
}

/** What may be otherwise when the store is asked again. */
export function isPassing(problem: Refused): boolean {
  return isTransient(problem) && problem.storeCode !== "AccessDenied";
}

/** Too much at once, which is no object's fault. */
export function isBusy({ reason }: Refused): boolean {
  return reason === "unavailable" || reason === "rate-limited";
}

/**
 * @param onBusy called when the store says that it is too much
 * @throws {GaveUp}; at once, whatever does not pass
 */
export async function patiently<T>(
  { attempts, backoff: first }: Pick<Limits, "attempts" | "backoff">,
  work: () => Promise<T>,
  onBusy: () => void = () => {},
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Refused) || !isPassing(error)) throw error;
      if (isBusy(error)) onBusy();
      if (attempt >= attempts) throw new GaveUp(error);
      await sleep(backoff(attempt, first));
    }
  }
}
