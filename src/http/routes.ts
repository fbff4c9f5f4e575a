/** Which routes there are. A new one is a file in routes/ and a line here. */
import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import type { AppEnv } from "../front/context.ts";
import { getPath, presignApi, type Setup } from "./api.ts";
import { assetRoutes } from "./routes/assets.ts";
import { auditRoutes } from "./routes/audit.ts";
import { healthRoutes } from "./routes/health.ts";
import { keysRoutes } from "./routes/keys.ts";
import { lfsRoutes } from "./routes/lfs.ts";
import { meRoutes } from "./routes/me.ts";
import { multipartRoutes } from "./routes/multipart.ts";
import { objectsRoutes } from "./routes/objects.ts";
import { reportsRoutes } from "./routes/reports.ts";
import { rotationsRoutes } from "./routes/rotations.ts";
import { s3CredentialsRoutes } from "./routes/s3-credentials.ts";
import { uppyRoutes } from "./routes/uppy.ts";
import { verifyRoutes } from "./routes/verify.ts";

export function wholeApi({ serviceOf, depth }: Setup) {
  return presignApi(new Hono<AppEnv>({ getPath: getPath(depth) }), serviceOf)
    .route("/v1/multipart", multipartRoutes)
    .route("/v1/objects", objectsRoutes)
    .route("/v1/verify", verifyRoutes)
    .route("/v1/lfs", lfsRoutes)
    .route("/v1/uppy", uppyRoutes)
    .route("/v1/me", meRoutes)
    .route("/v1/keys", keysRoutes)
    .route("/v1/audit", auditRoutes)
    .route("/v1/reports", reportsRoutes)
    .route("/v1/rotations", rotationsRoutes)
    .route("/v1/s3", s3CredentialsRoutes)
    .use(secureHeaders())
    .route("/healthz", healthRoutes(serviceOf))
    .route("/", assetRoutes);
}
