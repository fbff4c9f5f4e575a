/** A body becomes an object, through the edge. */

import { limit } from "../auth/grants.ts";
import { preconditionsOf } from "../edge/conditions.ts";
import type { Digests } from "../edge/digests.ts";
import { inHeaders, UPLOADED_SCHEMA, uploadedFields } from "../edge/headers.ts";
import { confirmKept } from "../edge/kept.ts";
import { putInParts } from "../edge/parts.ts";
import { putPiece, putObject as putWhole, type Upload, type Uploaded } from "../edge/upload.ts";
import type { CustomerKey } from "../keys/customer-key.ts";
import { Refused } from "../refused.ts";
import { newObjectFault } from "../s3/api/faults.ts";
import type { FieldValues } from "../s3/api/fields.ts";
import { MAX_PARTS, MAX_PUT_BYTES } from "../s3/api/limits.ts";
import { choosePartSize } from "../s3/api/plan.ts";
import type { Service } from "../service.ts";
import { check } from "../validation.ts";
import type { Addressed, Operating } from "./operate.ts";
import { seenNow } from "./seen-now.ts";

/** Parts are held in memory, of which a Worker has 128 MB; bytes. */
const MAX_HELD_PART = 16 * 2 ** 20;
const MAX_EDGE_SIZE = MAX_HELD_PART * MAX_PARTS;

export interface Writing {
  readonly body: ReadableStream<Uint8Array> | null;
  /** Of the body; undefined where nobody has said. */
  readonly length: number | undefined;
  readonly fields: FieldValues;
  readonly digests: Digests;
  /** Of the client's request: conditions. */
  readonly headers: Headers;
}

/**
 * @param later keeps the Worker alive until a promise is settled: what was begun at the store is ended there, also when
 * the client is gone
 * @throws {Refused} what the grants have against it; too-large for the edge; as uploads do
 */
export async function putObject(
  { request: { key }, bucket, grants, draft, ...use }: Operating<Addressed>,
  { body, length, fields, digests, headers }: Writing,
  service: Service,
  later: (promise: Promise<unknown>) => void,
): Promise<{ customerKey: CustomerKey; uploaded: Uploaded }> {
  const conditions = preconditionsOf(headers);
  if (length !== undefined && length > MAX_EDGE_SIZE) {
    throw new Refused(
      "too-large",
      `More than ${MAX_EDGE_SIZE} bytes do not go through the edge: use /v1/multipart.`,
    );
  }
  draft.bytes = length;
  limit(
    { operation: "PutObject", contentLength: length, contentType: fields.contentType },
    grants,
    service.config.defaultExpiresIn,
    "content-length",
    "content-type",
  );
  const customerKey = await use.key("new");
  const credentials = await use.credentials();
  const look = () => seenNow(service, conditions, { bucket, key, credentials });
  // Before the body is taken: what may not be replaced is not sent for nothing.
  const seen = await look();
  const uploading = upload(body, length, {
    ...{ bucket, key, fields, seen, look, digests, customerKey, credentials },
    limits: service.limits,
  });
  later(uploading.catch(() => {}));
  const uploaded = await uploading;
  draft.bytes = uploaded.size;
  draft.versionId = uploaded.versionId;
  return { customerKey, uploaded };
}

async function upload(
  body: ReadableStream | null,
  length: number | undefined,
  upload: Upload,
): Promise<Uploaded> {
  const uploaded = await uploadBody(body, length, upload);
  await confirmKept(upload, uploaded);
  return uploaded;
}

async function uploadBody(
  body: ReadableStream | null,
  length: number | undefined,
  upload: Upload,
): Promise<Uploaded> {
  if (body === null || length === 0) return putPiece(undefined, upload);
  if (length !== undefined && length <= MAX_PUT_BYTES) return putWhole(body, length, upload);
  return putInParts(body, upload, { partSize: choosePartSize(length ?? 0), length });
}

/**
 * The fields of an upload.
 *
 * @throws {Refused} invalid-request; what is wrong with one is told by its header
 */
export function fieldsOf(headers: Headers): FieldValues {
  const checked = check(UPLOADED_SCHEMA, uploadedFields(headers));
  if (!checked.ok) throw Refused.fields(checked.errors.map(inHeaders));
  const fault = newObjectFault(checked.value);
  if (fault !== undefined) throw Refused.fields([inHeaders(fault)]);
  return checked.value;
}
