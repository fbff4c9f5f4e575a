/** Requests to /v1/objects as they stand: fetch would set and hide headers of its own. */
import { api, type ProblemBody, secrets, store } from "./client.ts";
import { type Exchanged, exchange } from "./exchange.ts";
import { s3Client } from "./s3.ts";

export const MiB = 2 ** 20;

export const path = (bucket: string, key: string, query = "") =>
  `/v1/objects/${bucket}/${key.split("/").map(encodeURIComponent).join("/")}${query}`;

export type EdgeAnswer = Exchanged;

interface EdgeOptions {
  headers?: Record<string, string>;
  /** Of several pieces it goes in chunks, without a length. */
  body?: Buffer | readonly Buffer[];
  token?: string;
}

export function edge(
  method: string,
  path: string,
  { headers = {}, body, token = "ALL_TOKEN" }: EdgeOptions = {},
): Promise<EdgeAnswer> {
  const { hostname, port } = new URL(api);
  const length = Buffer.isBuffer(body) ? { "content-length": String(body.length) } : {};
  const authorization = `Bearer ${secrets[token]}`;
  return exchange(
    { hostname, port, path, method, headers: { authorization, ...length, ...headers } },
    Buffer.isBuffer(body) ? [body] : body,
  );
}

export const problem = ({ body }: EdgeAnswer) => JSON.parse(body.toString()) as ProblemBody;

/** The store itself, without the service. */
export const s3 = s3Client(store);
