/** Uploads in parts. Their ids are sealed: they show which object an upload is of, and under which key it was begun. */
import { limit } from "../auth/grants.ts";
import { completeUpload } from "../edge/complete.ts";
import { areNone, demand, preconditionsOf } from "../edge/conditions.ts";
import { currentState } from "../edge/current.ts";
import { Digests } from "../edge/digests.ts";
import { putPiece, putObject as putWhole } from "../edge/upload.ts";
import type { CustomerKey } from "../keys/customer-key.ts";
import { copySourceKeyHeaders, customerKeyHeaders } from "../keys/headers.ts";
import type { Addressed, Operating } from "../objects/operate.ts";
import { Refused } from "../refused.ts";
import { copySourceHeader, lengthOfRange } from "../s3/api/fields.ts";
import { MAX_LISTED_PARTS, MAX_PARTS, MAX_PUT_BYTES } from "../s3/api/limits.ts";
import { storeUploadId } from "../s3/api/upload-id.ts";
import { wholeNumberIn } from "../s3/api/whole-number.ts";
import { S3Bucket } from "../s3/store/client.ts";
import type { Credentials } from "../s3/store/credentials.ts";
import { MultipartUpload, type NamedPart } from "../s3/store/multipart.ts";
import { elementsOf, numberOf, textOf } from "../s3/store/xml.ts";
import { ownerOf } from "./buckets.ts";
import type { Call } from "./call.ts";
import { CopySource, copiedBy, sourceIn } from "./copy-source.ts";
import { marked, unmarked } from "./etags.ts";
import { S3Fault } from "./faults.ts";
import { fieldsOf, single } from "./fields.ts";
import { pageSize } from "./paging.ts";
import { etagHeader } from "./read-object.ts";
import { checkWhole } from "./whole-checksum.ts";
import { bodyOf, checkTogether, versionHeader } from "./write-object.ts";
import { malformed, readDocument } from "./xml.ts";

/** What the store may take to copy a part of 5 GiB, milliseconds. */
const COPY_TIME_LIMIT = 300_000;

export function createUpload(call: Call): Promise<Response> {
  const { headers, query, service, bucket: Bucket, key: Key } = call;
  return call.onObject("write", async ({ bucket, grants, ...use }) => {
    const given = fieldsOf("CreateMultipartUpload", headers, query);
    checkTogether("CreateMultipartUpload", given);
    // Each part is held against its checksum on its way. A store that was told of them would want every one again at the
    // end, and those that come after a body it never sees.
    const { checksumAlgorithm, checksumType, ...fields } = given;
    const { contentType } = fields;
    limit({ operation: "CreateMultipartUpload", contentType }, grants, service.config.defaultExpiresIn);
    const customerKey = await use.key("new");
    const upload = new MultipartUpload(new S3Bucket(bucket, await use.credentials()), Key, customerKey);
    const UploadId = await upload.create(fields);
    return call.xml(
      "InitiateMultipartUploadResult",
      { Bucket, Key, UploadId },
      {
        ...(checksumAlgorithm !== undefined && { "x-amz-checksum-algorithm": checksumAlgorithm }),
        ...(checksumType !== undefined && { "x-amz-checksum-type": checksumType }),
      },
    );
  });
}

/** What is done with an upload that was begun. */
interface OnUpload extends Omit<Operating<Addressed>, "credentials"> {
  readonly uploadId: string;
  readonly customerKey: CustomerKey;
  readonly credentials: Credentials;
  readonly upload: MultipartUpload;
}

export function onUpload<R>(
  call: Call,
  work: (step: OnUpload) => Promise<R>,
  also: Parameters<Call["onObject"]>[2] = () => ({}),
): Promise<R> {
  const uploadId = single(call.query, "uploadId") ?? "";
  return call.onObject(
    "write",
    async (step) => {
      const customerKey = await step.key("upload", {}).catch(noSuchUpload);
      const credentials = await step.credentials();
      const upload = new MultipartUpload(new S3Bucket(step.bucket, credentials), call.key, customerKey);
      return work({ ...step, uploadId, customerKey, credentials, upload });
    },
    () => ({ uploadId, ...also() }),
  );
}

/** An id that is not of this object, or was changed. */
function noSuchUpload(error: unknown): never {
  if (!(error instanceof Refused) || error.reason !== "not-found") throw error;
  throw new S3Fault("NoSuchUpload", error.message);
}

export function uploadPart(call: Call): Promise<Response> {
  const { headers, query, service } = call;
  return onUpload(call, async (step) => {
    const { partNumber = 0, contentMD5 } = fieldsOf("UploadPart", headers, query);
    const { stream, length, digests } = bodyOf(call);
    if (length > MAX_PUT_BYTES)
      throw new S3Fault("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
    step.draft.bytes = length;
    checkPartLength(step, length, service.config.defaultExpiresIn);
    const fields = contentMD5 === undefined ? {} : { contentMD5 };
    const part = await putPart(call, step, { stream, length, digests, partNumber, fields });
    return call.empty(200, { ...etagHeader(part.etag), ...digests.checksums() });
  });
}

export function checkPartLength(
  { grants }: Pick<OnUpload, "grants">,
  contentLength: number,
  defaultExpiresIn: number,
): void {
  limit({ operation: "UploadPart", contentLength }, grants, defaultExpiresIn, "content-length");
}

interface PartBody {
  readonly stream: ReadableStream<Uint8Array> | null;
  readonly length: number;
  readonly digests: Digests;
  readonly partNumber: number;
  readonly fields: { readonly contentMD5?: string };
}

export async function putPart(
  { key, service, later }: Call,
  { bucket, uploadId, customerKey, credentials }: OnUpload,
  { stream, length, digests, partNumber, fields }: PartBody,
): Promise<{ etag: string }> {
  const upload = {
    ...{ bucket, key, fields, digests, customerKey, credentials },
    seen: {},
    look: async () => ({}),
    limits: service.limits,
    part: { uploadId: storeUploadId(uploadId), partNumber },
  };
  const sending =
    stream === null || length === 0 ? putPiece(undefined, upload) : putWhole(stream, length, upload);
  later(sending.catch(() => {}));
  return await sending;
}

export function listParts(call: Call): Promise<Response> {
  const { query, bucket: Bucket, key: Key } = call;
  return onUpload(call, async ({ upload, uploadId }) => {
    // S3 gives no more than a thousand; but they are all here, and some clients ask for one page.
    const limit = pageSize(query, "max-parts", MAX_PARTS, MAX_LISTED_PARTS);
    const marker = pageSize(query, "part-number-marker", MAX_PARTS);
    const after = query.has("part-number-marker") ? marker : 0;
    const parts = (await upload.list(uploadId)).filter(({ partNumber }) => partNumber > after);
    const page = parts.slice(0, limit);
    return call.xml("ListPartsResult", {
      Bucket,
      Key,
      UploadId: uploadId,
      Initiator: ownerOf(call),
      Owner: ownerOf(call),
      StorageClass: "STANDARD",
      PartNumberMarker: after,
      NextPartNumberMarker: page.at(-1)?.partNumber ?? after,
      MaxParts: limit,
      IsTruncated: page.length < parts.length,
      Part: page.map(({ partNumber, size, etag, lastModified }) => ({
        PartNumber: partNumber,
        LastModified: lastModified,
        ETag: marked(etag),
        Size: size,
      })),
    });
  });
}

export function complete(call: Call): Promise<Response> {
  const { c, headers, service, bucket: Bucket, key: Key } = call;
  return onUpload(call, async ({ upload, uploadId, bucket, grants, customerKey, credentials, draft }) => {
    const document = await readDocument(call.body, "CompleteMultipartUpload");
    const parts = partsIn(document);
    const checkLengths = checkWhole(headers, elementsOf(document, "Part"));
    const object = { bucket, key: Key };
    const conditions = preconditionsOf(headers);
    const look = async () =>
      demand(conditions, await currentState(object, { ring: service.ring, credentials }), "POST");
    const { stored } = await completeUpload({
      ...{ upload, uploadId, parts, object, customerKey, credentials },
      size: sizeIn(headers),
      ...(!areNone(conditions) && { look }),
      checkLength: (length, lengths) => {
        checkPartLength({ grants }, length, service.config.defaultExpiresIn);
        checkLengths(lengths);
      },
    });
    draft.bytes = stored.size;
    draft.versionId = stored.versionId;
    const [Location] = c.req.raw.url.split("?");
    return call.xml(
      "CompleteMultipartUploadResult",
      { Location, Bucket, Key, ETag: marked(stored.etag) },
      versionHeader(stored.versionId),
    );
  });
}

/** @throws {S3Fault} MalformedXML, InvalidPartOrder */
function partsIn(element: Parameters<typeof elementsOf>[0]): NamedPart[] {
  const parts = elementsOf(element, "Part").map((part) => {
    const [partNumber, etag] = [numberOf(part, "PartNumber"), textOf(part, "ETag")?.trim()];
    if (partNumber === undefined || partNumber < 1 || partNumber > MAX_PARTS || !etag) throw malformed();
    return { partNumber, etag: unmarked(etag) };
  });
  if (parts.length === 0 || parts.length > MAX_PARTS) throw malformed();
  if (parts.some(({ partNumber }, i) => i > 0 && partNumber <= (parts[i - 1]?.partNumber ?? 0)))
    throw new S3Fault(
      "InvalidPartOrder",
      "The list of parts was not in ascending order. The parts list must be specified in order by part number.",
    );
  return parts;
}

/** @throws {S3Fault} InvalidArgument */
function sizeIn(headers: Headers): number | undefined {
  const text = headers.get("x-amz-mp-object-size");
  const size = wholeNumberIn(text);
  if (text !== null && size === undefined)
    throw new S3Fault("InvalidArgument", "x-amz-mp-object-size is no number of bytes.");
  return size;
}

export function abort(call: Call): Promise<Response> {
  const uploadId = single(call.query, "uploadId") ?? "";
  return call.onObject(
    "write",
    async ({ bucket, ...use }) => {
      const store = new S3Bucket(bucket, await use.credentials());
      await new MultipartUpload(store, call.key, undefined).end(uploadId);
      return call.empty(204);
    },
    () => ({ uploadId }),
  );
}

/** A part that is a copy: by the store where it can, else as its bytes come. */
export function uploadPartCopy(call: Call): Promise<Response> {
  const { headers, query, service } = call;
  return onUpload(
    call,
    async (step) => {
      const { partNumber = 0, sourceRange } = fieldsOf("UploadPartCopy", headers, query);
      const source = await CopySource.of(call, step);
      const length = lengthIn(source, sourceRange);
      step.draft.bytes = length;
      checkPartLength(step, length, service.config.defaultExpiresIn);
      const part =
        (await copyPart(call, step, source, { partNumber, sourceRange })) ??
        (await streamPart(call, step, source, { partNumber, sourceRange, length }));
      return call.xml(
        "CopyPartResult",
        { LastModified: new Date().toISOString(), ETag: marked(part.etag) },
        source.versionHeader(),
      );
    },
    () => ({ source: sourceIn(headers) }),
  );
}

/** @throws {S3Fault} InvalidArgument, as S3 has it for a range that the source does not reach; InvalidRequest */
function lengthIn({ size }: CopySource, sourceRange: string | undefined): number {
  const length = sourceRange === undefined ? size : (lengthOfRange(sourceRange) ?? 0);
  const last = sourceRange === undefined ? size - 1 : Number(sourceRange.split("-")[1]);
  if (sourceRange !== undefined && last >= size)
    throw new S3Fault("InvalidArgument", `Range specified is not valid for source object of size: ${size}`);
  if (length <= MAX_PUT_BYTES) return length;
  throw new S3Fault(
    "InvalidRequest",
    `A part is at most ${MAX_PUT_BYTES} bytes: copy a range of the source.`,
  );
}

interface CopiedPart {
  readonly partNumber: number;
  readonly sourceRange: string | undefined;
}

/** Undefined where the store does not copy such a part. */
async function copyPart(
  { key }: Call,
  { bucket, uploadId, customerKey, credentials }: OnUpload,
  { object, customerKey: sourceKey, etag }: CopySource,
  { partNumber, sourceRange }: CopiedPart,
): Promise<{ etag: string } | undefined> {
  if (object.bucket.store !== bucket.store) return undefined;
  const request = {
    name: "UploadPartCopy",
    method: "PUT",
    key,
    query: { "x-id": "UploadPartCopy", partNumber: String(partNumber), uploadId: storeUploadId(uploadId) },
    headers: {
      "x-amz-copy-source": copySourceHeader(object.bucket.storeBucket, object),
      "x-amz-copy-source-if-match": etag,
      ...(sourceRange !== undefined && { "x-amz-copy-source-range": sourceRange }),
      ...copySourceKeyHeaders(sourceKey),
      ...customerKeyHeaders(customerKey),
    },
    timeLimit: COPY_TIME_LIMIT,
  };
  const store = new S3Bucket(bucket, credentials);
  const answer = await copiedBy(() => store.run(request, "CopyPartResult"));
  return answer && { etag: textOf(answer.element, "ETag") ?? "" };
}

async function streamPart(
  call: Call,
  step: OnUpload,
  source: CopySource,
  { partNumber, sourceRange, length }: CopiedPart & { readonly length: number },
): Promise<{ etag: string }> {
  const stream = await source.open(sourceRange);
  return putPart(call, step, { stream, length, digests: new Digests(new Headers()), partNumber, fields: {} });
}
