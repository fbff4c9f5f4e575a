/**
 * What every request under /v1 passes through, in the order of api.ts. Hono copies all variables wherever `c.var` is
 * read, so that here each is got by its name.
 */
import { createMiddleware } from "hono/factory";
import { Trail } from "../audit/trail.ts";
import { authenticate, type Caller } from "../auth/callers.ts";
import { vouchedFor } from "../auth/vouched.ts";
import { isAllowedOrigin } from "../config/origins.ts";
import { type Reason, Refused } from "../refused.ts";
import type { ServiceOf } from "../service.ts";
import type { AppContext, AppEnv } from "./context.ts";
import { isForGitLfs } from "./paths.ts";
import { callerKey, charge, strangerKey, tooManyRequests } from "./rate-limit.ts";

/** What scripts of allowed origins may read of an answer. */
const EXPOSED_HEADERS = [
  ...["x-request-id", "retry-after", "www-authenticate"],
  ...["x-ssec-key-id", "etag", "accept-ranges", "content-range", "content-disposition", "content-encoding"],
  ...["x-amz-version-id", "x-amz-mp-parts-count"],
  // An object's own metadata, whatever it is called.
  "*",
];

/** A request's id is ours: a client's own could be any text, and that of another request. The trail has it beside ours. */
export const identified = createMiddleware<AppEnv>((c, next) => {
  const requestId = crypto.randomUUID();
  c.set("requestId", requestId);
  c.header("x-request-id", requestId);
  return next();
});

/** What every answer carries. To set headers before there is an answer is far cheaper than after. */
export const answerHeaders = createMiddleware<AppEnv>((c, next) => {
  c.header("cache-control", "no-store");
  c.header("x-content-type-options", "nosniff");
  c.header("x-frame-options", "SAMEORIGIN");
  c.header("referrer-policy", "no-referrer");
  c.header("strict-transport-security", "max-age=15552000; includeSubDomains");
  return next();
});

export const withService = (serviceOf: ServiceOf) =>
  createMiddleware<AppEnv>((c, next) => {
    c.set("service", serviceOf(c.env));
    return next();
  });

/** Browsers of ALLOWED_ORIGINS may call, and read what they are told; their preflights carry no token. */
export const allowOrigins = createMiddleware<AppEnv>((c, next) =>
  c.req.raw.headers.get("origin") === null ? next() : crossOrigin(c, next),
);

const crossOrigin = createMiddleware<AppEnv>(async (c, next) => {
  const { cors } = await import("hono/cors");
  const { allowedOrigins } = c.get("service").config;
  return cors({
    origin: (origin) => (isAllowedOrigin(allowedOrigins, origin) ? origin : null),
    allowMethods: ["GET", "HEAD", "PUT", "POST", "DELETE"],
    exposeHeaders: EXPOSED_HEADERS,
    maxAge: 7200,
  })(c, next);
});

/** Every event of the request is told before its answer leaves, or right after, as AUDIT says. */
export const audited = createMiddleware<AppEnv>(async (c, next) => {
  const service = c.get("service");
  const trail = new Trail(c.req.raw, c.get("requestId"), service);
  c.set("trail", trail);
  const { config } = service;
  const headers = config.audit === "strict" ? [...c.res.headers] : [];
  await next();
  try {
    await trail.deliver((promise) => c.executionCtx.waitUntil(promise));
  } catch (error) {
    // Nothing of the answer that may not leave is to be in the one that takes its place. Its body may have broken off.
    await c.res.body?.cancel().catch(() => {});
    c.res = undefined;
    c.res = new Response(null, { headers });
    throw error;
  }
});

/** Who calls, by bearer token or JWT, or by whoever embeds the app. */
export const authenticated = identifiedBy(async (c) => {
  const service = c.get("service");
  return service.authenticate
    ? vouchedFor(await service.authenticate(c.req.raw, c.env))
    : authenticate(c.req.raw, service, { isBasicTaken: isForGitLfs(c.req.path) });
});

/** Why somebody is nobody: S3 has words of its own for some requests that are not signed. */
const OF_NOBODY: readonly Reason[] = ["unauthenticated", "forbidden", "invalid-request"];

/**
 * Who calls. Who is nobody may ask as often as a caller may, from one address.
 *
 * @param identify throws where the caller is nobody
 */
export function identifiedBy(identify: (c: AppContext) => Promise<Caller>) {
  return createMiddleware<AppEnv>(async (c, next) => {
    const service = c.get("service");
    const trail = c.get("trail");
    try {
      const caller = await identify(c);
      trail.caller = caller;
      c.set("caller", caller);
    } catch (error) {
      const { rateLimit } = service.bindings;
      if (rateLimit !== undefined && error instanceof Refused && OF_NOBODY.includes(error.reason)) {
        const allowed = await charge(rateLimit, strangerKey(trail.ip), 1, (entry) => trail.tell(entry));
        if (allowed === 0) throw tooManyRequests();
      }
      throw error;
    }
    await next();
  });
}

/** By caller and subject, where RATE_LIMIT is bound. */
export const rateLimited = createMiddleware<AppEnv>(async (c, next) => {
  if ((await chargeItems(c, 1)) === 0) throw tooManyRequests();
  await next();
});

/** @returns how many of so many items the caller may have */
export async function chargeItems(c: AppContext, items: number): Promise<number> {
  const { rateLimit } = c.get("service").bindings;
  if (rateLimit === undefined || items === 0) return items;
  const trail = c.get("trail");
  return charge(rateLimit, callerKey(c.get("caller")), items, (entry) => trail.tell(entry));
}
