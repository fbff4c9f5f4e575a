/** One request on its way through the store. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Database } from "./database.ts";
import { S3Error } from "./errors.ts";
import type { Segments } from "./segments.ts";
import type { Signing, Verifier } from "./sigv4.ts";
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
  /** The request's, and those that a presigned URL has in its query. */
  readonly headers: IncomingMessage["headers"];
  /** What the signature says of the body. */
  readonly payload: string;
  readonly signing: Signing;
}

/** Where a write goes. */
export type Place = Pick<Call, "store" | "bucket" | "key">;

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
  { response }: Pick<Call, "response">,
  status: number,
  headers: Readonly<Record<string, string | number>> = {},
  body = "",
): void {
  const type = body === "" ? {} : { "content-type": "application/xml" };
  const length = status === 204 ? {} : { "content-length": Buffer.byteLength(body) };
  response.writeHead(status, { ...type, ...length, ...headers });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

/**
 * A whole number in the query, no more than S3 answers at once.
 *
 * @throws {S3Error} InvalidArgument
 */
export function limitOf({ query }: Pick<Call, "query">, name: string, most = 1000): number {
  const given = query[name];
  if (given === undefined || given === "") return most;
  if (!/^\d{1,10}$/.test(given) || Number(given) > 2 ** 31 - 1) {
    throw new S3Error("InvalidArgument", `Provided ${name} not an integer or within integer range`, {
      ArgumentName: name,
      ArgumentValue: given,
    });
  }
  return Math.min(Number(given), most);
}
