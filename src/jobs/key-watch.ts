/** The daily look at the keys: what soon, or already, keeps uploads from being written is logged. */

import { CustomerKeyError } from "../keys/customer-key.ts";
import { lifeOf } from "../keys/life.ts";
import { writer } from "../keys/ring.ts";
import { logError, logKeyExpiring } from "../log.ts";
import type { Service } from "../service.ts";

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
