/** What a store answers to the pages of an origin, tried as a browser does: preflights, then an upload. */
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import type { Bucket } from "../config/load.ts";
import type { CustomerKey } from "../keys/customer-key.ts";
import { customerKeyHeaders } from "../keys/headers.ts";
import { encodeKey } from "../s3/api/encode.ts";
import { addressOf } from "../s3/sign/address.ts";
import { presign } from "../s3/sign/presign.ts";
import { EXPOSED, METHODS } from "./cors-rules.ts";
import type { Finding } from "./proof.ts";
import type { StoreBucket } from "./s3.ts";

/** Seconds that the upload's URL lives. */
const EXPIRES_IN = 60;

export interface CorsTrial {
  readonly bucket: Bucket;
  readonly store: StoreBucket;
  /** A throw-away one. */
  readonly objectKey: string;
  readonly key: CustomerKey;
}

/**
 * Tries a preflight for each method with the headers of SSE-C, and an upload whose answer is to be readable.
 *
 * @param origin may have a `*`, for which a name is put in
 * @throws when the store cannot be reached
 */
export async function tryOrigin(trial: CorsTrial, origin: string): Promise<Finding[]> {
  const page = origin === "*" ? "https://page.example" : origin.replace(":*", ":8080").replace("*", "page");
  const preflights = METHODS.map(async (method) => ({
    what: `${origin} may ${method} with the headers of SSE-C`,
    holds: await mayCall(trial, page, method),
  }));
  const hidden = await hiddenOf(trial, page);
  const exposure = {
    what: `${origin} may read ${EXPOSED.join(", ")}${hidden.length > 0 ? `, but not ${hidden.join(", ")}` : ""}`,
    holds: hidden.length === 0,
  };
  return [...(await Promise.all(preflights)), exposure];
}

/** @see https://fetch.spec.whatwg.org/#cors-preflight-fetch */
async function mayCall(
  { bucket, objectKey, key }: CorsTrial,
  page: string,
  method: string,
): Promise<boolean> {
  const { origin, path } = addressOf(bucket);
  const asked = ["content-type", ...Object.keys(customerKeyHeaders(key))].map((name) => name.toLowerCase());
  const { ok, headers } = await fetch(`${origin}${path}/${encodeKey(objectKey)}`, {
    method: "OPTIONS",
    redirect: "manual",
    headers: {
      origin: page,
      "access-control-request-method": method,
      "access-control-request-headers": asked.join(","),
    },
  });
  const allowed = listOf(headers.get("access-control-allow-headers"));
  return (
    ok &&
    isFor(headers, page) &&
    hasAll(listOf(headers.get("access-control-allow-methods")), [method.toLowerCase()]) &&
    hasAll(allowed, asked)
  );
}

/** Headers that the answer to an upload has and the page cannot read. */
async function hiddenOf(
  { bucket, store, objectKey, key }: CorsTrial,
  page: string,
): Promise<readonly string[]> {
  const { client, name, credentials } = store;
  const put = { method: "PUT", bucket, key: objectKey, query: {}, headers: customerKeyHeaders(key) };
  const { url, headers } = presign(put, {
    credentials,
    signingDate: new Date(),
    expiresIn: EXPIRES_IN,
  });
  let mayBeThere = true;
  let VersionId: string | undefined;
  try {
    const answer = await fetch(url, {
      method: "PUT",
      // The key would go along.
      redirect: "manual",
      headers: { ...headers, origin: page },
      body: "proof",
    });
    mayBeThere = answer.ok;
    VersionId = answer.headers.get("x-amz-version-id") ?? undefined;
    if (!answer.ok) throw new Error(`the store answered ${answer.status} to an upload as a page makes it`);
    if (!isFor(answer.headers, page)) return EXPOSED;
    const exposed = listOf(answer.headers.get("access-control-expose-headers"));
    return EXPOSED.filter((header) => !hasAll(exposed, [header.toLowerCase()]));
  } finally {
    if (mayBeThere) await client.send(new DeleteObjectCommand({ Bucket: name, Key: objectKey, VersionId }));
  }
}

function isFor(headers: Headers, page: string): boolean {
  return ["*", page].includes(headers.get("access-control-allow-origin") ?? "");
}

function listOf(header: string | null): string[] {
  return (header ?? "").split(",").map((name) => name.trim().toLowerCase());
}

function hasAll(list: readonly string[], wanted: readonly string[]): boolean {
  return list.includes("*") || wanted.every((name) => list.includes(name));
}
