/**
 * Whether a running multipart upload is under a key, by what the store refuses, for ids that show nothing themselves. A
 * part is sent that cannot be stored, since its checksums are wrong: a store that complains of them has taken the key. One
 * that complains of them under a key made up for this as well looks at the body first, and proves nothing.
 */
import type { Bucket } from "../../config/load.ts";
import { type CustomerKey, customerKey, KEY_BYTES } from "../../keys/customer-key.ts";
import { customerKeyHeaders } from "../../keys/headers.ts";
import { Refused } from "../../refused.ts";
import { MAX_PARTS } from "../api/limits.ts";
import type { Credentials } from "./credentials.ts";
import { readRefusal, sendToStore } from "./fetch.ts";
import { timeLimitsOf } from "./time-limits.ts";

const { randomBytes } = process.getBuiltinModule("node:crypto");

/** The last that there can be: seldom is there one. */
const PART_NUMBER = String(MAX_PARTS);
const BODY = new Uint8Array([0]);
/** Of something else than the body: MD5 and SHA-256. */
const WRONG = {
  "content-md5": Buffer.alloc(16).toString("base64"),
  "x-amz-content-sha256": "0".repeat(64),
};
const BODY_IS_WRONG = ["BadDigest", "XAmzContentSHA256Mismatch"];

export interface UploadRef {
  readonly bucket: Bucket;
  readonly key: string;
  /** The store's own. */
  readonly uploadId: string;
}

/**
 * @throws {Refused} not-found: there is no such upload; conflict: it is not under the key, or the store does not show it;
 * store-error, store-timeout
 */
export async function proveUnderKey(
  upload: UploadRef,
  key: CustomerKey,
  credentials: Credentials,
): Promise<void> {
  if (!(await showsKey(upload, credentials))) {
    throw new Refused(
      "conflict",
      "The store does not show which key this upload is under: begin it by POST /v1/multipart, whose uploadId does.",
    );
  }
  if (await takesKey(upload, key, credentials)) return;
  throw new Refused(
    "conflict",
    `The upload is not under the key "${key.id}": give the keyId that it was begun with.`,
  );
}

/** Whether the store refuses a key that the upload cannot be under. @throws {Refused} as `proveUnderKey`, without conflict */
export async function showsKey(upload: UploadRef, credentials: Credentials): Promise<boolean> {
  return !(await takesKey(upload, customerKey("nobody's", randomBytes(KEY_BYTES)), credentials));
}

/** Means something of an upload whose key the store shows. @throws {Refused} the same */
export async function takesKey(
  { bucket, key, uploadId }: UploadRef,
  customerKey: CustomerKey,
  credentials: Credentials,
): Promise<boolean> {
  const request = {
    method: "PUT",
    bucket,
    key,
    query: { "x-id": "UploadPart", partNumber: PART_NUMBER, uploadId },
    headers: { ...WRONG, "content-length": String(BODY.length), ...customerKeyHeaders(customerKey) },
  };
  const timeLimit = timeLimitsOf(bucket.store).lookUp;
  const response = await sendToStore(request, { credentials, body: BODY, timeLimit });
  if (response.status < 300) {
    await response.body?.cancel();
    return true;
  }
  const { code, mayBeAboutKey, refused } = await readRefusal(response, request);
  if (BODY_IS_WRONG.includes(code)) return true;
  if (mayBeAboutKey) return false;
  throw refused;
}
