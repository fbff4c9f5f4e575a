/** The JSON body of a request. */
import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import type * as v from "valibot";
import { type FieldError, Problem } from "../problem.ts";
import { check } from "../validation.ts";
import type { AppContext, AppEnv } from "./context.ts";

/** Enough for a batch of a thousand ordinary requests, bytes. */
const MAX_JSON_BYTES = 2 ** 20;

/** A length that is given is all that need be looked at; only a body without one is counted as it comes. */
export const limitBody = createMiddleware<AppEnv>((c, next) => {
  const { headers } = c.req.raw;
  const length = headers.get("content-length");
  const isShort = length !== null && Number(length) <= MAX_JSON_BYTES && !headers.has("transfer-encoding");
  return isShort ? next() : counted(c, next);
});

const counted = bodyLimit({
  maxSize: MAX_JSON_BYTES,
  onError: () => {
    throw new Problem(
      "too-large",
      `The request's body may have at most ${MAX_JSON_BYTES} bytes: send several batches.`,
    );
  },
});

/** @throws {Problem} invalid-request when the body is not JSON */
export async function readJson(c: AppContext): Promise<unknown> {
  try {
    return await c.req.raw.json();
  } catch (error) {
    if (error instanceof SyntaxError) throw new Problem("invalid-request", "The body is not JSON.");
    throw error;
  }
}

/** @throws {Problem} invalid-request, with every field at fault */
export function valid<T>(schema: v.GenericSchema<unknown, T>, input: unknown): T {
  const checked = check(schema, input);
  if (checked.ok) return checked.value;
  throw invalid(checked.errors);
}

export function invalid(errors: readonly FieldError[]): Problem {
  const detail = errors
    .map(({ path, message }) => (path === "" ? message : `${path}: ${message}`))
    .join("; ");
  return new Problem("invalid-request", detail, { errors });
}
