/** An object that goes to the store in parts, since its length is not known or too much for one PUT. */
import { describeUnforeseen, logError } from "../log.ts";
import { Problem } from "../problem.ts";
import { S3Bucket } from "../s3/client.ts";
import { isTransient, refusalOf, sendToStore } from "../s3/fetch.ts";
import { MultipartUpload, type NamedPart, notEncrypted } from "../s3/multipart.ts";
import { storeUploadId } from "../s3/upload-id.ts";
import { customerKeyHeaders } from "../ssec/headers.ts";
import { Pieces } from "./body.ts";
import { completeUpload } from "./complete.ts";
import { MAX_PARTS } from "./plan.ts";
import { isUnderKey } from "./stored.ts";
import { ANSWER_LIMIT, putBytes, type Upload, type Uploaded } from "./upload.ts";

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
 * @throws {Problem} as `putObject` does; whatever was begun at the store is ended there
 */
export async function putInParts(
  body: ReadableStream<Uint8Array>,
  upload: Upload,
  { partSize, length }: PartsOptions,
): Promise<Uploaded> {
  const pieces = new Pieces(body, partSize);
  const first = await pieces.next();
  if (pieces.isOver) {
    checkLength(first.length, length);
    return putBytes(first, upload);
  }
  const { bucket, key, fields, customerKey, credentials } = upload;
  // The conditions are for the object, which there is only in the end.
  const { ifMatch, ifNoneMatch, ...begun } = fields;
  const parts = new MultipartUpload(new S3Bucket(bucket, credentials), key, customerKey);
  const uploadId = await parts.create(begun);
  try {
    const named: NamedPart[] = [];
    let size = 0;
    for (let piece = first; piece.length > 0; ) {
      if (named.length === MAX_PARTS) throw tooLarge(partSize);
      size += piece.length;
      const sending = sendPart(piece, named.length + 1, uploadId, upload);
      // Its failure is met below, if the body does not fail first: it is never unheard.
      sending.catch(() => {});
      const next = await pieces.next();
      named.push(await sending);
      pieces.reuse(piece);
      piece = next;
    }
    checkLength(size, length);
    const { stored } = await completeUpload({
      upload: parts,
      uploadId,
      conditions: { ifMatch, ifNoneMatch },
      parts: named,
      size,
      object: { bucket, key },
      customerKey,
      credentials,
      checkLength: () => {},
    });
    return { size, etag: stored.etag };
  } catch (error) {
    await pieces.discard();
    await parts.abort(uploadId).catch((failure: unknown) => {
      // The parts stay, and cost, until the bucket's lifecycle ends them.
      logError({
        code: "store-error",
        message: `an upload was not aborted: ${describeUnforeseen(failure).message}`,
      });
    });
    throw error;
  }
}

async function sendPart(
  bytes: Uint8Array,
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
    headers: { "content-length": String(bytes.length), ...customerKeyHeaders(customerKey) },
  };
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await sendToStore(request, {
        credentials,
        body: bytes,
        timeLimit: ANSWER_LIMIT,
      });
      if (response.status !== 200) throw await refusalOf(response, request);
      await response.body?.cancel();
      if (!isUnderKey(response.headers, customerKey)) throw notEncrypted();
      return { partNumber, etag: response.headers.get("etag") ?? "" };
    } catch (error) {
      if (attempt === ATTEMPTS || !isTransient(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200 * 4 ** (attempt - 1)));
    }
  }
}

function checkLength(length: number, declared: number | undefined): void {
  if (declared === undefined || length === declared) return;
  throw new Problem(
    "invalid-request",
    `The body had ${length} bytes, not the ${declared} of its content-length.`,
  );
}

function tooLarge(partSize: number): Problem {
  return new Problem(
    "too-large",
    `More than ${partSize * MAX_PARTS} bytes of unknown length do not go through the edge: use /v1/multipart.`,
  );
}
