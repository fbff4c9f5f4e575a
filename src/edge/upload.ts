/**
 * An object on its way from a client to the store, through the edge, without being held. It counts only when the store
 * has said that it is encrypted under our key; until then nothing is there that a reader could take for whole.
 */
import type { Bucket } from "../config/load.ts";
import type { CustomerKey } from "../keys/customer-key.ts";
import { customerKeyHeaders } from "../keys/headers.ts";
import type { Limits } from "../limits.ts";
import { Refused } from "../refused.ts";
import { type FieldValues, send } from "../s3/api/fields.ts";
import type { Credentials } from "../s3/store/credentials.ts";
import { didNotEncrypt, refusalOf, sendToStore, storeTimeout } from "../s3/store/fetch.ts";
import { headObject, isUnderKey } from "../s3/store/stored.ts";
import { timeLimitsOf } from "../s3/store/time-limits.ts";
import { type Piece, pump } from "./body.ts";
import { preconditionFailed, type Seen } from "./conditions.ts";
import type { Digests } from "./digests.ts";

export interface Upload {
  readonly bucket: Bucket;
  readonly key: string;
  /** Content headers and metadata, as fields of PutObject. */
  readonly fields: FieldValues;
  /** What the store is to hold the object that is replaced against. */
  readonly seen: Seen;
  /** Holds the request's conditions against what is there now; throws when they do not hold any more. */
  readonly look: () => Promise<Seen>;
  /** What the body is promised to be. */
  readonly digests: Digests;
  readonly customerKey: CustomerKey;
  readonly credentials: Credentials;
  readonly limits: Limits;
  /** Where it becomes a part of an upload, and no object yet. */
  readonly part?: Part;
}

export interface Part {
  /** The store's own. */
  readonly uploadId: string;
  readonly partNumber: number;
}

export interface Uploaded {
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
  readonly versionId?: string;
}

/**
 * Sends a body of known length as one PUT.
 *
 * @throws {Refused} invalid-request when the body is shorter or longer, is not what its digests say, or stops coming;
 * unavailable when there is no memory; what the store's refusal means; store-timeout
 */
export async function putObject(
  body: ReadableStream<Uint8Array>,
  length: number,
  upload: Upload,
): Promise<Uploaded> {
  const { readable, writable } = new FixedLengthStream(length);
  const end = new AbortController();
  let cause: Refused | undefined;
  const stop = (refused: Refused) => {
    cause ??= refused;
    end.abort();
  };
  let answerTimer: ReturnType<typeof setTimeout> | undefined;
  const { digests, limits } = upload;
  const { piece: stallLimit, write } = timeLimitsOf(upload.bucket.store);
  const onStall = () => stop(storeTimeout());
  const pumping = { length, digests, stallLimit, onStall, signal: end.signal, limits };
  const sent = pump(body, writable, pumping).then(
    () => {
      if (!end.signal.aborted) answerTimer = setTimeout(() => stop(storeTimeout()), write);
    },
    (error: unknown) => stop(error instanceof Refused ? error : brokenOff(length)),
  );
  try {
    return await put(readable, length, upload, end.signal);
  } catch (error) {
    throw cause ?? error;
  } finally {
    // The store may have answered before it had everything.
    end.abort();
    await sent;
    clearTimeout(answerTimer);
  }
}

function brokenOff(length: number): Refused {
  return new Refused(
    "invalid-request",
    `The body broke off before the ${length} bytes of its content-length.`,
  );
}

async function put(
  body: ReadableStream<Uint8Array> | Uint8Array,
  size: number,
  { bucket, key, fields, seen, customerKey, credentials, part }: Upload,
  signal: AbortSignal,
): Promise<Uploaded> {
  const request = {
    method: "PUT",
    bucket,
    key,
    query: queryOf(part),
    headers: {
      ...send({ ...fields, ...seen }).headers,
      "content-length": String(size),
      ...customerKeyHeaders(customerKey),
    },
  };
  const response = await sendToStore(request, { credentials, body, signal });
  if (response.status !== 200) {
    const refusal = await refusalOf(response, request);
    // What was to be replaced has gone meanwhile.
    const hasGone = refusal.reason === "not-found" && seen.ifMatch !== undefined;
    throw hasGone ? preconditionFailed() : refusal;
  }
  await response.body?.cancel();
  const versionId = response.headers.get("x-amz-version-id") ?? undefined;
  if (!isUnderKey(response.headers, customerKey)) {
    // A part is none of an object before its upload is completed, which looks at the object itself.
    if (part === undefined) await removeObject({ bucket, key, versionId, credentials });
    throw didNotEncrypt();
  }
  let etag = response.headers.get("etag");
  if (etag === null && part === undefined)
    etag = (await headObject({ bucket, key, versionId }, customerKey, credentials))?.stored.etag ?? null;
  return { size, etag: etag ?? "", ...(versionId !== undefined && { versionId }) };
}

function queryOf(part: Part | undefined): Record<string, string> {
  if (part === undefined) return { "x-id": "PutObject" };
  return { "x-id": "UploadPart", partNumber: String(part.partNumber), uploadId: part.uploadId };
}

/**
 * Sends what is in memory as one PUT.
 *
 * @throws {Refused} invalid-request when it is not what its digests say; as `putObject` does
 */
export function putPiece(piece: Piece | undefined, upload: Upload): Promise<Uploaded> {
  upload.digests.verify();
  const signal = AbortSignal.timeout(timeLimitsOf(upload.bucket.store).write);
  return piece === undefined || piece.size === 0
    ? put(new Uint8Array(), 0, upload, signal)
    : put(piece.stream(), piece.size, upload, signal);
}

interface Removal extends Pick<Upload, "bucket" | "key" | "credentials"> {
  readonly versionId?: string | undefined;
  readonly seen?: Seen;
}

/** What has become of it in a bucket with versions; nothing is told in others. */
export interface Removed {
  /** Of the version that has gone, or of the marker that has come in its place. */
  readonly versionId?: string | undefined;
  /** Whether it is a marker that has come, or gone. */
  readonly isMarker?: boolean;
}

/** DeleteObject; an object that is not there is gone already. */
export async function removeObject({
  bucket,
  key,
  versionId,
  seen = {},
  credentials,
}: Removal): Promise<Removed> {
  const query = { "x-id": "DeleteObject", ...(versionId !== undefined && { versionId }) };
  const request = { method: "DELETE", bucket, key, query, headers: send(seen).headers };
  const response = await sendToStore(request, { credentials, timeLimit: timeLimitsOf(bucket.store).write });
  if (response.status === 204 || response.status === 200) {
    await response.body?.cancel();
    const { headers } = response;
    return {
      versionId: headers.get("x-amz-version-id") ?? undefined,
      isMarker: headers.get("x-amz-delete-marker") === "true",
    };
  }
  if (response.status === 501 && seen.ifMatch !== undefined) {
    // A store that holds no condition here: what was seen a moment ago is all that there is.
    await response.body?.cancel();
    return removeObject({ bucket, key, versionId, credentials });
  }
  const refusal = await refusalOf(response, request);
  if (refusal.reason !== "not-found") throw refusal;
  return {};
}
