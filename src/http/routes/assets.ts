/** What people look at, from the Worker's static assets: the page at `/`, and what it loads. */
import { type Context, Hono } from "hono";
import { bindingsOf } from "../../bindings.ts";
import type { AppEnv } from "../../front/context.ts";
import { Refused } from "../../refused.ts";

/** Where they lie among the assets, which may be those of somebody's own site. */
const FOLDER = "/ssec-edge";

/**
 * Set here, and not by a `_headers` file of the assets: they must be right below every path that the app is mounted at, and
 * among whatever assets the Worker has.
 */
const HEADERS = {
  "content-security-policy": [
    // The store may be anywhere; scripts only here, and nothing that is made of text becomes one.
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' https: http:",
    "img-src 'self' data: blob:; media-src 'self' blob:; frame-src blob:",
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "require-trusted-types-for 'script'; trusted-types 'none'",
  ].join("; "),
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/** Swagger UI makes elements of text, and asks nobody but this service. */
const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

export const assetRoutes = new Hono<AppEnv>()
  .get("/", (c) => withSlash(c) ?? asset(c))
  .get("/docs", (c) => asset(c, { "content-security-policy": DOCS_POLICY }))
  // Tools read it from wherever they are, and it tells nobody anything that is a secret.
  .get("/openapi.json", (c) => asset(c, { "access-control-allow-origin": "*" }))
  .get("/assets/*", (c) => asset(c));

/** What a page names is beside it, which is told by the slash. */
function withSlash(c: Context<AppEnv>): Response | undefined {
  const { pathname } = new URL(c.req.url);
  return pathname.endsWith("/") ? undefined : c.redirect(`./${pathname.split("/").at(-1)}/`, 308);
}

/** @param headers of its own */
async function asset(c: Context<AppEnv>, headers: Record<string, string> = {}): Promise<Response> {
  const { assets } = bindingsOf(c.env);
  if (assets === undefined)
    throw new Refused("not-found", "There is no page here: the Worker has no static assets, ASSETS.");
  const { method } = c.req.raw;
  const etag = c.req.raw.headers.get("if-none-match");
  const answer = await assets.fetch(
    new Request(new URL(FOLDER + c.req.path, c.req.url), {
      method,
      headers: etag === null ? {} : { "if-none-match": etag },
    }),
  );
  if (answer.status === 404) throw new Refused("not-found", "There is no such address.");
  return new Response(answer.body, {
    status: answer.status,
    headers: { ...Object.fromEntries(answer.headers), ...HEADERS, ...headers },
  });
}
