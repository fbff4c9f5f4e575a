/** An object on its way from the store to a client, through the edge. */
import type { Bucket } from "../config/load.ts";
import type { CustomerKey } from "../keys/customer-key.ts";
import { customerKeyHeaders } from "../keys/headers.ts";
import { Refused } from "../refused.ts";
import type { Credentials } from "../s3/store/credentials.ts";
import { inTheClear, readRefusal, sendToStore } from "../s3/store/fetch.ts";
import { confirmUnderKey, headObject, isUnderKey } from "../s3/store/stored.ts";
import { timeLimitsOf } from "../s3/store/time-limits.ts";
import { relay } from "./body.ts";
import {
  evaluate,
  onlyTagOf,
  type Preconditions,
  preconditionFailed,
  type Representation,
  rangeHolds,
} from "./conditions.ts";
import { checkPart, checkVersion, noSuchPart } from "./echoes.ts";
import { answeredHeaders } from "./headers.ts";

/** Of an answer without a body. */
const NOT_MODIFIED_HEADERS = ["etag", "last-modified", "expires", "x-amz-version-id"];

export interface Wanted {
  readonly method: "GET" | "HEAD";
  readonly bucket: Bucket;
  readonly key: string;
  readonly versionId: string | undefined;
  readonly partNumber: number | undefined;
  readonly query: Readonly<Record<string, string>>;
  /** Of the client's request, those that the store is to see. */
  readonly headers: Readonly<Record<string, string>>;
  /** One range, as singleRange makes it. */
  readonly range: string | undefined;
  /** Under which the range may be given; S3 knows no such thing. */
  readonly ifRange: string | undefined;
  readonly conditions: Preconditions;
  readonly customerKey: CustomerKey;
  readonly credentials: Credentials;
}

/** What the client may have of the store's answer. */
export interface Downloaded {
  readonly status: 200 | 206 | 304;
  readonly headers: Readonly<Record<string, string>>;
  /** The object's own, which is for who may keep what they are told. */
  readonly cacheControl?: string | undefined;
  /** As it is stored, also where its content-encoding says that it is compressed. */
  readonly body: ReadableStream<Uint8Array> | null;
}

/**
 * @throws {Refused} not-found, key-unknown, not-encrypted, precondition-failed, range-not-satisfiable, store-error,
 * store-timeout; invalid-request where the store gives no single parts or versions
 */
export async function download(wanted: Wanted): Promise<Downloaded> {
  const { method, range, ifRange, conditions, versionId, partNumber } = wanted;
  // The last none of its bytes no object has; stores differ in what they make of it.
  if (range === "bytes=-0") return beyond(wanted);
  const tag = method === "GET" ? onlyTagOf(conditions) : undefined;
  const response = await ask(wanted, tag);
  if (response.status === 304) return notModified(await headersNow(wanted, tag ?? ""));
  if (response.status === 416) return beyond(wanted);
  try {
    const verdict = evaluate(conditions, representationOf(response.headers), method);
    if (verdict === "failed") throw preconditionFailed();
    if (verdict === "not-modified") {
      await response.body?.cancel();
      return notModified(response.headers);
    }
    if (
      range !== undefined &&
      ifRange !== undefined &&
      !rangeHolds(ifRange, representationOf(response.headers))
    ) {
      await response.body?.cancel();
      return await download({ ...wanted, range: undefined, ifRange: undefined });
    }
    checkVersion(versionId, response.headers);
    checkPart(partNumber, response);
  } catch (error) {
    await response.body?.cancel().catch(() => {});
    throw error;
  }
  const headers = answeredHeaders(response.headers);
  const { status, body } = response;
  return {
    status: status === 206 ? 206 : 200,
    headers,
    cacheControl: response.headers.get("cache-control") ?? undefined,
    body: body && relayed(body, headers["content-length"], timeLimitsOf(wanted.bucket.store).piece),
  };
}

/** The store's answer, where it has an object under the key, or says why it gives nothing of it. */
async function ask(wanted: Wanted, tag: string | undefined): Promise<Response> {
  const { method, bucket, key, versionId, range, customerKey, credentials } = wanted;
  const request = {
    method,
    bucket,
    key,
    query: { ...wanted.query, ...(versionId !== undefined && { versionId }) },
    headers: {
      ...wanted.headers,
      ...(range !== undefined && { range }),
      ...(tag !== undefined && { "if-none-match": tag }),
      ...customerKeyHeaders(customerKey),
    },
  };
  const { piece } = timeLimitsOf(bucket.store);
  const response = await sendToStore(request, { credentials, timeLimit: piece, asStored: true });
  const { status } = response;
  if (status === 304 || status === 416) {
    await response.body?.cancel();
    return response;
  }
  if (status === 200 || status === 206) {
    if (isUnderKey(response.headers, customerKey)) return response;
    await response.body?.cancel();
    throw inTheClear();
  }
  const { mayBeAboutKey, refused } = await readRefusal(response, request);
  // Whether it is the key that is wrong, a request for nothing but the object tells.
  if (mayBeAboutKey) await confirmUnderKey({ bucket, key, versionId }, customerKey, credentials);
  throw refused;
}

/** Stores leave the ETag and the date out of a 304, which clients are to keep the object by. */
async function headersNow(
  { bucket, key, versionId, customerKey, credentials }: Wanted,
  tag: string,
): Promise<Headers> {
  const found = await headObject({ bucket, key, versionId }, customerKey, credentials);
  return found?.headers.get("etag") === tag ? found.headers : new Headers({ etag: tag });
}

function notModified(headers: Headers): Downloaded {
  const kept = [...headers].filter(([name]) => NOT_MODIFIED_HEADERS.includes(name));
  const cacheControl = headers.get("cache-control") ?? undefined;
  return { status: 304, headers: Object.fromEntries(kept), cacheControl, body: null };
}

/** The object does not reach so far; but a condition that fails comes before its range. */
async function beyond(wanted: Wanted): Promise<Downloaded> {
  const { method, bucket, key, versionId, partNumber, ifRange, conditions, customerKey, credentials } =
    wanted;
  const object = { bucket, key, versionId };
  const found = await headObject(object, customerKey, credentials);
  if (!found || !isUnderKey(found.headers, customerKey))
    await confirmUnderKey(object, customerKey, credentials);
  const representation = representationOf(found?.headers ?? new Headers());
  const verdict = evaluate(conditions, representation, method);
  if (verdict === "failed") throw preconditionFailed();
  if (verdict === "not-modified") return notModified(found?.headers ?? new Headers());
  if (ifRange !== undefined && !rangeHolds(ifRange, representation)) {
    return download({ ...wanted, range: undefined, ifRange: undefined });
  }
  if (partNumber !== undefined) throw noSuchPart(found?.stored.size);
  throw new Refused("range-not-satisfiable", "The object does not reach so far.", {
    objectSize: found?.stored.size,
  });
}

function representationOf(headers: Headers): Representation {
  return {
    etag: headers.get("etag") ?? undefined,
    lastModified: headers.get("last-modified") ?? undefined,
  };
}

/**
 * The body, watched: a store that falls silent breaks it off, as does one that breaks off by itself.
 *
 * @param silenceLimit milliseconds
 */
function relayed(
  body: ReadableStream<Uint8Array>,
  length: string | undefined,
  silenceLimit: number,
): ReadableStream<Uint8Array> {
  const size = length === undefined ? undefined : Number(length);
  const { readable, writable } =
    size === undefined ? new IdentityTransformStream() : new FixedLengthStream(size);
  void relay(body, writable, { silenceLimit, length: size });
  return readable;
}
