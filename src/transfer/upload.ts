/**
 * An object on its way from a client to the store, through the edge, without being held. It counts only when the store
 * has said that it is encrypted under our key; until then nothing is there that a reader could take for whole.
 */
import type { Bucket } from "../config/load.ts";
import { Problem } from "../problem.ts";
import type { Credentials } from "../s3/credentials.ts";
import { refusalOf, sendToStore, storeTimeout } from "../s3/fetch.ts";
import { type FieldValues, send } from "../s3/fields.ts";
import { notEncrypted } from "../s3/multipart.ts";
import type { CustomerKey } from "../ssec/customer-key.ts";
import { customerKeyHeaders } from "../ssec/headers.ts";
import { pump } from "./body.ts";
import { isUnderKey } from "./stored.ts";

/** What the store has to answer once it has all of the body, milliseconds. */
export const ANSWER_LIMIT = 30_000;

export interface Upload {
  readonly bucket: Bucket;
  readonly key: string;
  /** Content headers, metadata and conditions, as fields of PutObject. */
  readonly fields: FieldValues;
  readonly customerKey: CustomerKey;
  readonly credentials: Credentials;
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
 * @throws {Problem} invalid-request when the body is shorter or longer; what the store's refusal means; store-timeout
 */
export async function putObject(
  body: ReadableStream<Uint8Array>,
  length: number,
  upload: Upload,
): Promise<Uploaded> {
  const { readable, writable } = new FixedLengthStream(length);
  const end = new AbortController();
  let cause: Problem | undefined;
  const stop = (problem: Problem) => {
    cause ??= problem;
    end.abort();
  };
  let answerTimer: ReturnType<typeof setTimeout> | undefined;
  const sent = pump(body, writable, { onStall: () => stop(storeTimeout()), signal: end.signal }).then(
    () => {
      if (!end.signal.aborted) answerTimer = setTimeout(() => stop(storeTimeout()), ANSWER_LIMIT);
    },
    () =>
      stop(
        new Problem(
          "invalid-request",
          `The body broke off before the ${length} bytes of its content-length.`,
        ),
      ),
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

async function put(
  body: ReadableStream<Uint8Array> | Uint8Array,
  size: number,
  { bucket, key, fields, customerKey, credentials }: Upload,
  signal: AbortSignal,
): Promise<Uploaded> {
  const request = {
    method: "PUT",
    bucket,
    key,
    query: { "x-id": "PutObject" },
    headers: { ...send(fields).headers, "content-length": String(size), ...customerKeyHeaders(customerKey) },
  };
  const response = await sendToStore(request, { credentials, body, signal });
  if (response.status !== 200) throw await refusalOf(response, request);
  await response.body?.cancel();
  const versionId = response.headers.get("x-amz-version-id") ?? undefined;
  if (!isUnderKey(response.headers, customerKey)) {
    await removeObject({ bucket, key, versionId, credentials });
    throw notEncrypted();
  }
  return { size, etag: response.headers.get("etag") ?? "", ...(versionId !== undefined && { versionId }) };
}

/** Sends what is in memory as one PUT. */
export function putBytes(bytes: Uint8Array, upload: Upload): Promise<Uploaded> {
  return put(bytes, bytes.length, upload, AbortSignal.timeout(ANSWER_LIMIT));
}

/** DeleteObject; an object that is not there is gone already. */
export async function removeObject({
  bucket,
  key,
  versionId,
  credentials,
}: Pick<Upload, "bucket" | "key" | "credentials"> & { versionId?: string | undefined }): Promise<void> {
  const query = { "x-id": "DeleteObject", ...(versionId !== undefined && { versionId }) };
  const request = { method: "DELETE", bucket, key, query, headers: {} };
  const response = await sendToStore(request, { credentials, timeLimit: ANSWER_LIMIT });
  if (response.status === 204 || response.status === 200) {
    await response.body?.cancel();
    return;
  }
  const refusal = await refusalOf(response, request);
  if (refusal.code !== "not-found") throw refusal;
}
