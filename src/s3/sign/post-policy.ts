/**
 * A browser form that uploads straight to the store: the fields to send, and the signed policy that holds the store
 * to them.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
 */
import { toBase64 } from "../../hash/base64.ts";
import { KEY_HEADER } from "../../keys/headers.ts";
import { MAX_PUT_BYTES } from "../api/limits.ts";
import { addressOf, type SignedBucket } from "./address.ts";
import type { SigningOptions } from "./presign.ts";
import { ALGORITHM, signerOf } from "./sigv4.ts";

const utf8 = new TextEncoder();

export interface Form {
  readonly bucket: SignedBucket;
  /** The object key, or the prefix before a name that the form chooses. */
  readonly key: { exactly: string } | { startsWith: string };
  /** Form fields beside the key and the policy's own. */
  readonly fields: Readonly<Record<string, string>>;
  /** How the content type begins, which the form's user then sets, as a field before the file. */
  readonly contentTypePrefix?: string | undefined;
  readonly minBytes?: number | undefined;
  readonly maxBytes?: number | undefined;
}

export interface PresignedForm {
  readonly method: "POST";
  readonly url: string;
  /** In the order to send them; the file goes after the last, as the field `file`. */
  readonly fields: Readonly<Record<string, string>>;
}

export function presignForm(
  { bucket, key, fields: given, contentTypePrefix, minBytes, maxBytes }: Form,
  { credentials, signingDate, expiresIn }: SigningOptions,
): PresignedForm {
  const scope = signerOf(credentials, bucket.store.region).scope(signingDate);
  const signed: Record<string, string> = {
    ...given,
    "x-amz-algorithm": ALGORITHM,
    "x-amz-credential": scope.credential,
    "x-amz-date": scope.timestamp,
    ...(credentials.sessionToken !== undefined && { "x-amz-security-token": credentials.sessionToken }),
  };
  const hasRange = minBytes !== undefined || maxBytes !== undefined;
  const policy = JSON.stringify({
    expiration: new Date(signingDate.getTime() + expiresIn * 1000).toISOString(),
    conditions: [
      { bucket: bucket.storeBucket },
      "exactly" in key ? ["eq", "$key", key.exactly] : ["starts-with", "$key", key.startsWith],
      ...Object.entries(signed).map(([name, value]) =>
        // The policy is readable by anyone who sees the form's request logged: the key's MD5 pins the key instead.
        name === KEY_HEADER ? ["starts-with", `$${name}`, ""] : { [name]: value },
      ),
      ...(contentTypePrefix === undefined ? [] : [["starts-with", "$content-type", contentTypePrefix]]),
      ...(hasRange ? [["content-length-range", minBytes ?? 0, maxBytes ?? MAX_PUT_BYTES]] : []),
    ],
  });
  const encoded = toBase64(utf8.encode(policy));
  const { origin, path } = addressOf(bucket);
  return {
    method: "POST",
    url: `${origin}${path}/`,
    fields: {
      key: "exactly" in key ? key.exactly : `${key.startsWith}\${filename}`,
      ...signed,
      policy: encoded,
      "x-amz-signature": scope.signText(encoded),
    },
  };
}
