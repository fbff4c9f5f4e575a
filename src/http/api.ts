/** What every address of the API has in common, and the one that most requests are for. */
import { Hono } from "hono";
import type { AppEnv } from "../front/context.ts";
import {
  allowOrigins,
  answerHeaders,
  audited,
  authenticated,
  identified,
  rateLimited,
  withService,
} from "../front/middleware.ts";
import { pathBelow } from "../front/paths.ts";
import type { ServiceOf } from "../service.ts";
import { readableQuery } from "./body.ts";
import { nothingHere, onError } from "./errors.ts";
import { presignRoutes } from "./routes/presign.ts";

/** What the routes of one app are made with. */
export interface Setup {
  readonly serviceOf: ServiceOf;
  /** Segments of the path below which the app is mounted. */
  readonly depth: number;
}

/** An app with the middleware of /v1, in order, and /v1/presign. */
export function presignApi({ serviceOf, depth }: Setup) {
  const app = new Hono<AppEnv>({ getPath: ({ url }) => pathBelow(url, depth) })
    .use(identified)
    .use(
      "/v1/*",
      answerHeaders,
      withService(serviceOf),
      allowOrigins,
      audited,
      authenticated,
      rateLimited,
      readableQuery,
    )
    .route("/v1/presign", presignRoutes)
    .onError(onError);
  return app.notFound((c) => nothingHere(app, c));
}
