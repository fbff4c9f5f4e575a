/** S3's own API, for S3's clients: who has signed a request, what it asks for, and the answer in S3's words. */
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Trail } from "../audit/trail.ts";
import type { Caller } from "../auth/callers.ts";
import { discard } from "../edge/body.ts";
import type { AppContext, AppEnv } from "../front/context.ts";
import {
  allowOrigins,
  audited,
  identified,
  identifiedBy,
  rateLimited,
  withService,
} from "../front/middleware.ts";
import { pathBelow } from "../front/paths.ts";
import { LIMITS } from "../limits.ts";
import { describeUnforeseen, logError } from "../log.ts";
import { type DeleteMarker, Refused } from "../refused.ts";
import type { Service, ServiceOf } from "../service.ts";
import { type Target, targetOf } from "./address.ts";
import { Call } from "./call.ts";
import { carryOut } from "./carry-out.ts";
import { faultOf, S3Fault } from "./faults.ts";
import { checkHeaders, headersOf } from "./headers.ts";
import { operationOf } from "./operations.ts";
import { hostOf, placeOf } from "./place.ts";
import { type Verified, verify } from "./verify.ts";
import { document } from "./xml.ts";

/** @param depth segments of the path below which the app is mounted */
export function gateway({ serviceOf, depth }: { serviceOf: ServiceOf; depth: number }): Hono<AppEnv> {
  const verified = new WeakMap<Request, Verified>();
  const signed = identifiedBy(async (c) => {
    const request = c.req.raw;
    // Also what is refused here was asked of this front.
    c.get("trail").via = "s3";
    const one = await verify(request, { host: hostOf(request), service: c.get("service") });
    verified.set(request, one);
    return within(one);
  });
  return new Hono<AppEnv>({ getPath: ({ url }) => pathBelow(url, depth) })
    .use(identified, answerHeaders, withService(serviceOf), allowOrigins, audited, signed, rateLimited)
    .all("*", (c) => {
      const { query, headers: given, body } = verified.get(c.req.raw) as Verified;
      const target = targetIn(c, depth);
      const headers = headersOf(given);
      const operation = operationOf(c.req.method, target, [...query.keys()], headers);
      checkHeaders(operation, headers);
      return carryOut(new Call(c, operation, target, { query, headers, body }));
    })
    .onError(async (error, c) => {
      const answer = onError(error, c, depth);
      // Whoever is refused before their body is taken has it taken all the same, and hears why.
      await discard(c.req.raw.body, (c.get("service") as Service | undefined)?.limits ?? LIMITS);
      return answer;
    });
}

/** A URL that lives longer than a grant lets any live is none of that grant's. */
function within({ caller, expiresIn = 0 }: Verified): Caller {
  return { ...caller, grants: caller.grants.filter(({ maxExpiresIn }) => expiresIn <= maxExpiresIn) };
}

function targetIn(c: AppContext, depth: number): Target {
  const request = c.req.raw;
  const place = placeOf(request, pathBelow(request.url, depth), c.get("service").config.s3Hosts);
  return targetOf(place ?? { bucket: "", path: "" });
}

async function answerHeaders(c: AppContext, next: () => Promise<void>): Promise<void> {
  c.header("x-amz-request-id", c.get("requestId"));
  c.header("x-content-type-options", "nosniff");
  c.header("strict-transport-security", "max-age=15552000; includeSubDomains");
  await next();
}

function onError(error: unknown, c: AppContext, depth: number): Response {
  if (error instanceof HTTPException) return error.getResponse();
  const trail: Trail | undefined = c.get("trail");
  const requestId = c.get("requestId");
  const tell = (entry: Parameters<typeof logError>[0]) =>
    trail ? trail.tell(entry) : logError({ ...entry, requestId });
  const refused = error instanceof Refused ? error : unforeseen();
  if (refused !== error) tell({ code: "internal", ...describeUnforeseen(error) });
  else if (refused.operator !== undefined) tell({ code: refused.reason, message: refused.operator });
  trail?.refuse(refused);
  const hasUpload = new URL(c.req.url).searchParams.has("uploadId");
  const fault = faultOf(refused, {
    // Of a copy, what is not there may be its source.
    ofUpload: hasUpload && !c.req.raw.headers.has("x-amz-copy-source"),
    ofParts: hasUpload && c.req.method === "POST",
  });
  const { code, message, status, retryAfter, objectSize, deleteMarker } = fault;
  const headers = {
    "content-type": "application/xml",
    "cache-control": "no-store",
    ...(retryAfter !== undefined && {
      "retry-after": typeof retryAfter === "number" ? String(retryAfter) : retryAfter.toUTCString(),
    }),
    ...(objectSize !== undefined && { "content-range": `bytes */${objectSize}` }),
    // Of what is read; a copy's source is another object.
    ...(deleteMarker && ["GET", "HEAD"].includes(c.req.method) && markerHeaders(deleteMarker, status)),
  };
  const path = pathBelow(c.req.raw.url, depth);
  const text = document("Error", { Code: code, Message: message, Resource: path, RequestId: requestId });
  const body = c.req.method === "HEAD" ? "" : text;
  return c.body(body, status as ContentfulStatusCode, headers);
}

/** S3 tells when it was made of a marker that is asked for itself, and what may be done with it. */
function markerHeaders({ versionId, since }: DeleteMarker, status: number): Record<string, string> {
  return {
    "x-amz-delete-marker": "true",
    ...(versionId !== undefined && { "x-amz-version-id": versionId }),
    ...(status === 405 && { allow: "DELETE", ...(since && { "last-modified": since.toUTCString() }) }),
  };
}

function unforeseen(): S3Fault {
  return new S3Fault("InternalError", "We encountered an internal error. Please try again.");
}
