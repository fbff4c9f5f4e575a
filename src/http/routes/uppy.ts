/**
 * POST /v1/uppy/{bucket}/sign: what the `signRequest` of @uppy/aws-s3 6 returns. What is in a file goes straight to the
 * store. What begins, lists and ends an upload goes to the gateway, whose XML Uppy reads, and whose upload ids show under
 * which key they were begun: Uppy keeps nothing else of an upload, and the key that writes may be another one by then.
 *
 * @see https://uppy.io/docs/aws-s3/
 */
import { Hono } from "hono";
import * as v from "valibot";
import type { Draft } from "../../audit/event.ts";
import { type Limited, limit } from "../../auth/grants.ts";
import type { AppContext, AppEnv, Asked } from "../../front/context.ts";
import { type Operating, operate } from "../../objects/operate.ts";
import { Refused } from "../../refused.ts";
import { FIELDS, wholeNumber } from "../../s3/api/fields.ts";
import {
  MAX_PART_SIZE,
  MAX_PARTS,
  MAX_PUT_BYTES,
  MAX_UPLOAD_SIZE,
  MIN_PART_SIZE,
} from "../../s3/api/limits.ts";
import { objectKey } from "../../s3/api/object-key.ts";
import { expiresIn, OPERATIONS, type OperationName } from "../../s3/api/operations.ts";
import { partCountOf, partLength } from "../../s3/api/plan.ts";
import { limitBody, readJson, valid } from "../body.ts";
import { EdgeLinks } from "../edge-link.ts";
import { decoded } from "../object-path.ts";
import { type Answer, askerOf, type BatchAsker, parse, presignOne } from "../presigned.ts";

export const uppySchema = v.strictObject({
  method: v.picklist(["PUT", "POST", "GET", "DELETE"]),
  key: objectKey,
  uploadId: v.optional(FIELDS.uploadId.schema),
  partNumber: v.optional(FIELDS.partNumber.schema),
  expiresIn,
  // Of the whole file, with whatever is asked about it.
  contentType: v.optional(FIELDS.contentType.schema),
  size: v.optional(wholeNumber(0, MAX_UPLOAD_SIZE)),
  // Where the page has a getChunkSize of its own.
  partSize: v.optional(wholeNumber(1, MAX_PART_SIZE)),
  via: v.optional(v.picklist(["store", "edge"])),
});
type UppyRequest = v.InferOutput<typeof uppySchema>;

interface SignRequest extends UppyRequest {
  readonly bucket: string;
  readonly operation: OperationName;
}

/** As Uppy has it. */
type Signed = Pick<Answer, "url" | "headers">;

export const uppyRoutes = new Hono<AppEnv>()
  .use(limitBody)
  .post("/:bucket/sign", (c: Asked<{ json: v.InferInput<typeof uppySchema> }>) => sign(c));

async function sign(c: AppContext) {
  const input = await readJson(c);
  const asker = askerOf(c);
  const read = (draft: Draft): SignRequest => {
    const bucket = bucketIn(c);
    draft.bucket = bucket;
    const request = valid(uppySchema, input);
    const operation = operationOf(request);
    draft.operation = operation;
    return { ...request, bucket, operation };
  };
  const permission = ({ operation }: SignRequest) => OPERATIONS[operation].permission;
  const { url, headers } = await operate(asker, { permission, read }, (step) => signOne(step, asker));
  return c.json({ url, headers });
}

function bucketIn(c: AppContext): string {
  const [, bucket = ""] = /^\/v1\/uppy\/([^/]+)\/sign$/.exec(c.req.path) ?? [];
  return decoded(bucket, "bucket");
}

/** @throws {Refused} invalid-request: a part that is taken for a file would replace it */
function operationOf({ method, uploadId, partNumber }: UppyRequest): OperationName {
  const isPart = method === "PUT" && (uploadId ?? partNumber) !== undefined;
  if (uploadId === undefined && (isPart || method === "GET")) throw Refused.field("uploadId", "is required");
  if (isPart && partNumber === undefined) throw Refused.field("partNumber", "is required");
  if (!isPart && partNumber !== undefined)
    throw Refused.field("partNumber", "is for the PUT of a part alone");
  switch (method) {
    case "PUT":
      return isPart ? "UploadPart" : "PutObject";
    case "POST":
      return uploadId === undefined ? "CreateMultipartUpload" : "CompleteMultipartUpload";
    case "GET":
      return "ListParts";
    case "DELETE":
      return uploadId === undefined ? "DeleteObject" : "AbortMultipartUpload";
  }
}

function signOne(step: Operating<SignRequest>, asker: BatchAsker): Promise<Signed> {
  const { request, grants, draft } = step;
  const { operation, key, uploadId, partNumber, contentType, size, via = viaOf(step) } = request;
  const limited = limitedBy(request);
  draft.bytes = limited.contentLength;
  const limits = limit(limited, grants, asker.service.config.defaultExpiresIn, "size");
  const common = { operation, bucket: request.bucket, key, expiresIn: request.expiresIn };
  switch (operation) {
    case "PutObject": {
      if (size !== undefined && size > MAX_PUT_BYTES)
        throw Refused.field("size", `must be at most ${MAX_PUT_BYTES} in one piece: use shouldUseMultipart`);
      const put = parse({ ...common, contentType, contentLength: size, via }, operation);
      return presignOne({ ...step, request: put }, asker);
    }
    case "DeleteObject":
      return presignOne({ ...step, request: parse({ ...common, via }, operation) }, asker);
    case "UploadPart": {
      const contentLength = lengthOf(request);
      draft.bytes = contentLength;
      if (via === "edge") {
        const headers = contentLength === undefined ? {} : { "content-length": String(contentLength) };
        return atGateway(step, asker, limits, { query: { partNumber: String(partNumber) }, headers });
      }
      const part = parse({ ...common, uploadId, partNumber, contentLength }, operation);
      return presignOne({ ...step, request: part }, asker);
    }
    case "CreateMultipartUpload":
      return atGateway(step, asker, limits, {
        headers: contentType === undefined ? {} : { "content-type": contentType },
      });
    case "ListParts":
      // Uppy asks for one page, and would send again what is on the next.
      return atGateway(step, asker, limits, { query: { "max-parts": String(MAX_PARTS) } });
    case "CompleteMultipartUpload":
      return atGateway(step, asker, limits, {
        query: size === undefined ? {} : { "x-amz-mp-object-size": String(size) },
      });
    default:
      return atGateway(step, asker, limits);
  }
}

/** Where the store's writes are not presigned, all goes through the edge. */
function viaOf({ bucket }: Operating<SignRequest>): "store" | "edge" {
  return bucket.store.presignedUploads === false ? "edge" : "store";
}

/**
 * What of a request its grants may limit. What Uppy leaves out when an upload begins, its type, and the length of all parts
 * when it ends, the gateway looks at when they come.
 */
function limitedBy({ operation, contentType, size, expiresIn }: SignRequest): Limited {
  const contentLength = size;
  switch (operation) {
    case "PutObject":
      return { operation, contentLength, contentType, expiresIn };
    case "CreateMultipartUpload":
      return contentType === undefined
        ? { operation: "UploadPart", contentLength, expiresIn }
        : { operation: "PutObject", contentLength, contentType, expiresIn };
    case "UploadPart":
      return { operation, contentLength, expiresIn };
    default:
      return { operation: "ListParts", expiresIn };
  }
}

/**
 * Of a part; undefined where the file's size is not known.
 *
 * @throws {Refused} invalid-request where the file has no such part
 */
function lengthOf({ size, partSize, partNumber = 0 }: SignRequest): number | undefined {
  if (size === undefined) {
    if (partSize !== undefined) throw Refused.field("size", "is required with partSize");
    return undefined;
  }
  const each = partSizeOf(size, partSize);
  const length = partLength(size, each, partNumber);
  if (length !== undefined) return length;
  throw Refused.field("partNumber", `is beyond the ${partCountOf(size, each)} parts of this size`);
}

/**
 * How Uppy cuts a file.
 *
 * @param wanted what the page's getChunkSize gives
 * @see https://github.com/transloadit/uppy/blob/main/packages/%40uppy/aws-s3/src/S3Uploader.ts
 */
function partSizeOf(size: number, wanted = 0): number {
  const each = Math.max(wanted, MIN_PART_SIZE);
  return Math.ceil(size / each) > MAX_PARTS ? Math.ceil(size / MAX_PARTS) : each;
}

interface Sent {
  readonly headers?: Record<string, string>;
  readonly query?: Record<string, string>;
}

async function atGateway(
  { request, draft }: Operating<SignRequest>,
  { c }: BatchAsker,
  limits: { readonly expiresIn: number },
  { headers = {}, query = {} }: Sent = {},
): Promise<Signed> {
  draft.via = "edge";
  const { operation, bucket, key, uploadId } = request;
  const { method, query: own } = OPERATIONS[operation];
  const all = { ...own, ...query, ...(uploadId !== undefined && { uploadId }) };
  const link = await new EdgeLinks(c).link(
    { method, bucket, key, headers, query: all },
    request.expiresIn,
    limits.expiresIn,
  );
  draft.expiresAt = link.expiresAt;
  return link;
}
