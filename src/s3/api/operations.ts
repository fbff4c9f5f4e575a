/**
 * The operations that can be presigned: one entry each. Routes, permissions, snippets and the tests that loop over
 * the table all follow from it, so a new S3 operation is a new entry here.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 */
import * as v from "valibot";
import { toBase64 } from "../../hash/base64.ts";
import { md5 } from "../../hash/md5.ts";
import type { FieldError } from "../../refused.ts";
import { faultless } from "../../validation.ts";
import { fixedQuery } from "./encode.ts";
import {
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

const CONTENT = [
  "contentType",
  "cacheControl",
  "contentDisposition",
  "contentEncoding",
  "contentLanguage",
] as const;
const LOCK = ["objectLockMode", "objectLockRetainUntilDate", "objectLockLegalHoldStatus"] as const;
const NEW_OBJECT = [
  ...CONTENT,
  ...["expires", "metadata", "tagging", "storageClass", "websiteRedirectLocation"],
  ...LOCK,
] as const;
/** Of which a body has one at most. */
export const CHECKSUMS = [
  "checksumCRC32",
  "checksumCRC32C",
  "checksumCRC64NVME",
  "checksumSHA1",
  "checksumSHA256",
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
export interface PresignRequest extends Common, FieldValues {
  readonly operation: OperationName;
  /** Empty where a form has `keyPrefix` instead. */
  readonly key: string;
  readonly keyPrefix?: string;
  /** Whose URL it is to be: the store's own, unless it is said. */
  readonly via?: "store" | "edge" | undefined;
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

/** GetObjectAttributes takes as headers what ListParts takes in the query. */
function pageByHeaders({ headers, query }: Sent): void {
  for (const name of ["max-parts", "part-number-marker"]) {
    const value = query[name];
    if (value !== undefined) headers[`x-amz-${name}`] = value;
    delete query[name];
  }
}

/** A form has tags as XML, in a field of its own. */
function tagByForm({ headers }: Sent): void {
  const { "x-amz-tagging": tagging } = headers;
  if (tagging === undefined) return;
  delete headers["x-amz-tagging"];
  headers.tagging = tagsXml(tagging);
}

/** The tags are the body, which is signed by its MD5. */
function tagByBody(sent: Sent): void {
  const { "x-amz-tagging": tagging } = sent.headers;
  if (tagging === undefined) return;
  delete sent.headers["x-amz-tagging"];
  sent.body = tagsXml(tagging);
  sent.headers["content-md5"] = md5Base64(sent.body);
}

const utf8 = new TextEncoder();
const md5Base64 = (text: string) => toBase64(md5(utf8.encode(text)));

function taggingFault({ tagging, contentMD5 }: PresignRequest): FieldError | undefined {
  if (tagging === undefined || contentMD5 === undefined || contentMD5 === md5Base64(tagsXml(tagging)))
    return undefined;
  return { path: "contentMD5", message: "is not that of the body that tagging makes: leave it out" };
}

/** What the edge holds an upload to, no store does. */
function putFault(request: PresignRequest): FieldError | undefined {
  const { via, contentLength = 0, maxBytes } = request;
  const path = "maxBytes";
  if (maxBytes !== undefined && via !== "edge") return { path, message: 'is for via "edge"' };
  if (maxBytes !== undefined && contentLength > maxBytes)
    return { path, message: "is less than contentLength" };
  return newObjectFault(request);
}

/** What of a new object goes together only in some ways. */
export function newObjectFault(request: FieldValues): FieldError | undefined {
  return checksumFault(request) ?? lockFault(request);
}

function checksumFault(request: FieldValues): FieldError | undefined {
  const [, second] = CHECKSUMS.filter((name) => request[name] !== undefined);
  if (second !== undefined) return { path: second, message: "is a second checksum: S3 takes one" };
  const { checksumAlgorithm, checksumType } = request;
  if (checksumType === undefined) return undefined;
  const path = "checksumType";
  if (checksumAlgorithm === undefined) return { path, message: "needs checksumAlgorithm beside it" };
  // Only CRCs of parts can be put together to that of the whole, and of CRC-64/NVME S3 makes nothing else.
  const only = { CRC32: "", CRC32C: "", CRC64NVME: "FULL_OBJECT", SHA1: "COMPOSITE", SHA256: "COMPOSITE" }[
    checksumAlgorithm
  ];
  return only === "" || only === checksumType
    ? undefined
    : { path, message: `must be "${only}" with ${checksumAlgorithm}` };
}

function lockFault({ objectLockMode, objectLockRetainUntilDate }: FieldValues): FieldError | undefined {
  if ((objectLockMode === undefined) === (objectLockRetainUntilDate === undefined)) return undefined;
  return objectLockMode === undefined
    ? { path: "objectLockMode", message: "is required with objectLockRetainUntilDate" }
    : { path: "objectLockRetainUntilDate", message: "is required with objectLockMode" };
}

function formFault(request: PresignRequest): FieldError | undefined {
  const { key, keyPrefix, minBytes = 0, maxBytes, contentType, contentTypePrefix } = request;
  const { successActionStatus, successActionRedirect } = request;
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
  if (contentType !== undefined && contentTypePrefix !== undefined)
    return { path: "contentTypePrefix", message: "is not for a form whose contentType is given" };
  if (successActionStatus !== undefined && successActionRedirect !== undefined)
    return {
      path: "successActionStatus",
      message: "is ignored by S3 beside successActionRedirect: give one",
    };
  return undefined;
}

/** What a copy takes from its source, unless it is told to take all of it from the request. */
const SOURCE_METADATA = [...CONTENT, "expires", "metadata"] as const;

function copyFault(request: PresignRequest): FieldError | undefined {
  const replaced = SOURCE_METADATA.find((name) => request[name] !== undefined);
  if (replaced !== undefined && request.metadataDirective !== "REPLACE") {
    const message = `must be "REPLACE" when ${replaced} is given: otherwise the copy keeps the source's`;
    return { path: "metadataDirective", message };
  }
  if (request.tagging !== undefined && request.taggingDirective !== "REPLACE") {
    const message = 'must be "REPLACE" when tagging is given: otherwise the copy keeps the source\'s';
    return { path: "taggingDirective", message };
  }
  return newObjectFault(request);
}
