/** The daily look at the keys: what soon, or already, keeps uploads from being written is logged. */

import { CustomerKeyError } from "../keys/customer-key.ts";
import { type KeyRule, writer } from "../keys/ring.ts";
import { logError, logKeyExpiring } from "../log.ts";
import type { Service } from "../service.ts";

const DAY = 86_400_000;
/** A key is near its end so many days before. */
const WARNING_DAYS = 30;

export async function watchKeys({ config, ring }: Service, now = Date.now()): Promise<void> {
  for (const rule of config.keys.values()) {
    const buckets = [...config.buckets.values()]
      .filter(({ keys }) => keys.includes(rule))
      .map(({ name }) => name);
    const message = lifeOf(rule, now);
    if (message !== undefined && buckets.length > 0) {
      const writeUntil = new Date(rule.writeUntil as number).toISOString();
      logKeyExpiring({ keyId: rule.id, buckets, writeUntil, message });
    }
    await ring.md5(rule).catch((error: unknown) => {
      if (!(error instanceof CustomerKeyError)) throw error;
      logError({ code: "key-invalid", message: `KEYS.${rule.id}: ${error.message}` });
    });
  }
  for (const { name, keys } of config.buckets.values()) {
    if (writer(keys, now) !== undefined) continue;
    logKeyExpiring({
      buckets: [name],
      message: `none of the keys of BUCKETS.${name} may write now: uploads are refused`,
    });
  }
}

/** What an operator should know of a key that is near its end, or past it. */
export function lifeOf({ id, writeUntil }: KeyRule, now: number): string | undefined {
  if (writeUntil === undefined) return undefined;
  const days = Math.ceil((writeUntil - now) / DAY);
  if (days > WARNING_DAYS) return undefined;
  return days > 0
    ? `KEYS.${id} stops writing in ${days} day${days === 1 ? "" : "s"}: put its successor before it in its buckets' keys`
    : `KEYS.${id} no longer writes: rotate what is still under it, then take it out of its buckets' keys`;
}
