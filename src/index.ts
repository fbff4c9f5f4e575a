/** The Worker: nothing but wiring. */
import { app } from "./app.ts";
import { consume } from "./audit/consumer.ts";
import { bindingsOf, type MessageBatch } from "./bindings.ts";
import { daily } from "./daily.ts";
import type { Env } from "./service.ts";

export default {
  fetch: app.fetch,
  queue: (batch: MessageBatch, env: Env) => consume(batch, bindingsOf(env).db),
  scheduled: (_: unknown, env: Env) => daily(env),
};
