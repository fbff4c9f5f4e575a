/** Which addresses an app has, and where it is mounted. */
import type { Context, Hono } from "hono";
import { baseRoutePath } from "hono/route";
import type { AppEnv } from "./context.ts";

/** The methods that addresses are for; OPTIONS is the middleware's. */
const METHODS = ["GET", "PUT", "POST", "DELETE"] as const;

/**
 * The path of a URL below so many segments, as it stands: a router that decodes it would decode what belongs to an
 * object's key.
 */
export function pathBelow(url: string, depth: number): string {
  const end = url.search(/[?#]/);
  const whole = end < 0 ? url : url.slice(0, end);
  let start = whole.indexOf("/", whole.indexOf("://") + 3);
  for (let i = 0; i < depth && start >= 0; i++) start = whole.indexOf("/", start + 1);
  return start < 0 ? "/" : whole.slice(start);
}

/** Whether an address is one of git-lfs, which knows neither bearer tokens nor problem details. */
export function isForGitLfs(path: string): boolean {
  return path.startsWith("/v1/lfs/");
}

/** How many segments of the path the app is mounted below that handles the request now. */
export function depthOf(c: Context): number {
  return baseRoutePath(c).split("/").filter(Boolean).length;
}

/** The methods that an address takes, as far as there are routes for it; of none there is no such address. */
export function methodsAt({ router }: Hono<AppEnv>, path: string): string[] {
  return METHODS.filter((method) =>
    // Middleware is for all methods.
    router.match(method, path)[0].some(([[, route]]) => route.method === method),
  ).flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
}

/** The addresses of an app none of which has parameters. */
export function addressesOf({ routes }: Hono<AppEnv>): ReadonlySet<string> {
  return new Set(routes.filter(({ method }) => method !== "ALL").map(({ path }) => path));
}
