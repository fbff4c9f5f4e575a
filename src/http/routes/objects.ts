/** /v1/objects: objects through the edge, so that the client never sees a customer key. */

import { Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import * as v from "valibot";
import type { Draft } from "../../audit/event.ts";
import type { Caller } from "../../auth/callers.ts";
import { limit } from "../../auth/grants.ts";
import type { Permission } from "../../config/schema.ts";
import { discard } from "../../edge/body.ts";
import { areNone, demand, type Preconditions, preconditionsOf, type Seen } from "../../edge/conditions.ts";
import { currentObject } from "../../edge/current.ts";
import { Digests } from "../../edge/digests.ts";
import { type Downloaded, download } from "../../edge/download.ts";
import { checkVersion } from "../../edge/echoes.ts";
import { inHeaders, UPLOADED_SCHEMA, uploadedFields } from "../../edge/headers.ts";
import { whenReading, whenUploading, whenWriting } from "../../edge/honoured.ts";
import { confirmKept } from "../../edge/kept.ts";
import { putInParts } from "../../edge/parts.ts";
import { singleRange } from "../../edge/range.ts";
import { checkHeaders } from "../../edge/request-headers.ts";
import { putObject, putPiece, removeObject, type Upload, type Uploaded } from "../../edge/upload.ts";
import type { AppContext, AppEnv } from "../../front/context.ts";
import type { CustomerKey } from "../../keys/customer-key.ts";
import { type Addressed, type Operating, operate } from "../../objects/operate.ts";
import { Refused } from "../../refused.ts";
import { type FieldValues, keyId, send } from "../../s3/api/fields.ts";
import { MAX_LISTED, MAX_PARTS, MAX_PUT_BYTES } from "../../s3/api/limits.ts";
import { TABLE } from "../../s3/api/operations.ts";
import { choosePartSize } from "../../s3/api/plan.ts";
import { requestSchema } from "../../s3/api/request-schema.ts";
import { S3Bucket } from "../../s3/store/client.ts";
import type { Credentials } from "../../s3/store/credentials.ts";
import { listObjects } from "../../s3/store/list.ts";
import type { ObjectRef } from "../../s3/store/stored.ts";
import { WhichKey } from "../../s3/store/which-key.ts";
import { check } from "../../validation.ts";
import { valid } from "../body.ts";
import { bucketIn, objectIn } from "../object-path.ts";
import { keyPart, pageLimit } from "../paging.ts";
import { removeNamed } from "./named-object.ts";

/** Parts are held in memory, of which a Worker has 128 MB; bytes. */
const MAX_HELD_PART = 16 * 2 ** 20;
const MAX_EDGE_SIZE = MAX_HELD_PART * MAX_PARTS;

const readSchema = requestSchema(
  {
    partNumber: v.optional(
      v.pipe(v.string(), v.regex(/^[1-9]\d{0,4}$/, "must be a part's number"), v.transform(Number)),
    ),
    keyId: v.optional(keyId),
  },
  TABLE.GetObject,
);
const noneSchema = v.strictObject({});
const deleteSchema = requestSchema({}, TABLE.DeleteObject);
const listSchema = v.strictObject({
  prefix: v.optional(keyPart),
  delimiter: v.optional(keyPart),
  cursor: v.optional(v.pipe(v.string(), v.nonEmpty("must be the cursor of an answer"))),
  limit: pageLimit(MAX_LISTED),
});

/** A key may hold slashes, also where it ends, and be empty as far as the route knows. */
const OBJECT = "/:bucket/:key{[^]*}";

export const objectsRoutes = new Hono<AppEnv>()
  .get("/:bucket", (c) => list(c))
  .delete("/:bucket", (c) => removeNamed(c))
  .get(OBJECT, (c) => get(c))
  .put(OBJECT, (c) => heard(c, put(c)))
  .delete(OBJECT, (c) => remove(c));

/** One transfer of the object in the path. */
function transfer(
  c: AppContext,
  operation: string,
  permission: Permission,
  work: (transfer: Operating<Addressed>) => Promise<Response>,
): Promise<Response> {
  return operate(c.var, { operation, permission, read: () => objectIn(c) }, work);
}

function get(c: AppContext): Promise<Response> {
  const method = c.req.method === "HEAD" ? "HEAD" : "GET";
  const operation = method === "HEAD" ? "HeadObject" : "GetObject";
  return transfer(c, operation, "read", async ({ request: { key }, bucket, draft, ...use }) => {
    const { versionId, partNumber, keyId, response } = valid(readSchema, groupResponse(c.req.query()));
    const { headers } = c.req.raw;
    checkHeaders(headers, whenReading);
    const conditions = preconditionsOf(headers);
    const range = singleRange(headers.get("range") ?? undefined);
    if (range !== undefined && partNumber !== undefined)
      throw Refused.field("range", "cannot be asked for beside partNumber");
    draft.versionId = versionId;
    const checksumMode = headers.get("x-amz-checksum-mode");
    const read = async (customerKey: CustomerKey) => {
      const answer = await download({
        method,
        bucket,
        key,
        versionId,
        partNumber,
        query: send({ ...(response && { response }), ...(partNumber !== undefined && { partNumber }) }).query,
        headers: checksumMode === null ? {} : { "x-amz-checksum-mode": "ENABLED" },
        range,
        ifRange: headers.get("if-range") ?? undefined,
        conditions,
        customerKey,
        credentials: await use.credentials(),
      });
      return { customerKey, answer };
    };
    const found = await use.key("stored", { versionId, keyId });
    const { customerKey, answer } = await read(found).catch(async (error: unknown) => {
      // A rotation may re-encrypt it after its key was found, and before it is read.
      const isElsewhere = error instanceof Refused && error.reason === "key-unknown";
      if (!isElsewhere || keyId !== undefined || bucket.keys.length === 1) throw error;
      const wanted = { bucket, key, versionId, keyIdPath: "keyId" };
      const now = await new WhichKey(c.var.service).forStored(wanted);
      Object.assign(draft, { keyId: now.id, keyMD5: now.md5 });
      return read(now);
    });
    const length = answer.headers["content-length"];
    if (method === "GET" && answer.status !== 304 && length !== undefined) draft.bytes = Number(length);
    return asStored(c, answer, {
      ...answer.headers,
      ...keyIdHeader(customerKey),
      // What somebody has uploaded must not run as a page of this origin.
      "content-security-policy": "default-src 'none'; sandbox",
    });
  });
}

/** A body whose content-encoding says that it is compressed is so already. */
function asStored(c: AppContext, { status, body }: Downloaded, headers: Record<string, string>): Response {
  const answer = c.body(null, status as ContentfulStatusCode, headers);
  // A field of workerd's own.
  const init = { status, headers: answer.headers, encodeBody: "manual" };
  return new Response(body, init);
}

/** Whoever is refused before their body is taken has it taken all the same, and hears why. */
async function heard(c: AppContext, answering: Promise<Response>): Promise<Response> {
  try {
    return await answering;
  } catch (error) {
    await discard(c.req.raw.body, c.var.service.limits);
    throw error;
  }
}

function put(c: AppContext): Promise<Response> {
  return transfer(c, "PutObject", "write", async ({ request: { key }, bucket, grants, draft, ...use }) => {
    valid(noneSchema, c.req.query());
    const { headers } = c.req.raw;
    checkHeaders(headers, whenUploading);
    const fields = fieldsOf(headers);
    const digests = new Digests(headers);
    const conditions = preconditionsOf(headers);
    const length = contentLength(c);
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
      c.var.service.config.defaultExpiresIn,
      "content-length",
      "content-type",
    );
    const customerKey = await use.key("new");
    const credentials = await use.credentials();
    const look = () => seenNow(c, conditions, { bucket, key, credentials });
    // Before the body is taken: what may not be replaced is not sent for nothing.
    const seen = await look();
    const uploading = upload(c.req.raw.body, length, {
      ...{ bucket, key, fields, seen, look, digests, customerKey, credentials },
      limits: c.var.service.limits,
    });
    // What was begun at the store is ended there, also when the client is gone.
    c.executionCtx.waitUntil(uploading.catch(() => {}));
    const { size, etag, versionId } = await uploading;
    draft.bytes = size;
    draft.versionId = versionId;
    const stored = {
      bucket: bucket.name,
      key,
      keyId: customerKey.id,
      size,
      etag,
      ...(versionId && { versionId }),
    };
    return c.json(stored, 200, { etag, ...keyIdHeader(customerKey) });
  });
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
  if (length !== undefined && length <= MAX_PUT_BYTES) return putObject(body, length, upload);
  return putInParts(body, upload, { partSize: choosePartSize(length ?? 0), length });
}

/** The fields of an upload; what is wrong with one is told by its header. */
function fieldsOf(headers: Headers): FieldValues {
  const checked = check(UPLOADED_SCHEMA, uploadedFields(headers));
  if (checked.ok) return checked.value;
  throw Refused.fields(checked.errors.map(inHeaders));
}

function remove(c: AppContext): Promise<Response> {
  return transfer(c, "DeleteObject", "delete", async ({ request: { key }, bucket, draft, ...use }) => {
    const { versionId } = valid(deleteSchema, c.req.query());
    const { headers } = c.req.raw;
    checkHeaders(headers, whenWriting);
    const conditions = preconditionsOf(headers);
    draft.versionId = versionId;
    const credentials = await use.credentials();
    const seen = await seenNow(c, conditions, { bucket, key, versionId, credentials }, "DELETE");
    // Where a condition demands that nothing is there, there is nothing to remove.
    if (seen.ifNoneMatch !== undefined) return c.body(null, 204);
    // A version never changes; stores hold a condition against the newest one.
    const held = versionId === undefined ? seen : {};
    await removeObject({ bucket, key, versionId, seen: held, credentials });
    return c.body(null, 204);
  });
}

/**
 * Holds the conditions of a request that changes an object against what is there now; and a version that is named
 * against the store's word that it is that.
 */
async function seenNow(
  c: AppContext,
  conditions: Preconditions,
  { credentials, ...object }: ObjectRef & { credentials: Credentials },
  method: "PUT" | "DELETE" = "PUT",
): Promise<Seen> {
  if (areNone(conditions) && object.versionId === undefined) return {};
  const { state, headers } = await currentObject(object, { ring: c.var.service.ring, credentials });
  if (headers !== undefined) checkVersion(object.versionId, headers);
  return demand(conditions, state, method);
}

function list(c: AppContext): Promise<Response> {
  const read = (draft: Draft) => {
    const bucket = bucketIn(c);
    draft.bucket = bucket;
    const asked = valid(listSchema, c.req.query());
    checkHeaders(c.req.raw.headers);
    const { prefix = onlyPrefix(bucket, c.var.caller), ...page } = asked;
    return { bucket, key: prefix, page };
  };
  const plan = { operation: "ListObjectsV2", permission: "read", read } as const;
  return operate(c.var, plan, async ({ request: { key: prefix, page }, bucket, ...use }) => {
    const store = new S3Bucket(bucket, await use.credentials());
    return c.json(await listObjects(store, { prefix, ...page }));
  });
}

/** Where a caller may read below one prefix alone, that is what is listed. */
function onlyPrefix(bucket: string, { grants }: Caller): string {
  const prefixes = new Set(
    grants
      .filter((grant) => grant.bucket === bucket && grant.allow.includes("read"))
      .map(({ prefix }) => prefix),
  );
  if (prefixes.has("") || prefixes.size === 0) return "";
  const [only, ...others] = prefixes;
  if (only !== undefined && others.length === 0) return only;
  throw Refused.field("prefix", `is required: this caller may read below ${[...prefixes].join(", ")}`);
}

/** `response-content-type` and its kin, as in presigned URLs, together. */
function groupResponse(query: Record<string, string>): Record<string, unknown> {
  const overrides = Object.entries(query).filter(([name]) => name.startsWith("response-"));
  const others = Object.entries(query).filter(([name]) => !name.startsWith("response-"));
  const camel = (name: string) =>
    name.slice("response-".length).replace(/-(\w)/g, (_, c: string) => c.toUpperCase());
  return {
    ...Object.fromEntries(others),
    response: Object.fromEntries(overrides.map(([name, value]) => [camel(name), value])),
  };
}

/** Undefined where the body is sent in chunks, as long as it may be. */
function contentLength(c: AppContext): number | undefined {
  const header = c.req.header("content-length");
  if (header !== undefined) return Number(header);
  return c.req.raw.body === null ? 0 : undefined;
}

function keyIdHeader({ id }: CustomerKey): Record<string, string> {
  return { "x-ssec-key-id": id };
}
