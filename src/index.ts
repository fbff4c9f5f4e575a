/** The Worker: nothing but wiring. What presigning does not need is evaluated when it is first asked for. */

import { bindingsOf, type MessageBatch } from "./bindings.ts";
import { createApp } from "./http/create-app.ts";
import { type Env, serviceOf } from "./service.ts";

export { type AppOptions, type AppType, createApp } from "./http/create-app.ts";
export type { ProblemCode, ProblemDetails } from "./http/problem.ts";

/** Undefined where the configuration is wrong, for which no event is to wait. */
function bucketsOf(env: Env): readonly string[] | undefined {
  try {
    return [...serviceOf(env).config.buckets.keys()];
  } catch {
    return undefined;
  }
}

export default {
  fetch: createApp().fetch,
  queue: async (batch: MessageBatch, env: Env) => {
    const { areOfRotations, consumeRotations } = await import("./jobs/rotation-consumer.ts");
    if (areOfRotations(batch)) return consumeRotations(batch, () => serviceOf(env));
    const { consume } = await import("./jobs/audit-consumer.ts");
    return consume(batch, bindingsOf(env).db, bucketsOf(env));
  },
  scheduled: async (_: unknown, env: Env) => {
    const { daily } = await import("./jobs/daily.ts");
    return daily(env);
  },
};
