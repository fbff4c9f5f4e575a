/**
 * The operations that can be presigned: one entry each. Routes, permissions, snippets and the tests that loop over
 * the table all follow from it, so a new S3 operation is a new entry here.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 */
import * as v from "valibot";
import type { FieldError } from "../../refused.ts";
import { faultless } from "../../validation.ts";
import { pageByHeaders, tagByBody, tagByForm } from "./arrange.ts";
import { fixedQuery } from "./encode.ts";
import {
  checksumFault,
  copyFault,
  formFault,
  newObjectFault,
  putFault,
  type RequestFields,
  taggingFault,
} from "./faults.ts";
import {
  CHECKSUMS,
  CONTENT,
  FIELDS,
  type FieldInputs,
  type FieldName,
  type FieldValues,
  keyId,
  type Sent,
  send,
} from "./fields.ts";
import { MAX_EXPIRES_IN } from "./limits.ts";
import { keyPrefix, objectKey } from "./object-key.ts";
import { requestSchema } from "./request-schema.ts";
import { tagsXml } from "./tags.ts";

export interface Operation {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** What a caller must be allowed to do with the object. */
  readonly permission: "read" | "write" | "delete";
  /**
   * Which customer key goes with it: the one that the object lies under, the one that new objects are written
   * under, the one that the multipart upload was begun with, or none (S3 takes no SSE-C headers here).
   */
  readonly customerKey: "stored" | "new" | "upload" | "none";
  readonly fields: readonly FieldName[];
  readonly required?: readonly FieldName[];
  /** Query parameters that make it this operation, or that AWS's own clients send with it. */
  readonly query?: Readonly<Record<string, string>>;
  /** What goes up: a file, a form with a file, an XML document, a body of no bytes, or no body. */
  readonly upload: "file" | "form" | "document" | "empty" | "none";
  /** The document, as a file of its own. */
  readonly document?: { readonly file: string; readonly example: string };
  /** What comes back: the object, headers worth reading, XML worth reading, or nothing. */
  readonly answer: "file" | "headers" | "body" | "none";
  /** Puts a field where this operation has it, and others do not. */
  readonly arrange?: (sent: Sent) => void;
  /** What a grant's maxBytes is held against: the signed length, the form's range, the source's size, the sum of all parts. */
  readonly sized?: "contentLength" | "form" | "source" | "parts";
  /** Whether it decides the object's content type, which a grant may limit. */
  readonly typed?: true;
  /** Whether the gateway's own URLs may be handed out for it (`via: "edge"`). */
  readonly atEdge?: true;
  /** What no single field can tell. */
  readonly fault?: (request: PresignRequest) => FieldError | undefined;
}

const LOCK = ["objectLockMode", "objectLockRetainUntilDate", "objectLockLegalHoldStatus"] as const;
const NEW_OBJECT = [
  ...CONTENT,
  ...["expires", "metadata", "tagging", "storageClass", "websiteRedirectLocation"],
  ...LOCK,
] as const;
export const CONDITIONS = ["ifNoneMatch", "ifMatch"] as const;
const SOURCE_CONDITIONS = [
  "ifSourceMatch",
  "ifSourceNoneMatch",
  "ifSourceModifiedSince",
  "ifSourceUnmodifiedSince",
] as const;
const BODY = ["contentLength", "contentMD5", ...CHECKSUMS] as const;

/** Each operation, with the names of its own fields as its type. */
export const TABLE = {
  GetObject: {
    method: "GET",
    permission: "read",
    customerKey: "stored",
    fields: ["versionId", "partNumber", "response"],
    query: fixedQuery({ "x-id": "GetObject" }),
    upload: "none",
    answer: "file",
    atEdge: true,
  },
  HeadObject: {
    method: "HEAD",
    permission: "read",
    customerKey: "stored",
    fields: ["versionId", "partNumber", "response"],
    upload: "none",
    answer: "headers",
    atEdge: true,
  },
  GetObjectAttributes: {
    method: "GET",
    permission: "read",
    customerKey: "stored",
    fields: ["versionId", "maxParts", "partNumberMarker"],
    required: ["objectAttributes"],
    query: fixedQuery({ attributes: "" }),
    upload: "none",
    answer: "body",
    arrange: pageByHeaders,
  },
  PutObject: {
    method: "PUT",
    permission: "write",
    customerKey: "new",
    fields: [...NEW_OBJECT, ...CONDITIONS, ...BODY],
    query: fixedQuery({ "x-id": "PutObject" }),
    upload: "file",
    answer: "none",
    sized: "contentLength",
    typed: true,
    atEdge: true,
    fault: putFault,
  },
  PostObject: {
    method: "POST",
    permission: "write",
    customerKey: "new",
    fields: [
      ...["contentType", "contentTypePrefix", "cacheControl", "contentDisposition", "contentEncoding"],
      ...["expires", "metadata", "tagging", "storageClass", "websiteRedirectLocation"],
      ...["minBytes", "maxBytes", "successActionStatus", "successActionRedirect"],
    ] as const,
    upload: "form",
    answer: "none",
    arrange: tagByForm,
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
    upload: "none",
    answer: "none",
    atEdge: true,
  },
  CopyObject: {
    method: "PUT",
    permission: "write",
    customerKey: "new",
    fields: [
      ...NEW_OBJECT,
      ...CONDITIONS,
      ...SOURCE_CONDITIONS,
      ...["checksumAlgorithm", "metadataDirective", "taggingDirective"],
    ] as const,
    required: ["source"],
    query: fixedQuery({ "x-id": "CopyObject" }),
    upload: "empty",
    answer: "body",
    sized: "source",
    typed: true,
    fault: copyFault,
  },
  CreateMultipartUpload: {
    method: "POST",
    permission: "write",
    customerKey: "new",
    fields: [...NEW_OBJECT, "checksumAlgorithm", "checksumType"],
    query: fixedQuery({ uploads: "" }),
    upload: "empty",
    answer: "body",
    typed: true,
    fault: newObjectFault,
  },
  UploadPart: {
    method: "PUT",
    permission: "write",
    customerKey: "upload",
    fields: [...BODY],
    required: ["uploadId", "partNumber"],
    query: fixedQuery({ "x-id": "UploadPart" }),
    upload: "file",
    answer: "headers",
    sized: "contentLength",
    fault: checksumFault,
  },
  UploadPartCopy: {
    method: "PUT",
    permission: "write",
    customerKey: "upload",
    fields: ["sourceRange", ...SOURCE_CONDITIONS],
    required: ["uploadId", "partNumber", "source"],
    query: fixedQuery({ "x-id": "UploadPartCopy" }),
    upload: "empty",
    answer: "body",
    sized: "source",
  },
  ListParts: {
    method: "GET",
    permission: "write",
    customerKey: "upload",
    fields: ["maxParts", "partNumberMarker"],
    required: ["uploadId"],
    query: fixedQuery({ "x-id": "ListParts" }),
    upload: "none",
    answer: "body",
  },
  CompleteMultipartUpload: {
    method: "POST",
    permission: "write",
    customerKey: "upload",
    fields: [...CONDITIONS],
    required: ["uploadId"],
    upload: "document",
    document: {
      file: "complete.xml",
      example:
        '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"..."</ETag></Part></CompleteMultipartUpload>',
    },
    answer: "body",
    sized: "parts",
  },
  AbortMultipartUpload: {
    method: "DELETE",
    permission: "write",
    customerKey: "none",
    fields: [],
    required: ["uploadId"],
    query: fixedQuery({ "x-id": "AbortMultipartUpload" }),
    upload: "none",
    answer: "none",
  },
  GetObjectTagging: {
    method: "GET",
    permission: "read",
    customerKey: "none",
    fields: ["versionId"],
    query: fixedQuery({ tagging: "" }),
    upload: "none",
    answer: "body",
  },
  PutObjectTagging: {
    method: "PUT",
    permission: "write",
    customerKey: "none",
    fields: ["versionId", "tagging", "contentMD5"],
    query: fixedQuery({ tagging: "" }),
    upload: "document",
    document: { file: "tagging.xml", example: tagsXml("name=value") },
    answer: "none",
    arrange: tagByBody,
    fault: taggingFault,
  },
  DeleteObjectTagging: {
    method: "DELETE",
    permission: "write",
    customerKey: "none",
    fields: ["versionId"],
    query: fixedQuery({ tagging: "" }),
    upload: "none",
    answer: "none",
  },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof TABLE;
/** The same, each as any operation. */
export const OPERATIONS: Readonly<Record<OperationName, Operation>> = TABLE;
export const OPERATION_NAMES = Object.keys(TABLE) as OperationName[];

/** What may be given for an operation, beside what all have in common. */
export type InputsOf<Name extends OperationName> = {
  readonly [Field in (typeof TABLE)[Name]["fields"][number]]?: FieldInputs[Field] | undefined;
} & { readonly [Field in RequiredOf<(typeof TABLE)[Name]>]: FieldInputs[Field] };

type RequiredOf<Entry> = Entry extends { readonly required: readonly (infer Field extends FieldName)[] }
  ? Field
  : never;

/** Everything that an operation's fields put into its request. */
export function sentBy(operation: OperationName, values: FieldValues): Sent {
  const sent = send(values);
  OPERATIONS[operation].arrange?.(sent);
  return sent;
}

export const expiresIn = v.optional(
  v.pipe(
    v.number(),
    faultless(
      (seconds) => {
        if (!Number.isInteger(seconds)) return "must be whole seconds";
        if (seconds < 1) return "must be at least 1 second";
        return seconds > MAX_EXPIRES_IN ? `must be at most ${MAX_EXPIRES_IN} seconds (one week)` : undefined;
      },
      { type: "integer", minimum: 1, maximum: MAX_EXPIRES_IN },
    ),
  ),
);

const COMMON = {
  bucket: v.string(),
  expiresIn,
  keyId: v.optional(keyId),
  snippet: v.optional(v.picklist(["curl", "python", "javascript", "httpie", "kotlin", "swift"])),
};

type Common = v.InferOutput<v.StrictObjectSchema<typeof COMMON, undefined>>;

/** A request that fits its operation's schema. */
export interface PresignRequest extends Common, RequestFields {
  readonly operation: OperationName;
}

/** What may be asked of an operation, before it is checked. */
export type PresignInput = {
  [Name in OperationName]: v.InferInput<v.StrictObjectSchema<typeof COMMON, undefined>> & {
    readonly operation: Name;
  } & InputsOf<Name> &
    Named<(typeof TABLE)[Name]> &
    Placed<(typeof TABLE)[Name]>;
}[OperationName];

/** A form may leave the end of the key to the file's name. */
type Named<Entry> = Entry extends { readonly sized: "form" }
  ?
      | { readonly key: string; readonly keyPrefix?: undefined }
      | { readonly keyPrefix: string; readonly key?: undefined }
  : { readonly key: string };

type Placed<Entry> = Entry extends { readonly atEdge: true }
  ? { readonly via?: PresignRequest["via"] }
  : unknown;

const schemas = new Map<OperationName, v.GenericSchema<unknown, PresignRequest>>();

/** The schema of an operation's request, made when it is first asked for; fields that it does not name are refused. */
export function requestSchemaOf(operation: OperationName): v.GenericSchema<unknown, PresignRequest> {
  const schema = schemas.get(operation) ?? schemaOf(operation);
  schemas.set(operation, schema);
  return schema;
}

function schemaOf(operation: OperationName): v.GenericSchema<unknown, PresignRequest> {
  const { sized, atEdge = false, ...taken } = OPERATIONS[operation];
  const isForm = sized === "form";
  const schema = requestSchema(
    {
      operation: v.literal(operation),
      ...COMMON,
      ...(atEdge && { via: v.optional(v.picklist(["store", "edge"])) }),
      ...(atEdge && sized === "contentLength" && { maxBytes: v.optional(FIELDS.maxBytes.schema) }),
      ...(isForm ? { key: v.optional(objectKey), keyPrefix: v.optional(keyPrefix) } : { key: objectKey }),
    },
    taken,
  ) as v.GenericSchema<unknown, object>;
  const withKey = v.transform((request: object) => ({ key: "", ...request }));
  // Which fields there are, only the table knows.
  return (isForm ? v.pipe(schema, withKey) : schema) as unknown as v.GenericSchema<unknown, PresignRequest>;
}
