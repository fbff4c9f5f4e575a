/** What a handler under /v1 finds in its context. */
import type { Context } from "hono";
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
