/**
 * The Worker: nothing but wiring. What presigning does not need is evaluated when it is first asked for, so that a new
 * instance hands out its first URL the sooner.
 */

import { bindingsOf, type MessageBatch } from "./bindings.ts";
import { presignApi } from "./http/api.ts";
import { type Env, serviceOf } from "./service.ts";

type Fetch = ReturnType<typeof presignApi>["fetch"];

const PRESIGN = /^https?:\/\/[^/]+\/v1\/presign(\/batch)?(\?|$)/;
const presigning = presignApi();

const fetch: Fetch = async (request, env, context) => {
  if (PRESIGN.test(request.url)) return presigning.fetch(request, env, context);
  const { app } = await import("./http/app.ts");
  return app.fetch(request, env, context);
};

/** Undefined where the configuration is wrong, for which no event is to wait. */
function bucketsOf(env: Env): readonly string[] | undefined {
  try {
    return [...serviceOf(env).config.buckets.keys()];
  } catch {
    return undefined;
  }
}

export default {
  fetch,
  queue: async (batch: MessageBatch, env: Env) => {
    const { consume } = await import("./jobs/audit-consumer.ts");
    return consume(batch, bindingsOf(env).db, bucketsOf(env));
  },
  scheduled: async (_: unknown, env: Env) => {
    const { daily } = await import("./jobs/daily.ts");
    return daily(env);
  },
};
