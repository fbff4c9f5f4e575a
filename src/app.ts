/** The HTTP API: middleware in order, routes mounted. */
import { Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { requestId } from "hono/request-id";
import { authenticate } from "./auth/callers.ts";
import { limitBody } from "./routes/body.ts";
import type { AppEnv } from "./routes/context.ts";
import { notFound, onError } from "./routes/errors.ts";
import { healthRoutes } from "./routes/health.ts";
import { keysRoutes } from "./routes/keys.ts";
import { pageRoutes } from "./routes/page.ts";
import { presignRoutes } from "./routes/presign.ts";
import { serviceOf } from "./service.ts";

const noStore = createMiddleware<AppEnv>(async (c, next) => {
  c.header("cache-control", "no-store");
  await next();
});

const authenticated = createMiddleware<AppEnv>(async (c, next) => {
  const service = serviceOf(c.env);
  c.set("service", service);
  c.set("caller", await authenticate(c.req.header("authorization"), service.config.callers, service.secrets));
  await next();
});

export const app = new Hono<AppEnv>()
  .use(requestId())
  .use("/v1/*", noStore, authenticated, limitBody)
  .route("/v1/presign", presignRoutes)
  .route("/v1/keys", keysRoutes)
  .route("/healthz", healthRoutes)
  .route("/", pageRoutes);

app.notFound(notFound);
app.onError(onError);
