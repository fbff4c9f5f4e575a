/**
 * What every request under /v1 passes through, in the order of app.ts. Hono copies all variables wherever `c.var` is
 * read, so that here each is got by its name.
 */
import { cors } from "hono/cors";
import { createMiddleware } from "hono/factory";
import { Trail } from "./audit/trail.ts";
import { authenticate } from "./auth/callers.ts";
import { describeUnforeseen, logError } from "./log.ts";
import { Problem } from "./problem.ts";
import type { AppEnv } from "./routes/context.ts";
import { serviceOf } from "./service.ts";

/** No limit's period is longer: a caller who has waited so long may call again. Seconds. */
const LONGEST_RATE_PERIOD = 60;

/** What scripts of allowed origins may read of an answer. */
const EXPOSED_HEADERS = [
  ...["x-request-id", "retry-after", "www-authenticate"],
  ...["x-ssec-key-id", "etag", "accept-ranges", "content-range", "content-disposition", "content-encoding"],
  ...["x-amz-version-id", "x-amz-mp-parts-count"],
  // An object's own metadata, whatever it is called.
  "*",
];

/** What every answer carries. To set headers before there is an answer is far cheaper than after. */
export const answerHeaders = createMiddleware<AppEnv>((c, next) => {
  c.header("cache-control", "no-store");
  c.header("x-content-type-options", "nosniff");
  c.header("x-frame-options", "SAMEORIGIN");
  c.header("referrer-policy", "no-referrer");
  c.header("strict-transport-security", "max-age=15552000; includeSubDomains");
  return next();
});

export const withService = createMiddleware<AppEnv>((c, next) => {
  c.set("service", serviceOf(c.env));
  return next();
});

/** Browsers of ALLOWED_ORIGINS may call, and read what they are told; their preflights carry no token. */
export const allowOrigins = createMiddleware<AppEnv>((c, next) => {
  if (c.req.raw.headers.get("origin") === null) return next();
  return cors({
    origin: [...c.get("service").config.allowedOrigins],
    allowMethods: ["GET", "HEAD", "PUT", "POST", "DELETE"],
    exposeHeaders: EXPOSED_HEADERS,
    maxAge: 7200,
  })(c, next);
});

/** Every event of the request is told before its answer leaves, or right after, as AUDIT says. */
export const audited = createMiddleware<AppEnv>(async (c, next) => {
  const trail = new Trail(c.req.raw, c.get("requestId"));
  c.set("trail", trail);
  const { bindings, config } = c.get("service");
  const headers = config.audit === "strict" ? [...c.res.headers] : [];
  await next();
  try {
    await trail.deliver(bindings, config.audit, (promise) => c.executionCtx.waitUntil(promise));
  } catch (error) {
    // Nothing of the answer that may not leave is to be in the one that takes its place. Its body may have broken off.
    await c.res.body?.cancel().catch(() => {});
    c.res = undefined;
    c.res = new Response(null, { headers });
    throw error;
  }
});

export const authenticated = createMiddleware<AppEnv>(async (c, next) => {
  const caller = await authenticate(c.req.raw, c.get("service"));
  c.get("trail").caller = caller;
  c.set("caller", caller);
  await next();
});

/** By caller and subject, where RATE_LIMIT is bound. */
export const rateLimited = createMiddleware<AppEnv>(async (c, next) => {
  const { name, subject } = c.get("caller");
  const { rateLimit } = c.get("service").bindings;
  if (rateLimit === undefined) return next();
  const answer = await rateLimit.limit({ key: JSON.stringify([name, subject]) }).catch((error: unknown) => {
    // A limiter that is down must not take the service with it.
    logError({ code: "internal", ...describeUnforeseen(error), requestId: c.get("requestId") });
    return undefined;
  });
  if (answer?.success === false) {
    throw new Problem("rate-limited", `Too many requests: wait ${LONGEST_RATE_PERIOD} seconds.`, {
      headers: { "retry-after": String(LONGEST_RATE_PERIOD) },
    });
  }
  await next();
});
