/** What the cron trigger does. */

import { type Env, serviceOf } from "../service.ts";
import { expireEvents } from "./audit-retention.ts";
import { watchKeys } from "./key-watch.ts";
import { watchRotations } from "./rotation-schedule.ts";

/** Fails when any part does, after all have been tried: the platform shows a failed run to the operator. */
export async function daily(env: Env): Promise<void> {
  const service = serviceOf(env);
  const { bindings, config } = service;
  const results = await Promise.allSettled([
    watchKeys(service),
    watchRotations(service),
    ...(bindings.db ? [expireEvents(config.auditDays, bindings.db)] : []),
  ]);
  const failed = results.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
}
