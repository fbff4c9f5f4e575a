/** What every address of the API has in common, and the one that most requests are for. */
import { Hono } from "hono";
import { readableQuery } from "./body.ts";
import type { AppEnv } from "./context.ts";
import { notFound, onError } from "./errors.ts";
import {
  allowOrigins,
  answerHeaders,
  audited,
  authenticated,
  identified,
  rateLimited,
  withService,
} from "./middleware.ts";
import { presignRoutes } from "./routes/presign.ts";

/** An app with the middleware of /v1, in order, and /v1/presign. */
export function presignApi() {
  return new Hono<AppEnv>()
    .use(identified)
    .use(
      "/v1/*",
      answerHeaders,
      withService,
      allowOrigins,
      audited,
      authenticated,
      rateLimited,
      readableQuery,
    )
    .route("/v1/presign", presignRoutes)
    .notFound(notFound)
    .onError(onError);
}
