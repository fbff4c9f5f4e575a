/** The HTTP API: middleware in order, routes mounted. */
import { Hono } from "hono";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import {
  allowOrigins,
  answerHeaders,
  audited,
  authenticated,
  rateLimited,
  withService,
} from "./middleware.ts";
import { auditRoutes } from "./routes/audit.ts";
import type { AppEnv } from "./routes/context.ts";
import { notFound, onError } from "./routes/errors.ts";
import { healthRoutes } from "./routes/health.ts";
import { keysRoutes } from "./routes/keys.ts";
import { meRoutes } from "./routes/me.ts";
import { multipartRoutes } from "./routes/multipart.ts";
import { objectsRoutes } from "./routes/objects.ts";
import { pageRoutes } from "./routes/page.ts";
import { presignRoutes } from "./routes/presign.ts";
import { reportsRoutes } from "./routes/reports.ts";
import { verifyRoutes } from "./routes/verify.ts";

export const app = new Hono<AppEnv>()
  .use(requestId())
  .use("/v1/*", answerHeaders, withService, allowOrigins, audited, authenticated, rateLimited)
  .route("/v1/presign", presignRoutes)
  .route("/v1/multipart", multipartRoutes)
  .route("/v1/objects", objectsRoutes)
  .route("/v1/verify", verifyRoutes)
  .route("/v1/me", meRoutes)
  .route("/v1/keys", keysRoutes)
  .route("/v1/audit", auditRoutes)
  .route("/v1/reports", reportsRoutes)
  .use(secureHeaders())
  .route("/healthz", healthRoutes)
  .route("/", pageRoutes);

app.notFound(notFound);
app.onError(onError);
