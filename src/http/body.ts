/** The JSON body of a request. */
import type { Next } from "hono";
import { createMiddleware } from "hono/factory";
import type * as v from "valibot";
import { checkHeaders, type IsHonoured } from "../edge/request-headers.ts";
import type { AppContext, AppEnv } from "../front/context.ts";
import { Refused } from "../refused.ts";
import { check } from "../validation.ts";

/** Enough for a batch of a thousand ordinary requests, bytes. */
const MAX_JSON_BYTES = 2 ** 20;

/** A length that is given is all that need be looked at; only a body without one is counted as it comes. */
export const limitBody = createMiddleware<AppEnv>((c, next) => {
  const { headers } = c.req.raw;
  const length = headers.get("content-length");
  const isShort = length !== null && Number(length) <= MAX_JSON_BYTES && !headers.has("transfer-encoding");
  return isShort ? next() : counted(c, next);
});

async function counted(c: AppContext, next: Next): Promise<Response | undefined> {
  const { bodyLimit } = await import("hono/body-limit");
  const limited = bodyLimit({
    maxSize: MAX_JSON_BYTES,
    onError: () => {
      throw new Refused(
        "too-large",
        `The request's body may have at most ${MAX_JSON_BYTES} bytes: send several batches.`,
      );
    },
  });
  return (await limited(c, next)) ?? undefined;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * All that is asked is in the body, and nothing in the URL.
 *
 * @param isHonoured which of the request's headers the route carries out
 * @throws {Refused} invalid-request when the body is not JSON in UTF-8 (RFC 8259, section 8.1), or a header or parameter
 * asks for what is not done here
 */
export async function readJson(c: AppContext, isHonoured?: IsHonoured): Promise<unknown> {
  refuseQuery(c);
  checkHeaders(c.req.raw.headers, isHonoured);
  return parsed(await c.req.raw.arrayBuffer());
}

/** A body that may be left out: none at all is an object without fields. The URL's parameters are the route's to look at. */
export async function readJsonIfAny(c: AppContext): Promise<unknown> {
  checkHeaders(c.req.raw.headers);
  const body = await c.req.raw.arrayBuffer();
  return body.byteLength === 0 ? {} : parsed(body);
}

function parsed(body: ArrayBuffer): unknown {
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    // Read all the same, another text would come of it, and perhaps another object's name.
    throw new Refused("invalid-request", "The body is not UTF-8.");
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new Refused("invalid-request", "The body is not JSON.");
  }
}

/**
 * The parameters of the URL, each of which comes once.
 *
 * @throws {Refused} invalid-request, for what is not percent-encoded UTF-8 as well
 */
export const readableQuery = createMiddleware<AppEnv>((c, next) => {
  const { url } = c.req.raw;
  const cut = url.indexOf("?");
  if (cut < 0) return next();
  const seen = new Set<string>();
  for (const pair of url.slice(cut + 1).split("&")) {
    const end = pair.indexOf("=");
    const name = decoded(end < 0 ? pair : pair.slice(0, end), "the query");
    if (end >= 0) decoded(pair.slice(end + 1), name);
    if (seen.has(name)) throw Refused.field(name, "is given twice");
    if (pair !== "") seen.add(name);
  }
  return next();
});

/** Of a route that takes none. @throws {Refused} invalid-request with every parameter: what it asks for would not be done */
export function refuseQuery(c: AppContext): void {
  if (!c.req.raw.url.includes("?")) return;
  const names = Object.keys(c.req.query());
  if (names.length > 0) throw Refused.fields(names.map((path) => ({ path, message: "is not a field here" })));
}

/** The same before the route. */
export const noQuery = createMiddleware<AppEnv>((c, next) => {
  refuseQuery(c);
  return next();
});

/** @throws {Refused} invalid-request */
function decoded(text: string, path: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw Refused.field(path, "is not percent-encoded UTF-8");
  }
}

/** @throws {Refused} invalid-request, with every field at fault */
export function valid<T>(schema: v.GenericSchema<unknown, T>, input: unknown): T {
  const checked = check(schema, input);
  if (checked.ok) return checked.value;
  throw Refused.fields(checked.errors);
}
