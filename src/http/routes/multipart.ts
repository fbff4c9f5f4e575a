/** /v1/multipart: uploads in parts, driven by the service, so that clients need neither XML nor a customer key's name. */

import { Hono } from "hono";
import * as v from "valibot";
import { type Authorised, limit } from "../../auth/grants.ts";
import { requirePresignable } from "../../auth/presigned-uploads.ts";
import { completeUpload } from "../../edge/complete.ts";
import {
  areNone,
  demand,
  PRECONDITION_HEADERS,
  type Preconditions,
  parsePreconditions,
  preconditionsOf,
  type Seen,
} from "../../edge/conditions.ts";
import { currentState } from "../../edge/current.ts";
import { whenWriting } from "../../edge/honoured.ts";
import type { AppContext, AppEnv, Asked } from "../../front/context.ts";
import type { CustomerKey } from "../../keys/customer-key.ts";
import { customerKeyHeaders } from "../../keys/headers.ts";
import { type Addressed, type Operating, operate } from "../../objects/operate.ts";
import { Refused } from "../../refused.ts";
import { newObjectFault } from "../../s3/api/faults.ts";
import { FIELDS, keyId, wholeNumber } from "../../s3/api/fields.ts";
import { MAX_PART_SIZE, MAX_PARTS, MAX_UPLOAD_SIZE, MIN_PART_SIZE } from "../../s3/api/limits.ts";
import { objectKey } from "../../s3/api/object-key.ts";
import { expiresIn, OPERATIONS, type OperationName, TABLE } from "../../s3/api/operations.ts";
import { choosePartSize, partCountOf, partLength, UNKNOWN_SIZE_PART_SIZE } from "../../s3/api/plan.ts";
import { requestSchema } from "../../s3/api/request-schema.ts";
import { storeUploadId } from "../../s3/api/upload-id.ts";
import { expiryOf, presign } from "../../s3/sign/presign.ts";
import { S3Bucket } from "../../s3/store/client.ts";
import type { Credentials } from "../../s3/store/credentials.ts";
import { MultipartUpload } from "../../s3/store/multipart.ts";
import { limitBody, readJson, valid } from "../body.ts";

/** Parts signed at once. */
const MAX_SIGNED = 1000;

const size = v.optional(wholeNumber(0, MAX_UPLOAD_SIZE));
const partSize = v.optional(wholeNumber(MIN_PART_SIZE, MAX_PART_SIZE));
const partNumber = FIELDS.partNumber.schema;

const object = { bucket: v.string(), key: objectKey };
const upload = { ...object, keyId };

const etags = v.optional(v.pipe(v.string(), v.nonEmpty("must not be empty")));
/** What the object must be like that the upload replaces. */
const conditions = { ifMatch: etags, ifNoneMatch: etags };

export const createSchema = requestSchema(
  { ...object, ...conditions, size, partSize },
  TABLE.CreateMultipartUpload,
);
type CreateRequest = v.InferOutput<typeof createSchema>;

export const signSchema = requestSchema(
  {
    ...upload,
    partNumbers: v.pipe(
      v.array(partNumber),
      v.minLength(1, "must name at least one part"),
      v.maxLength(MAX_SIGNED, `must be at most ${MAX_SIGNED}: sign the others when these are sent`),
    ),
    size,
    partSize,
    expiresIn,
  },
  { required: ["uploadId"] },
);
type SignRequest = v.InferOutput<typeof signSchema>;

export const partsSchema = requestSchema(upload, { required: TABLE.ListParts.required });
type PartsRequest = v.InferOutput<typeof partsSchema>;

export const completeSchema = requestSchema(
  {
    ...upload,
    ...conditions,
    parts: v.pipe(
      v.array(v.strictObject({ partNumber, etag: v.pipe(v.string(), v.nonEmpty("must not be empty")) })),
      v.minLength(1, "must name at least one part"),
      v.maxLength(MAX_PARTS, `must be at most ${MAX_PARTS}`),
    ),
    size,
  },
  TABLE.CompleteMultipartUpload,
);
type CompleteRequest = v.InferOutput<typeof completeSchema>;

export const abortSchema = requestSchema({ ...object, keyId: v.optional(keyId) }, TABLE.AbortMultipartUpload);
type AbortRequest = v.InferOutput<typeof abortSchema>;

export const multipartRoutes = new Hono<AppEnv>()
  .use(limitBody)
  .post("/", (c: Asked<{ json: v.InferInput<typeof createSchema> }>) =>
    step(c, "CreateMultipartUpload", createSchema, create),
  )
  .post("/sign", (c: Asked<{ json: v.InferInput<typeof signSchema> }>) =>
    step(c, "UploadPart", signSchema, sign),
  )
  .post("/parts", (c: Asked<{ json: v.InferInput<typeof partsSchema> }>) =>
    step(c, "ListParts", partsSchema, list),
  )
  .post("/complete", (c: Asked<{ json: v.InferInput<typeof completeSchema> }>) =>
    step(c, "CompleteMultipartUpload", completeSchema, complete),
  )
  .post("/abort", (c: Asked<{ json: v.InferInput<typeof abortSchema> }>) =>
    step(c, "AbortMultipartUpload", abortSchema, abort),
  );

/** One step of an upload. */
async function step<T extends Addressed, R>(
  c: AppContext,
  operation: OperationName,
  schema: v.GenericSchema<unknown, T>,
  work: (step: Operating<T>, c: AppContext) => Promise<R>,
): Promise<R> {
  const isConditional = operation === "CreateMultipartUpload" || operation === "CompleteMultipartUpload";
  const input = await readJson(c, isConditional ? whenWriting : undefined);
  const { permission } = OPERATIONS[operation];
  const plan = { operation, permission, read: () => valid(schema, input) };
  return operate(c.var, plan, (step) => work(step, c));
}

async function create(step: Operating<CreateRequest>, c: AppContext) {
  const { bucket, key, size, partSize, ifMatch, ifNoneMatch, ...fields } = step.request;
  step.draft.bytes = size;
  const fault = newObjectFault(fields);
  if (fault !== undefined) throw Refused.fields([fault]);
  limitLength(c, "PutObject", step.grants, { size, contentType: fields.contentType });
  const plan = planOf(size, partSize);
  const credentials = await step.credentials();
  await lookOf(c, step, credentials)?.();
  const customerKey = await step.key("new");
  const uploadId = await uploadOf(step, credentials, customerKey).create(fields);
  return c.json({ bucket, key, keyId: customerKey.id, uploadId, ...plan });
}

async function sign(step: Operating<SignRequest>, c: AppContext) {
  const { request, bucket } = step;
  const { key, uploadId, partNumbers, size, partSize } = request;
  requirePresignable("UploadPart", bucket);
  const limits = limit(
    { operation: "UploadPart", contentLength: size, expiresIn: request.expiresIn },
    step.grants,
    c.var.service.config.defaultExpiresIn,
    "size",
  );
  const lengths = lengthsOf(partNumbers, size, partSize);
  const headers = customerKeyHeaders(await step.key("upload"));
  const credentials = await step.credentials();
  const signing = { credentials, signingDate: new Date(), expiresIn: limits.expiresIn };
  const expiresAt = expiryOf(signing);
  step.draft.expiresAt = expiresAt;
  const { method, query } = OPERATIONS.UploadPart;
  const parts = partNumbers.map((partNumber, i) => {
    const contentLength = lengths?.[i];
    const { url } = presign(
      {
        method,
        bucket,
        key,
        query: { ...query, partNumber: String(partNumber), uploadId: storeUploadId(uploadId) },
        headers: {
          ...(contentLength !== undefined && { "content-length": String(contentLength) }),
          ...headers,
        },
      },
      signing,
    );
    return { partNumber, method, url, ...(contentLength !== undefined && { contentLength }) };
  });
  return c.json({ parts, headers, expiresAt });
}

async function list(step: Operating<PartsRequest>, c: AppContext) {
  const customerKey = await step.key("upload");
  const upload = uploadOf(step, await step.credentials(), customerKey);
  const parts = await upload.list(step.request.uploadId);
  return c.json({ parts: parts.map(({ partNumber, size, etag }) => ({ partNumber, size, etag })) });
}

async function complete(step: Operating<CompleteRequest>, c: AppContext) {
  const { request, bucket, grants } = step;
  const { key, uploadId, parts, size } = request;
  const credentials = await step.credentials();
  const look = lookOf(c, step, credentials);
  const customerKey = await step.key("upload");
  const { stored } = await completeUpload({
    upload: uploadOf(step, credentials, customerKey),
    uploadId,
    parts,
    size,
    ...(look && { look }),
    object: { bucket, key },
    customerKey,
    credentials,
    checkLength: (length) => limitLength(c, "UploadPart", grants, { size: length }),
  });
  step.draft.bytes = stored.size;
  step.draft.versionId = stored.versionId;
  return c.json({ etag: stored.etag, size: stored.size, keyId: customerKey.id });
}

async function abort(step: Operating<AbortRequest>, c: AppContext) {
  await uploadOf(step, await step.credentials()).abort(step.request.uploadId);
  return c.body(null, 204);
}

function uploadOf(
  { bucket, request: { key } }: Operating<Addressed>,
  credentials: Credentials,
  customerKey?: CustomerKey,
): MultipartUpload {
  return new MultipartUpload(new S3Bucket(bucket, credentials), key, customerKey);
}

/** Conditions as fields. */
interface Demanded {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
}

/**
 * Holds what is there now against the request's conditions; undefined where it has none.
 *
 * @throws {Refused} invalid-request where they are none
 */
function lookOf(
  c: AppContext,
  { bucket, request }: Operating<Addressed & Demanded>,
  credentials: Credentials,
): (() => Promise<Seen>) | undefined {
  const conditions = conditionsOf(request, c.req.raw.headers);
  if (areNone(conditions)) return undefined;
  const object = { bucket, key: request.key };
  return async () => {
    const state = await currentState(object, { ring: c.var.service.ring, credentials });
    return demand(conditions, state, "POST");
  };
}

/** The conditions of a request, be they fields or headers. */
function conditionsOf({ ifMatch, ifNoneMatch }: Demanded, headers: Headers): Preconditions {
  const byField = parsePreconditions(
    { ifMatch, ifNoneMatch },
    { ifMatch: "ifMatch", ifNoneMatch: "ifNoneMatch" },
  );
  const byHeader = preconditionsOf(headers);
  for (const name of ["ifMatch", "ifNoneMatch"] as const) {
    if (byField[name] !== undefined && byHeader[name] !== undefined)
      throw Refused.field(
        name,
        `is given by the header ${PRECONDITION_HEADERS[name]} as well: leave one out`,
      );
  }
  return { ...byHeader, ...byField };
}

/** Holds the length of the whole upload against the grants; at its beginning also the content type, which it decides. */
function limitLength(
  c: AppContext,
  operation: "PutObject" | "UploadPart",
  grants: Authorised["grants"],
  { size, contentType }: { size: number | undefined; contentType?: string | undefined },
): void {
  const { defaultExpiresIn } = c.var.service.config;
  limit({ operation, contentLength: size, contentType }, grants, defaultExpiresIn, "size");
}

function planOf(
  size: number | undefined,
  wanted: number | undefined,
): { partSize: number; partCount?: number } {
  if (size === undefined) return { partSize: wanted ?? UNKNOWN_SIZE_PART_SIZE };
  const least = choosePartSize(size);
  const partSize = wanted ?? least;
  const partCount = partCountOf(size, partSize);
  if (partCount > MAX_PARTS) {
    throw Refused.field(
      "partSize",
      `makes ${partCount} parts of ${size} bytes, and ${MAX_PARTS} are allowed: leave it out, or take ${least}`,
    );
  }
  return { partSize, partCount };
}

/** The length of each part, where the sizes are known; they are signed then. */
function lengthsOf(
  partNumbers: readonly number[],
  size: number | undefined,
  partSize: number | undefined,
): number[] | undefined {
  if (size === undefined) return undefined;
  if (partSize === undefined) throw Refused.field("partSize", "is required with size");
  return partNumbers.map((partNumber, i) => {
    const length = partLength(size, partSize, partNumber);
    if (length !== undefined) return length;
    throw Refused.field(
      `partNumbers[${i}]`,
      `is beyond the ${partCountOf(size, partSize)} parts of this size`,
    );
  });
}
