/** Whether an object is there, and under which key: what the store itself says. */
import type { Bucket } from "../../config/load.ts";
import type { CustomerKey } from "../../keys/customer-key.ts";
import { ALGORITHM_HEADER, customerKeyHeaders, KEY_HEADER, KEY_MD5_HEADER } from "../../keys/headers.ts";
import { Refused } from "../../refused.ts";
import { wholeNumberIn } from "../api/whole-number.ts";
import type { Credentials } from "./credentials.ts";
import { refusalOf, type Sending, type StoreRequest, sendToStore, storeError } from "./fetch.ts";
import { faultBesideKey } from "./silent-refusal.ts";
import { inTheClear, storeRefusal } from "./store-error.ts";
import { timeLimitsOf } from "./time-limits.ts";
import type { Transport } from "./transport.ts";

export interface ObjectRef {
  readonly bucket: Bucket;
  readonly key: string;
  readonly versionId?: string | undefined;
}

/** What the store says of an object. */
export interface Stored {
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
  /** ISO 8601. */
  readonly lastModified?: string;
  /** In a bucket with versions. */
  readonly versionId?: string;
}

/** Whether an answer says that the object is encrypted under exactly this key. */
export function isUnderKey(headers: Headers, { md5 }: CustomerKey): boolean {
  return headers.get(ALGORITHM_HEADER) === "AES256" && headers.get(KEY_MD5_HEADER) === md5;
}

/**
 * The object as it is under the key, or without one; undefined when the store refuses that key, or demands one.
 *
 * @throws {Refused} not-found, store-error, store-timeout
 */
export async function headObject(
  object: ObjectRef,
  customerKey: CustomerKey | undefined,
  credentials: Credentials,
  transport?: Transport,
): Promise<{ stored: Stored; headers: Headers } | undefined> {
  const request = headOf(object, customerKey);
  const sending = { credentials, transport, timeLimit: timeLimitsOf(object.bucket.store).lookUp };
  const headers = await head(request, sending);
  return headers && { stored: await storedOf(headers, request, sending), headers };
}

/**
 * What the store answers to a HEAD; undefined when it refuses the key, or demands one.
 *
 * @throws {Refused} not-found, store-error, store-timeout
 */
export async function head(request: StoreRequest, sending: Sending): Promise<Headers | undefined> {
  const response = await sendToStore(request, sending);
  const { status, headers } = response;
  switch (status) {
    case 200:
      return headers;
    case 400:
      return undefined;
    case 403:
      // With a key: not this one. Without: an encrypted object is 400, so it is our credentials that are refused.
      if (KEY_HEADER in request.headers) return undefined;
      throw storeRefusal(request, "403", "do its credentials allow GetObject and ListBucket?");
    default:
      throw await refusalOf(response, request);
  }
}

/** The HEAD of an object, as it is under a key or without one. */
export function headOf(
  { bucket, key, versionId }: ObjectRef,
  customerKey: CustomerKey | undefined,
): StoreRequest {
  return {
    method: "HEAD",
    bucket,
    key,
    query: versionId === undefined ? {} : { versionId },
    headers: customerKey === undefined ? {} : customerKeyHeaders(customerKey),
  };
}

async function storedOf(headers: Headers, request: StoreRequest, sending: Sending): Promise<Stored> {
  const modified = new Date(headers.get("last-modified") ?? "");
  const versionId = headers.get("x-amz-version-id");
  return {
    size: wholeNumberIn(headers.get("content-length")) ?? (await sizeOf(request, sending)),
    etag: headers.get("etag") ?? "",
    ...(!Number.isNaN(modified.getTime()) && { lastModified: modified.toISOString() }),
    ...(versionId !== null && { versionId }),
  };
}

/**
 * The size of an object whose HEAD does not tell it, as where a proxy before the store leaves it out: that of which its
 * first byte is one. An object of nothing has none.
 *
 * @throws {Refused} store-error when nothing tells it
 */
async function sizeOf({ headers, ...request }: StoreRequest, sending: Sending): Promise<number> {
  const asked = { ...request, method: "GET", headers: { ...headers, range: "bytes=0-0" } };
  const response = await sendToStore(asked, sending);
  await response.body?.cancel();
  switch (response.status) {
    case 206: {
      const size = wholeNumberIn(/^bytes 0-0\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1]);
      if (size !== undefined) return size;
      break;
    }
    case 200: {
      const size = wholeNumberIn(response.headers.get("content-length"));
      if (size !== undefined) return size;
      break;
    }
    case 416:
      return 0;
  }
  throw storeError(asked, "an object of unknown size", "its answers have no content-length");
}

/**
 * The object, once the store has confirmed that it is there under this key and no other way.
 *
 * @throws {Refused} invalid-request: the version is none; not-encrypted, key-unknown, not-found, store-error, store-timeout
 */
export async function confirmUnderKey(
  object: ObjectRef,
  customerKey: CustomerKey,
  credentials: Credentials,
): Promise<Stored> {
  const found = await headObject(object, customerKey, credentials);
  if (found !== undefined && isUnderKey(found.headers, customerKey)) return found.stored;
  if (found !== undefined || (await headObject(object, undefined, credentials)) !== undefined) {
    throw inTheClear();
  }
  const fault = await faultBesideKey(headOf(object, customerKey), {
    credentials,
    timeLimit: timeLimitsOf(object.bucket.store).lookUp,
  });
  throw (
    fault ?? new Refused("key-unknown", `The object is there, but not under the key "${customerKey.id}".`)
  );
}
