/**
 * Presigned URLs by AWS's own presigner, with its traps closed: it signs only what it is told to, and moves
 * x-amz-* headers, a copy's source key among them, into the URL unless each is named. Here every header is named
 * as signable and as unhoistable, whatever it is.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
import { createHash, createHmac } from "node:crypto";
import { S3RequestPresigner } from "@aws-sdk/s3-request-presigner";
import type { Bucket } from "../config/load.ts";
import { addressOf, originOf } from "./address.ts";
import type { Credentials } from "./credentials.ts";
import { encodeKey, encodeQuery } from "./encode.ts";
import type { Sent } from "./fields.ts";

/** A request to the store, before it is signed. */
export interface Unsigned extends Sent {
  readonly method: string;
  readonly bucket: Bucket;
  readonly key: string;
}

export interface SigningOptions {
  readonly credentials: Credentials;
  readonly signingDate: Date;
  /** Seconds, 1 to 604800. */
  readonly expiresIn: number;
}

/** When a URL that is signed so ends: ISO 8601, whole seconds. */
export function expiryOf({ signingDate, expiresIn }: SigningOptions): string {
  const second = Math.floor(signingDate.getTime() / 1000);
  return new Date((second + expiresIn) * 1000).toISOString().replace(".000Z", "Z");
}

/** A URL and exactly what must be sent with it, beside what every HTTP client sets itself. */
export interface Presigned {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Signed like any other header, but set by the client from the host in the URL and the body that it sends. */
const SET_BY_THE_CLIENT = new Set(["host", "content-length"]);

export async function presign(
  { method, bucket, key, headers, query }: Unsigned,
  { credentials, signingDate, expiresIn }: SigningOptions,
): Promise<Presigned> {
  const address = addressOf(bucket);
  const path = `${address.path}/${encodeKey(key)}`;
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  const presigner = new S3RequestPresigner({ credentials, region: bucket.store.region, sha256: Sha256 });
  const signed = await presigner.presign(
    // The presigner writes into what it is given.
    {
      method,
      protocol: address.protocol,
      hostname: address.hostname,
      ...(address.port !== undefined && { port: address.port }),
      path,
      query: { ...query },
      headers: { ...headers },
    },
    {
      signingDate,
      expiresIn,
      signableHeaders: new Set(names),
      unhoistableHeaders: new Set(names),
    },
  );
  return {
    method,
    url: `${originOf(address)}${path}?${encodeQuery(signed.query as Record<string, string>)}`,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !SET_BY_THE_CLIENT.has(name))),
  };
}

/** SHA-256 and HMAC-SHA256 for the presigner, by the runtime's own implementation. */
class Sha256 {
  readonly #hash;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(secret));
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error("a digest is made once");
  }
}

function bytesOf(secret: string | ArrayBuffer | ArrayBufferView): string | Uint8Array {
  if (typeof secret === "string") return secret;
  return ArrayBuffer.isView(secret)
    ? new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength)
    : new Uint8Array(secret);
}
