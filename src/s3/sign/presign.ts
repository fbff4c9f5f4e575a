/** Signed requests to a store: as a URL to be handed out, or to be sent by the service itself. */
import { encodeKey, encodeQuery } from "../api/encode.ts";
import type { Sent } from "../api/fields.ts";
import { addressOf, type SignedBucket } from "./address.ts";
import { type Credentials, signerOf } from "./sigv4.ts";

/** A request to the store, before it is signed. */
export interface Unsigned<Bucket extends SignedBucket = SignedBucket> extends Sent {
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
  const second = Math.floor(signingDate.getTime() / 1000) + expiresIn;
  if (last.second !== second) {
    last = { second, text: `${new Date(second * 1000).toISOString().slice(0, -5)}Z` };
  }
  return last.text;
}

/** Most URLs of one second end alike. */
let last = { second: Number.NaN, text: "" };

/** A URL and exactly what must be sent with it, beside what every HTTP client sets itself. */
export interface Presigned {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export function presign(
  { method, bucket, key, headers, query }: Unsigned,
  { credentials, signingDate, expiresIn }: SigningOptions,
): Presigned {
  const { origin, host, path: base } = addressOf(bucket);
  const path = `${base}/${encodeKey(key)}`;
  const signed = signerOf(credentials, bucket.store.region).presign(
    { method, host, path, query: encodeQuery(query), headers },
    signingDate,
    expiresIn,
  );
  return { method, url: `${origin}${path}?${signed}`, headers: toSend(headers) };
}

/** The same request for the service to send now. */
export function authorize(
  { method, bucket, key, headers, query }: Unsigned,
  credentials: Credentials,
): Presigned {
  const { origin, host, path: base } = addressOf(bucket);
  const path = `${base}/${encodeKey(key)}`;
  const encoded = encodeQuery(query);
  const signed = signerOf(credentials, bucket.store.region).authorize(
    { method, host, path, query: encoded, headers },
    new Date(),
  );
  return { method, url: `${origin}${path}${encoded && `?${encoded}`}`, headers: toSend(signed) };
}

/** The client itself sets `host`, from the URL, and `content-length`, from the body that it sends. */
function toSend(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (!("content-length" in headers)) return headers;
  const { "content-length": _, ...others } = headers;
  return others;
}
