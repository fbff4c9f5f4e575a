/**
 * The whole API as one Hono app. What presigning does not need is evaluated when it is first asked for, so that a new
 * instance hands out its first URL the sooner.
 */
import type { Context, ExecutionContext } from "hono";
// Of the few routes here its router looks at each in turn. That of all routes compiles them before its first answer.
import { Hono } from "hono/quick";
import type { AuditSink } from "../audit/trail.ts";
import type { Authenticate } from "../auth/vouched.ts";
import type { AppEnv } from "../front/context.ts";
import { addressesOf, depthOf, pathBelow } from "../front/paths.ts";
import { placeOf } from "../gateway/place.ts";
import { type Limits, limitsOf } from "../limits.ts";
import { type Env, services } from "../service.ts";
import { getPath, presignApi } from "./api.ts";
import type { wholeApi } from "./routes.ts";

/** What an embedding Worker may have of its own. Configuration and secrets come with each request, in its `env`. */
export interface AppOptions {
  /**
   * Says who calls, in place of the bearer tokens and JWTs of CALLERS. `undefined` is nobody: 401. What it throws is a 500,
   * unless it is Hono's HTTPException.
   */
  readonly authenticate?: Authenticate;
  /**
   * Takes the events of each request, beside the log and the queue. With `AUDIT = "strict"` the answer waits until they are
   * taken, and is 503 where they are not; otherwise the log has a line of it.
   */
  readonly audit?: AuditSink;
  /** Milliseconds and bytes; what is left out is as in `LIMITS`. */
  readonly limits?: Partial<Limits>;
}

/** For the client of Hono: `hc<AppType>("https://edge.example.com/files")`. */
export type AppType = ReturnType<typeof wholeApi>;

const OPTIONS = ["authenticate", "audit", "limits"];

/**
 * The API, to be served alone or below any path of another Hono app. Parameters of that path hold no slash.
 *
 * ```ts
 * import { Hono } from "hono";
 * import { createApp } from "ssec-edge";
 *
 * const app = new Hono();
 * app.route("/files", createApp({
 *   authenticate: async (request, env) => {
 *     const user = await sessionOf(request, env);
 *     return user && { name: "app", subject: user.id, grants: [{ bucket: "media", prefix: `users/${user.id}/`, allow: ["read", "write"] }] };
 *   },
 *   limits: { clientSilence: 30_000 },
 * }));
 * export default app;
 * ```
 *
 * @throws {TypeError} where an option is none, or is wrong
 */
export function createApp(options: AppOptions = {}): AppType {
  const serviceOf = services(checked(options));
  // An app may be mounted at several places.
  const presigning = remembered((depth) => presignApi(new Hono({ getPath: getPath(depth) }), serviceOf));
  const everything = remembered(async (depth) => {
    const { wholeApi } = await import("./routes.ts");
    return wholeApi({ serviceOf, depth });
  });
  const speaking = remembered(async (depth) => {
    const { gateway } = await import("../gateway/app.ts");
    return gateway({ serviceOf, depth });
  });
  const addresses = addressesOf(presigning(0));
  const s3HostsOf = (env: Env | undefined) => {
    if (env?.S3_HOSTS === undefined) return [];
    try {
      return serviceOf(env).config.s3Hosts;
    } catch {
      // Of a configuration that is wrong, the API tells.
      return [];
    }
  };
  const answer = (depth: number, request: Request, env: Env, context?: ExecutionContext) => {
    const path = pathBelow(request.url, depth);
    if (placeOf(request, path, s3HostsOf(env)) !== undefined)
      return speaking(depth).then((app) => app.fetch(request, env, context));
    // Just these paths: its router would take one with a slash behind it as well.
    return addresses.has(path)
      ? presigning(depth).fetch(request, env, context)
      : everything(depth).then((api) => api.fetch(request, env, context));
  };
  const app = new Hono<AppEnv>().all("*", (c) => answer(depthOf(c), c.req.raw, c.env, executionContextOf(c)));
  // Served alone, it is at the root: to find that out by the router costs each request as much as its routes do.
  app.fetch = (request, env, context) => answer(0, request, env as Env, context);
  // It hands over to an app that has all the routes.
  return app as unknown as AppType;
}

function checked({ limits, ...others }: AppOptions) {
  const unknown = Object.keys(others).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined)
    throw new TypeError(`createApp: "${unknown}" is no option (there are: ${OPTIONS.join(", ")})`);
  for (const [name, value] of Object.entries(others))
    if (value !== undefined && typeof value !== "function")
      throw new TypeError(`createApp: ${name} must be a function`);
  return { ...others, limits: limitsOf(limits) };
}

function remembered<T>(make: (depth: number) => T): (depth: number) => T {
  const made = new Map<number, T>();
  return (depth) => {
    const one = made.get(depth) ?? make(depth);
    made.set(depth, one);
    return one;
  };
}

/** There is none outside of Workers, as in `app.request()` of a test. */
function executionContextOf(c: Context): ExecutionContext | undefined {
  try {
    return c.executionCtx;
  } catch {
    return undefined;
  }
}
