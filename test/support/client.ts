/** What a user of the API does: ask for a presigned request, and send it as it stands. */
import { randomBytes } from "node:crypto";
import { expect, inject } from "vitest";
import { type Exchanged, exchange } from "./exchange.ts";

export const secrets = inject("secrets");
export const store = inject("store");
export const isCeph = store.kind === "ceph";
export const api = inject("api");

export interface Answer {
  operation: string;
  bucket: string;
  key: string;
  keyId: string;
  method: string;
  url: string;
  headers: Record<string, string>;
  fields: Record<string, string>;
  body: string;
  expiresAt: string;
  snippet: string;
}

export interface ProblemBody {
  status: number;
  code: string;
  detail: string;
  requestId: string;
  errors?: { path: string; message: string }[];
}

type Token = "ALL_TOKEN" | "LIMITED_TOKEN" | "READER_TOKEN" | "ADMIN_TOKEN" | "PREFIX_ADMIN_TOKEN";

export function call(path: string, init: RequestInit = {}, token: Token = "ALL_TOKEN"): Promise<Response> {
  return fetch(`${api}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${secrets[token]}`, ...init.headers },
  });
}

export async function presign(request: Record<string, unknown>, token?: Token): Promise<Answer> {
  const response = await call("/v1/presign", { method: "POST", body: JSON.stringify(request) }, token);
  const body = (await response.json()) as Answer;
  expect(body).not.toHaveProperty("code");
  expect(response.status).toBe(200);
  return body;
}

export async function refused(request: Record<string, unknown>, token?: Token): Promise<ProblemBody> {
  const response = await call("/v1/presign", { method: "POST", body: JSON.stringify(request) }, token);
  const body = (await response.json()) as ProblemBody;
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(body.status).toBe(response.status);
  expect(body.requestId).toBe(response.headers.get("x-request-id"));
  return body;
}

export interface Sent extends Exchanged {
  text: string;
}

/** Sends a presigned request byte for byte as it was given; no URL parser comes between. */
export async function send(
  { method, url, headers = {} }: Partial<Answer>,
  body: string | Buffer = "",
): Promise<Sent> {
  const [, host = "", path] = /^https?:\/\/([^/]+)(.*)$/s.exec(url ?? "") ?? [];
  const [hostname, port] = host.split(":");
  const length = ["PUT", "POST"].includes(method ?? "") ? { "content-length": Buffer.byteLength(body) } : {};
  const sent = await exchange({ hostname, port, path, method, headers: { ...headers, ...length } }, [body]);
  return { ...sent, text: sent.body.toString() };
}

let names = 0;
/** An object key that no other test uses. */
export const freshKey = (suffix = "object.bin") =>
  `t${process.pid}/${++names}/${randomBytes(4).toString("hex")}/${suffix}`;

export const ALGORITHM = "x-amz-server-side-encryption-customer-algorithm";

/** Puts an object through a presigned URL; it counts only when the store says that it encrypted. */
export async function put(
  bucket: string,
  key: string,
  body: string | Buffer,
  more: object = {},
): Promise<Answer> {
  const answer = await presign({ operation: "PutObject", bucket, key, ...more });
  const sent = await send(answer, body);
  expect(sent.status, sent.text).toBe(200);
  expect(sent.headers[ALGORITHM]).toBe("AES256");
  return answer;
}

export async function get(bucket: string, key: string, more: object = {}): Promise<Sent> {
  return send(await presign({ operation: "GetObject", bucket, key, ...more }));
}

export function xmlValue(text: string, element: string): string {
  return new RegExp(`<${element}>(.*?)</${element}>`, "s").exec(text)?.[1]?.replaceAll("&quot;", '"') ?? "";
}

/** Every customer key of this run, as it must never appear where it is not meant to. */
export function rawKeys(): string[] {
  return ["KEY_1", "KEY_2", "KEY_3", "KEY_ROOT"].map((name) => secrets[name] ?? "");
}
