/** Whether an object is there, and under which key: what the store itself says. */
import type { Bucket } from "../../config/load.ts";
import type { CustomerKey } from "../../keys/customer-key.ts";
import { ALGORITHM_HEADER, customerKeyHeaders, KEY_MD5_HEADER } from "../../keys/headers.ts";
import { Problem } from "../../problem.ts";
import { wholeNumberIn } from "../api/whole-number.ts";
import type { Unsigned } from "../sign/presign.ts";
import type { Credentials } from "./credentials.ts";
import { refusalOf, sendToStore, storeError } from "./fetch.ts";
import { timeLimitsOf } from "./time-limits.ts";
import { versionFault } from "./version-fault.ts";

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
}

/** Whether an answer says that the object is encrypted under exactly this key. */
export function isUnderKey(headers: Headers, { md5 }: CustomerKey): boolean {
  return headers.get(ALGORITHM_HEADER) === "AES256" && headers.get(KEY_MD5_HEADER) === md5;
}

/**
 * The object as it is under the key, or without one; undefined when the store refuses that key, or demands one.
 *
 * @throws {Problem} not-found, store-error, store-timeout
 */
export async function headObject(
  { bucket, key, versionId }: ObjectRef,
  customerKey: CustomerKey | undefined,
  credentials: Credentials,
): Promise<{ stored: Stored; headers: Headers } | undefined> {
  const request = headOf({ bucket, key, versionId }, customerKey);
  const response = await sendToStore(request, { credentials, timeLimit: timeLimitsOf(bucket.store).lookUp });
  const { status, headers } = response;
  if (status === 200) return { stored: await storedOf(headers, request, credentials), headers };
  if (status === 400 || (status === 403 && customerKey !== undefined)) return undefined;
  throw await refusalOf(response, request);
}

function headOf({ bucket, key, versionId }: ObjectRef, customerKey: CustomerKey | undefined): Unsigned {
  return {
    method: "HEAD",
    bucket,
    key,
    query: versionId === undefined ? {} : { versionId },
    headers: customerKey === undefined ? {} : customerKeyHeaders(customerKey),
  };
}

async function storedOf(headers: Headers, request: Unsigned, credentials: Credentials): Promise<Stored> {
  const modified = new Date(headers.get("last-modified") ?? "");
  return {
    size: wholeNumberIn(headers.get("content-length")) ?? (await sizeOf(request, credentials)),
    etag: headers.get("etag") ?? "",
    ...(!Number.isNaN(modified.getTime()) && { lastModified: modified.toISOString() }),
  };
}

/**
 * The size of an object whose HEAD does not tell it, as where a proxy before the store leaves it out: that of which its
 * first byte is one. An object of nothing has none.
 *
 * @throws {Problem} store-error when nothing tells it
 */
async function sizeOf({ headers, ...request }: Unsigned, credentials: Credentials): Promise<number> {
  const asked = { ...request, method: "GET", headers: { ...headers, range: "bytes=0-0" } };
  const response = await sendToStore(asked, {
    credentials,
    timeLimit: timeLimitsOf(request.bucket.store).lookUp,
  });
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
 * @throws {Problem} invalid-request: the version is none; not-encrypted, key-unknown, not-found, store-error, store-timeout
 */
export async function confirmUnderKey(
  object: ObjectRef,
  customerKey: CustomerKey,
  credentials: Credentials,
): Promise<Stored> {
  const found = await headObject(object, customerKey, credentials);
  if (found !== undefined && isUnderKey(found.headers, customerKey)) return found.stored;
  if (found !== undefined || (await headObject(object, undefined, credentials)) !== undefined) {
    throw new Problem("not-encrypted", "The object is there, but was stored without a customer key.");
  }
  const fault = await versionFault(headOf(object, customerKey), credentials, {
    timeLimit: timeLimitsOf(object.bucket.store).lookUp,
  });
  throw (
    fault ?? new Problem("key-unknown", `The object is there, but not under the key "${customerKey.id}".`)
  );
}
