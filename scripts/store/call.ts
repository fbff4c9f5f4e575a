/** One request on its way through the store. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Database } from "./database.ts";
import { S3Error } from "./errors.ts";
import type { Segments } from "./segments.ts";
import type { Verifier } from "./sigv4.ts";
import type { Target } from "./target.ts";

export interface Store {
  readonly database: Database;
  readonly segments: Segments;
  readonly verifier: Verifier;
  readonly hostnames: readonly string[];
}

export interface Call extends Target {
  readonly store: Store;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly headers: IncomingMessage["headers"];
  /** What the signature says of the body. */
  readonly payload: string;
}

/** A header that comes once, or not at all. */
export function header({ headers }: Call, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

/** A required query parameter. */
export function parameter({ query }: Call, name: string): string {
  const value = query[name];
  if (!value) throw new S3Error("InvalidArgument", `The parameter ${name} is required.`);
  return value;
}

export function answer(
  { response }: Call,
  status: number,
  headers: Record<string, string | number> = {},
  body = "",
): void {
  const type = body === "" ? {} : { "content-type": "application/xml" };
  response.writeHead(status, { ...type, "content-length": Buffer.byteLength(body), ...headers });
  response.end(response.req.method === "HEAD" ? undefined : body);
}
