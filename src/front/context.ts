/** What a handler under /v1 finds in its context. */
import type { Context, Input } from "hono";
import type { Trail } from "../audit/trail.ts";
import type { Caller } from "../auth/callers.ts";
import type { Env, Service } from "../service.ts";

export interface Variables {
  requestId: string;
  service: Service;
  caller: Caller;
  trail: Trail;
}

export interface AppEnv {
  Bindings: Env;
  Variables: Variables;
}

export type AppContext = Context<AppEnv>;

/**
 * The context of a route that is asked with this, so that `hc<AppType>` demands it. Of types alone: what is asked is checked
 * by the route's schema.
 */
// biome-ignore lint/suspicious/noExplicitAny: the path is the route's, and Hono's own default.
export type Asked<In extends NonNullable<Input["in"]>> = Context<AppEnv, any, { in: In; out: In }>;
