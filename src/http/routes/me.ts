/** GET /v1/me: who the service takes the caller for, and what they may do. */
import { Hono } from "hono";
import type { AppEnv } from "../../front/context.ts";
import { noQuery } from "../body.ts";

export const meRoutes = new Hono<AppEnv>().get("/", noQuery, (c) => {
  const { name, subject, grants } = c.var.caller;
  return c.json({ caller: name, ...(subject !== undefined && { subject }), grants });
});
