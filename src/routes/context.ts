/** What a handler under /v1 finds in its context. */
import type { Context } from "hono";
import type { Caller } from "../config/load.ts";
import type { Env, Service } from "../service.ts";

export interface Variables {
  requestId: string;
  service: Service;
  caller: Caller;
}

export interface AppEnv {
  Bindings: Env;
  Variables: Variables;
}

export type AppContext = Context<AppEnv>;
