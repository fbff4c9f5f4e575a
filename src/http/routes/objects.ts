/** /v1/objects: objects through the edge, so that the client never sees a customer key. */

import { Hono } from "hono";
import * as v from "valibot";
import type { Draft } from "../../audit/event.ts";
import type { Caller } from "../../auth/callers.ts";
import type { Permission } from "../../config/schema.ts";
import { discard } from "../../edge/body.ts";
import { Digests } from "../../edge/digests.ts";
import { whenReading, whenUploading, whenWriting } from "../../edge/honoured.ts";
import { checkHeaders } from "../../edge/request-headers.ts";
import { asStored } from "../../front/as-stored.ts";
import type { AppContext, AppEnv, Asked } from "../../front/context.ts";
import type { CustomerKey } from "../../keys/customer-key.ts";
import { getObject } from "../../objects/get-object.ts";
import { type Addressed, type Operating, operate } from "../../objects/operate.ts";
import { fieldsOf, putObject } from "../../objects/put-object.ts";
import { removeObject } from "../../objects/remove-object.ts";
import { Refused } from "../../refused.ts";
import { keyId } from "../../s3/api/fields.ts";
import { MAX_LISTED } from "../../s3/api/limits.ts";
import { TABLE } from "../../s3/api/operations.ts";
import { requestSchema } from "../../s3/api/request-schema.ts";
import { S3Bucket } from "../../s3/store/client.ts";
import { listObjects } from "../../s3/store/list.ts";
import { refuseQuery, valid } from "../body.ts";
import { bucketIn, objectIn } from "../object-path.ts";
import { keyPart, pageLimit } from "../paging.ts";
import { type NamedQuery, removeNamed } from "./named-object.ts";

export const readSchema = requestSchema(
  {
    partNumber: v.optional(
      v.pipe(v.string(), v.regex(/^[1-9]\d{0,4}$/, "must be a part's number"), v.transform(Number)),
    ),
    keyId: v.optional(keyId),
  },
  TABLE.GetObject,
);
/** Beside these the overrides of presigned URLs, each a parameter of its own. */
type ReadQuery = Omit<v.InferInput<typeof readSchema>, "response"> & {
  readonly [Header in
    | "content-type"
    | "content-disposition"
    | "content-encoding"
    | "content-language"
    | "cache-control"
    | "expires" as `response-${Header}`]?: string;
};
export const deleteSchema = requestSchema({}, TABLE.DeleteObject);
export const listSchema = v.strictObject({
  prefix: v.optional(keyPart),
  delimiter: v.optional(keyPart),
  cursor: v.optional(v.pipe(v.string(), v.nonEmpty("must be the cursor of an answer"))),
  limit: pageLimit(MAX_LISTED),
});

/** A key may hold slashes, also where it ends, and be empty as far as the route knows. */
const OBJECT = "/:bucket/:key{[^]*}";

export const objectsRoutes = new Hono<AppEnv>()
  .get("/:bucket", (c: Asked<{ query?: v.InferInput<typeof listSchema> }>) => list(c))
  .delete("/:bucket", (c: Asked<{ query: NamedQuery }>) => removeNamed(c))
  .get(OBJECT, (c: Asked<{ query?: ReadQuery }>) => get(c))
  .put(OBJECT, (c) => heard(c, put(c)))
  .delete(OBJECT, (c: Asked<{ query?: v.InferInput<typeof deleteSchema> }>) => remove(c));

/** One transfer of the object in the path. */
function transfer<R>(
  c: AppContext,
  operation: string,
  permission: Permission,
  work: (transfer: Operating<Addressed>) => Promise<R>,
): Promise<R> {
  return operate(c.var, { operation, permission, read: () => objectIn(c) }, work);
}

function get(c: AppContext): Promise<Response> {
  const method = c.req.method === "HEAD" ? "HEAD" : "GET";
  const operation = method === "HEAD" ? "HeadObject" : "GetObject";
  return transfer(c, operation, "read", async (reading) => {
    const asked = valid(readSchema, groupResponse(c.req.query()));
    const { headers } = c.req.raw;
    checkHeaders(headers, whenReading);
    const { customerKey, answer } = await getObject(reading, { method, headers, ...asked });
    return asStored(c, answer, {
      ...answer.headers,
      ...keyIdHeader(customerKey),
      // What somebody has uploaded must not run as a page of this origin.
      "content-security-policy": "default-src 'none'; sandbox",
    });
  });
}

/** Whoever is refused before their body is taken has it taken all the same, and hears why. */
async function heard<R>(c: AppContext, answering: Promise<R>): Promise<R> {
  try {
    return await answering;
  } catch (error) {
    await discard(c.req.raw.body, c.var.service.limits);
    throw error;
  }
}

function put(c: AppContext) {
  return transfer(c, "PutObject", "write", async (writing) => {
    refuseQuery(c);
    const { headers, body } = c.req.raw;
    checkHeaders(headers, whenUploading);
    const { customerKey, uploaded } = await putObject(
      writing,
      { body, length: contentLength(c), fields: fieldsOf(headers), digests: new Digests(headers), headers },
      c.var.service,
      (promise) => c.executionCtx.waitUntil(promise),
    );
    const { size, etag, versionId } = uploaded;
    const { bucket, request } = writing;
    const stored = {
      bucket: bucket.name,
      key: request.key,
      keyId: customerKey.id,
      size,
      etag,
      ...(versionId && { versionId }),
    };
    return c.json(stored, 200, { etag, ...keyIdHeader(customerKey) });
  });
}

function remove(c: AppContext) {
  return transfer(c, "DeleteObject", "delete", async (removing) => {
    const { versionId } = valid(deleteSchema, c.req.query());
    const { headers } = c.req.raw;
    checkHeaders(headers, whenWriting);
    await removeObject(removing, { versionId, headers }, c.var.service);
    return c.body(null, 204);
  });
}

function list(c: AppContext) {
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
    const { objects, ...listing } = await listObjects(store, { prefix, ...page });
    return c.json({ objects: objects.map(({ storageClass: _, ...object }) => object), ...listing });
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
