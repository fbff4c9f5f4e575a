/**
 * The operations that can be presigned: one entry each. Routes, permissions, snippets and the tests that loop over
 * the table all follow from it, so a new S3 operation is a new entry here.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 */
import * as v from "valibot";
import { MAX_EXPIRES_IN, type Permission } from "../config/schema.ts";
import type { FieldError } from "../problem.ts";
import { faultless } from "../validation.ts";
import { fixedQuery } from "./encode.ts";
import { FIELDS, type FieldName, type FieldValues, keyId } from "./fields.ts";
import { keyPrefix, objectKey } from "./object-key.ts";

export interface Operation {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  readonly permission: Permission;
  /**
   * Which customer key goes with it: the one that the object lies under, the one that new objects are written
   * under, the one that the multipart upload was begun with, or none (S3 takes no SSE-C headers here).
   */
  readonly customerKey: "stored" | "new" | "upload" | "none";
  readonly fields: readonly FieldName[];
  readonly required?: readonly FieldName[];
  /** Query parameters that make it this operation, or that AWS's own clients send with it. */
  readonly query?: Readonly<Record<string, string>>;
  /** What a grant's maxBytes is held against: the signed length, the form's range, or the sum of all parts. */
  readonly sized?: "contentLength" | "form" | "parts";
  /** Whether it decides the object's content type, which a grant may limit. */
  readonly typed?: true;
  /** What no single field can tell. */
  readonly fault?: (request: PresignRequest) => FieldError | undefined;
}

const CONTENT = [
  "contentType",
  "cacheControl",
  "contentDisposition",
  "contentEncoding",
  "contentLanguage",
] as const;
const NEW_OBJECT = [...CONTENT, "metadata", "tagging", "storageClass", "ifNoneMatch", "ifMatch"] as const;
const BODY = ["contentLength", "contentMD5", "checksumSHA256"] as const;

const TABLE = {
  GetObject: {
    method: "GET",
    permission: "read",
    customerKey: "stored",
    fields: ["versionId", "partNumber", "response"],
    query: fixedQuery({ "x-id": "GetObject" }),
  },
  HeadObject: {
    method: "HEAD",
    permission: "read",
    customerKey: "stored",
    fields: ["versionId", "partNumber", "response"],
  },
  PutObject: {
    method: "PUT",
    permission: "write",
    customerKey: "new",
    fields: [...NEW_OBJECT, ...BODY],
    query: fixedQuery({ "x-id": "PutObject" }),
    sized: "contentLength",
    typed: true,
  },
  PostObject: {
    method: "POST",
    permission: "write",
    customerKey: "new",
    fields: ["contentType", "minBytes", "maxBytes", "metadata", "successActionStatus"],
    sized: "form",
    typed: true,
    fault: formFault,
  },
  DeleteObject: {
    method: "DELETE",
    permission: "delete",
    customerKey: "none",
    fields: ["versionId"],
    query: fixedQuery({ "x-id": "DeleteObject" }),
  },
  CopyObject: {
    method: "PUT",
    permission: "write",
    customerKey: "new",
    fields: ["contentType", "metadata", "metadataDirective", "ifSourceMatch"],
    required: ["source"],
    query: fixedQuery({ "x-id": "CopyObject" }),
    typed: true,
    fault: copyFault,
  },
  CreateMultipartUpload: {
    method: "POST",
    permission: "write",
    customerKey: "new",
    fields: [...CONTENT, "metadata", "tagging", "storageClass"],
    query: fixedQuery({ uploads: "" }),
    typed: true,
  },
  UploadPart: {
    method: "PUT",
    permission: "write",
    customerKey: "upload",
    fields: [...BODY],
    required: ["uploadId", "partNumber"],
    query: fixedQuery({ "x-id": "UploadPart" }),
    sized: "contentLength",
  },
  UploadPartCopy: {
    method: "PUT",
    permission: "write",
    customerKey: "upload",
    fields: ["sourceRange", "ifSourceMatch"],
    required: ["uploadId", "partNumber", "source"],
    query: fixedQuery({ "x-id": "UploadPartCopy" }),
  },
  ListParts: {
    method: "GET",
    permission: "write",
    customerKey: "upload",
    fields: [],
    required: ["uploadId"],
    query: fixedQuery({ "x-id": "ListParts" }),
  },
  CompleteMultipartUpload: {
    method: "POST",
    permission: "write",
    customerKey: "upload",
    fields: ["ifNoneMatch", "ifMatch"],
    required: ["uploadId"],
    sized: "parts",
  },
  AbortMultipartUpload: {
    method: "DELETE",
    permission: "write",
    customerKey: "none",
    fields: [],
    required: ["uploadId"],
    query: fixedQuery({ "x-id": "AbortMultipartUpload" }),
  },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof TABLE;
export const OPERATIONS: Readonly<Record<OperationName, Operation>> = TABLE;
export const OPERATION_NAMES = Object.keys(TABLE) as OperationName[];

export const expiresIn = v.optional(
  v.pipe(
    v.number(),
    faultless((seconds) => {
      if (!Number.isInteger(seconds)) return "must be whole seconds";
      if (seconds < 1) return "must be at least 1 second";
      return seconds > MAX_EXPIRES_IN ? `must be at most ${MAX_EXPIRES_IN} seconds (one week)` : undefined;
    }),
  ),
);

const COMMON = {
  bucket: v.string(),
  expiresIn,
  keyId: v.optional(keyId),
  snippet: v.optional(v.picklist(["curl", "python", "javascript"])),
};

type Common = v.InferOutput<v.StrictObjectSchema<typeof COMMON, undefined>>;

/** A request that fits its operation's schema. */
export interface PresignRequest extends Common, FieldValues {
  readonly operation: OperationName;
  /** Empty where a form has `keyPrefix` instead. */
  readonly key: string;
  readonly keyPrefix?: string;
}

/** The schema of each operation's request; fields that it does not name are refused. */
export const REQUEST_SCHEMAS = Object.fromEntries(
  OPERATION_NAMES.map((name) => [name, requestSchema(name, OPERATIONS[name])]),
) as Record<OperationName, v.GenericSchema<unknown, PresignRequest>>;

function requestSchema(name: OperationName, { fields, required = [] }: Operation) {
  const isForm = OPERATIONS[name].sized === "form";
  const schema = v.strictObject({
    operation: v.literal(name),
    ...COMMON,
    ...(isForm ? { key: v.optional(objectKey), keyPrefix: v.optional(keyPrefix) } : { key: objectKey }),
    ...Object.fromEntries(
      fields.map((field) => [field, v.optional(FIELDS[field].schema as v.GenericSchema)]),
    ),
    ...Object.fromEntries(required.map((field) => [field, FIELDS[field].schema])),
  });
  const withKey = v.transform((request: object) => ({ key: "", ...request }));
  const whole = schema as v.GenericSchema<unknown, object>;
  // What the fields' schemas make up, TypeScript cannot see.
  return (isForm ? v.pipe(whole, withKey) : whole) as unknown as v.GenericSchema<unknown, PresignRequest>;
}

function formFault({ key, keyPrefix, minBytes = 0, maxBytes }: PresignRequest): FieldError | undefined {
  if ((key === "") === (keyPrefix === undefined)) {
    return { path: "key", message: "give either key or keyPrefix" };
  }
  const path = keyPrefix === undefined ? "key" : "keyPrefix";
  if (/[\r\n]/.test(keyPrefix ?? key)) {
    return { path, message: "must not hold line breaks: a browser's form rewrites them as CRLF" };
  }
  if (key.includes("${filename}")) {
    return {
      path: "key",
      message: "the store would replace ${filename}: use keyPrefix for names that a form chooses",
    };
  }
  if (maxBytes !== undefined && minBytes > maxBytes)
    return { path: "minBytes", message: "is more than maxBytes" };
  return undefined;
}

function copyFault({ contentType, metadata, metadataDirective }: PresignRequest): FieldError | undefined {
  if (metadataDirective === "REPLACE" || (contentType === undefined && metadata === undefined))
    return undefined;
  return {
    path: "metadataDirective",
    message:
      'must be "REPLACE" when contentType or metadata is given: otherwise the copy keeps the source\'s',
  };
}
