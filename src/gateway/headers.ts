/**
 * The headers of a request as the gateway goes by them, and which of them each operation carries out. What S3 gives a
 * meaning to is carried out, or refused as not implemented: an upload whose ACL or encryption is passed over in silence is
 * not what was asked for.
 */
import { PRECONDITION_HEADERS } from "../edge/conditions.ts";
import { DIGEST_HEADERS } from "../edge/digests.ts";
import { METADATA } from "../edge/headers.ts";
import { whenReading } from "../edge/honoured.ts";
import { unhonoured } from "../edge/request-headers.ts";
import { headerOf } from "../s3/api/fields.ts";
import { OPERATIONS, type OperationName } from "../s3/api/operations.ts";
import { unmarked } from "./etags.ts";
import { S3Fault } from "./faults.ts";
import type { GatewayOperation } from "./operations.ts";
import { WHOLE_HEADERS } from "./whole-checksum.ts";

const { ifMatch, ifNoneMatch, ifUnmodifiedSince } = PRECONDITION_HEADERS;
const SOURCE = "x-amz-copy-source";
const SOURCE_CONDITIONS = [ifMatch, ifNoneMatch, "if-modified-since", ifUnmodifiedSince].map(
  (name) => `${SOURCE}-${name}`,
);
/** Each may hold ETags that a client has of an answer of ours. */
const WITH_ETAGS = [
  ...[ifMatch, ifNoneMatch, "if-range"],
  ...[`${SOURCE}-if-match`, `${SOURCE}-if-none-match`],
];
/** What an object has anyway: nobody but its bucket's owner may do anything with it. */
const PRIVATE = ["private", "bucket-owner-full-control"];

/** @param given what is left of the headers without the signature's own */
export function headersOf(given: Headers): Headers {
  const headers = new Headers(given);
  for (const name of WITH_ETAGS) {
    const value = headers.get(name);
    if (value !== null) headers.set(name, unmarked(value));
  }
  if (PRIVATE.includes(headers.get("x-amz-acl") ?? "")) headers.delete("x-amz-acl");
  // Some programs send it of a file whose type they do not know.
  if (headers.get("content-type") === "") headers.delete("content-type");
  return headers;
}

/** @throws {S3Fault} InvalidRequest for a customer key of the client's own; NotImplemented for what is not carried out */
export function checkHeaders(operation: GatewayOperation, headers: Headers): void {
  const own = [...headers.keys()].find((name) => /server-side-encryption-customer/.test(name));
  if (own !== undefined)
    throw new S3Fault(
      "InvalidRequest",
      `${own}: this endpoint encrypts every object by itself, under a key of its own; send no key.`,
    );
  const honoured = honouredBy(operation);
  const [fault] = unhonoured(headers, honoured);
  if (fault === undefined) return;
  throw new S3Fault(
    "NotImplemented",
    `A header you provided implies functionality that is not implemented: ${fault.path}`,
  );
}

/** Of requests that have a document for a body. */
const OF_DOCUMENT: readonly string[] = [
  ...DIGEST_HEADERS,
  // They describe a document that is read as what it is.
  ...["content-encoding", "content-language", "content-disposition"],
];

function honouredBy(operation: GatewayOperation): (name: string) => boolean {
  switch (operation) {
    case "GetObject":
    case "HeadObject":
      return whenReading;
    case "ListObjects":
    case "ListObjectsV2":
      // What may be told beside, where there is something to be told.
      return (name) => name === "x-amz-optional-object-attributes";
    case "DeleteObjects":
    case "PutObjectTagging":
    case "CreateBucket":
      return (name) => OF_DOCUMENT.includes(name);
    case "ListBuckets":
    case "HeadBucket":
    case "GetBucketLocation":
    case "ListMultipartUploads":
      return () => false;
    default:
      return ofTable(operation);
  }
}

const known = new Map<OperationName, (name: string) => boolean>();

/** What the table's fields are made of. */
function ofTable(operation: OperationName): (name: string) => boolean {
  const before = known.get(operation);
  if (before !== undefined) return before;
  const { method, fields, required = [], upload } = OPERATIONS[operation];
  const all = [...fields, ...required];
  const names = new Set<string>(all.map(headerOf).filter((name) => name !== undefined));
  if (all.includes("source")) for (const name of [SOURCE, ...SOURCE_CONDITIONS]) names.add(name);
  const isConditional = ["PutObject", "CopyObject", "DeleteObject", "CompleteMultipartUpload"].includes(
    operation,
  );
  if (isConditional) for (const name of [ifMatch, ifNoneMatch, ifUnmodifiedSince]) names.add(name);
  // Checksums of an upload's end are of the whole object, and held against those of its parts.
  if (operation === "CompleteMultipartUpload")
    for (const name of ["content-md5", ...WHOLE_HEADERS]) names.add(name);
  else if (method !== "GET" && upload !== "none") for (const name of DIGEST_HEADERS) names.add(name);
  if (operation === "GetObjectAttributes")
    for (const name of ["x-amz-max-parts", "x-amz-part-number-marker"]) names.add(name);
  if (operation === "CompleteMultipartUpload") names.add("x-amz-mp-object-size");
  const hasMetadata = all.includes("metadata");
  const honours = (name: string) => names.has(name) || (hasMetadata && name.startsWith(METADATA));
  known.set(operation, honours);
  return honours;
}
