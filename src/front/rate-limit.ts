/** How often a caller may ask, where RATE_LIMIT is bound: each item of a batch counts as a request. */

import type { RateLimit } from "../bindings.ts";
import { describeUnforeseen, type ErrorEntry } from "../log.ts";
import { Refused } from "../refused.ts";

/** No limit's period is longer: a caller who has waited so long may call again. Seconds. */
const LONGEST_RATE_PERIOD = 60;
/** How many are asked for at once: a batch that is refused asks for few in vain. */
const STEP = 50;

/**
 * Counts items against a limit; the first that is refused ends it.
 *
 * @param key whose limit it is
 * @param tell takes an error of the limiter: one that is down must not take the service with it
 * @returns how many may be done
 */
export async function charge(
  limiter: RateLimit,
  key: string,
  items: number,
  tell: (entry: ErrorEntry) => void,
): Promise<number> {
  let allowed = 0;
  while (allowed < items) {
    const step = Math.min(STEP, items - allowed);
    try {
      const answers = await Promise.all(Array.from({ length: step }, () => limiter.limit({ key })));
      const granted = answers.filter(({ success }) => success).length;
      allowed += granted;
      if (granted < step) return allowed;
    } catch (error) {
      tell({ code: "internal", ...describeUnforeseen(error) });
      return items;
    }
  }
  return allowed;
}

/** The key of a caller's limit: users of an app have one each. */
export function callerKey({ name, subject }: { name: string; subject?: string }): string {
  return JSON.stringify([name, subject]);
}

/**
 * The key of a stranger's limit: their address, of which somebody with IPv6 has 2^64.
 *
 * @param ip undefined where it is not known; all these are one stranger
 */
export function strangerKey(ip = ""): string {
  return JSON.stringify([null, ip.includes(":") ? networkOf(ip) : ip]);
}

/** The first 64 bits of an IPv6 address, without what `::` leaves out (RFC 4291, section 2.2). */
function networkOf(ip: string): string {
  const [head = "", tail] = ip.toLowerCase().split("::");
  const left = head.split(":").filter(Boolean);
  const right = tail?.split(":").filter(Boolean) ?? [];
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array.from({ length: zeros }, () => "0"), ...right];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":");
}

export function tooManyRequests(): Refused {
  return new Refused("rate-limited", `Too many requests: wait ${LONGEST_RATE_PERIOD} seconds.`, {
    retryAfter: LONGEST_RATE_PERIOD,
  });
}
