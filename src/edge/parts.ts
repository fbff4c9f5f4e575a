/** An object that goes to the store in parts, since its length is not known or too much for one PUT. */

import { customerKeyHeaders } from "../keys/headers.ts";
import { describeUnforeseen, logError } from "../log.ts";
import { Refused } from "../refused.ts";
import type { FieldValues } from "../s3/api/fields.ts";
import { MAX_PARTS } from "../s3/api/limits.ts";
import { storeUploadId } from "../s3/api/upload-id.ts";
import { S3Bucket } from "../s3/store/client.ts";
import { didNotEncrypt, isTransient, refusalOf, sendToStore } from "../s3/store/fetch.ts";
import { MultipartUpload, type NamedPart } from "../s3/store/multipart.ts";
import { isUnderKey } from "../s3/store/stored.ts";
import { timeLimitsOf } from "../s3/store/time-limits.ts";
import { type Piece, Pieces } from "./body.ts";
import { completeUpload } from "./complete.ts";
import { WHOLE_BODY_FIELDS } from "./headers.ts";
import { putPiece, type Upload, type Uploaded } from "./upload.ts";

/** How often a part that is still in memory is sent, when the store fails. */
const ATTEMPTS = 3;

export interface PartsOptions {
  /** Bytes of every part but the last. One part is read while another is sent: both are in memory. */
  readonly partSize: number;
  /** Of the whole, where it is known. */
  readonly length: number | undefined;
}

/**
 * Sends a body in parts, of which each is held until the store has it; what turns out to fit one part goes as one PUT.
 *
 * @throws {Refused} as `putObject` does; whatever was begun at the store is ended there
 */
export async function putInParts(
  body: ReadableStream<Uint8Array>,
  upload: Upload,
  { partSize, length }: PartsOptions,
): Promise<Uploaded> {
  const pieces = new Pieces(body, partSize, upload.digests, upload);
  try {
    const first = await pieces.next();
    if (!pieces.isOver) return await putRest(first, pieces, upload, { partSize, length });
    try {
      checkLength(first.size, length);
      return await putPiece(first, upload);
    } finally {
      first.release();
    }
  } catch (error) {
    await pieces.discard();
    throw error;
  }
}

async function putRest(
  first: Piece,
  pieces: Pieces,
  upload: Upload,
  { partSize, length }: PartsOptions,
): Promise<Uploaded> {
  const { bucket, key, fields, digests, look, customerKey, credentials } = upload;
  const parts = new MultipartUpload(new S3Bucket(bucket, credentials), key, customerKey);
  let waiting: Piece | undefined = first;
  let sending: Promise<NamedPart> | undefined;
  let uploadId: string | undefined;
  try {
    uploadId = await parts.create(withoutDigests(fields));
    const named: NamedPart[] = [];
    let size = 0;
    for (let piece = first; piece.size > 0; ) {
      if (named.length === MAX_PARTS) throw tooLarge(partSize);
      size += piece.size;
      const sent = piece;
      waiting = undefined;
      sending = sendPart(sent, named.length + 1, uploadId, upload).finally(() => sent.release());
      // Its failure is met below, if the body does not fail first: it is never unheard.
      sending.catch(() => {});
      piece = await pieces.next(sending);
      waiting = piece;
      named.push(await sending);
    }
    checkLength(size, length);
    digests.verify();
    const { stored } = await completeUpload({
      upload: parts,
      uploadId,
      // The object is there only now, and what it replaces may have changed while its parts came.
      look,
      parts: named,
      size,
      object: { bucket, key },
      customerKey,
      credentials,
      checkLength: () => {},
    });
    const { etag, versionId } = stored;
    return { size, etag, ...(versionId !== undefined && { versionId }) };
  } catch (error) {
    // A part that arrives after the end of its upload may stay.
    await sending?.catch(() => {});
    if (uploadId !== undefined) await abort(parts, uploadId);
    throw error;
  } finally {
    waiting?.release();
  }
}

async function abort(parts: MultipartUpload, uploadId: string): Promise<void> {
  try {
    await parts.abort(uploadId);
  } catch (failure) {
    // The parts stay, and cost, until the bucket's lifecycle ends them.
    logError({
      code: "store-error",
      message: `an upload was not aborted: ${describeUnforeseen(failure).message}`,
    });
  }
}

/** A store holds them against each part, of which they say nothing. */
function withoutDigests(fields: FieldValues): FieldValues {
  const ofWholeBody: readonly string[] = WHOLE_BODY_FIELDS;
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !ofWholeBody.includes(name)));
}

async function sendPart(
  piece: Piece,
  partNumber: number,
  uploadId: string,
  upload: Upload,
): Promise<NamedPart> {
  const { bucket, key, customerKey, credentials } = upload;
  const request = {
    method: "PUT",
    bucket,
    key,
    query: { "x-id": "UploadPart", partNumber: String(partNumber), uploadId: storeUploadId(uploadId) },
    headers: { "content-length": String(piece.size), ...customerKeyHeaders(customerKey) },
  };
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await sendToStore(request, {
        credentials,
        body: piece.stream(),
        timeLimit: timeLimitsOf(bucket.store).write,
      });
      if (response.status !== 200) throw await refusalOf(response, request);
      await response.body?.cancel();
      if (!isUnderKey(response.headers, customerKey)) throw didNotEncrypt();
      return { partNumber, etag: response.headers.get("etag") ?? "" };
    } catch (error) {
      if (attempt === ATTEMPTS || !isTransient(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200 * 4 ** (attempt - 1)));
    }
  }
}

function checkLength(length: number, declared: number | undefined): void {
  if (declared === undefined || length === declared) return;
  throw new Refused(
    "invalid-request",
    `The body had ${length} bytes, not the ${declared} of its content-length.`,
  );
}

function tooLarge(partSize: number): Refused {
  return new Refused(
    "too-large",
    `More than ${partSize * MAX_PARTS} bytes of unknown length do not go through the edge: use /v1/multipart.`,
  );
}
