/** What every address of the API has in common, and the one that most requests are for. */
import type { Hono } from "hono";
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

/** The path that an app matches, below where it is mounted. */
export function getPath(depth: number) {
  return ({ url }: Request) => pathBelow(url, depth);
}

/**
 * The middleware of /v1, in order, and /v1/presign.
 *
 * @param empty an app without routes, whose router is its own affair
 */
export function presignApi(empty: Hono<AppEnv>, serviceOf: ServiceOf) {
  const app = empty
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
