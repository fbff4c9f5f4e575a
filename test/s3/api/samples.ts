/** For every field a value as a request has it, of which each operation takes its own. */
import type { FieldName } from "../../../src/s3/api/fields.ts";
import { OPERATIONS, type OperationName } from "../../../src/s3/api/operations.ts";

const base64 = (bytes: number) => btoa("x".repeat(bytes));

export const SAMPLES: Readonly<Record<FieldName, unknown>> = {
  versionId: "3/L4kqtJlcpXroDTDmpJmoXsU",
  contentType: 'image/png; name="a;b,c"',
  contentLength: 5,
  contentMD5: base64(16),
  checksumCRC32: base64(4),
  checksumCRC32C: base64(4),
  checksumCRC64NVME: base64(8),
  checksumSHA1: base64(20),
  checksumSHA256: base64(32),
  checksumAlgorithm: "CRC64NVME",
  checksumType: "FULL_OBJECT",
  cacheControl: "max-age=60",
  contentDisposition: "attachment",
  contentEncoding: "gzip",
  contentLanguage: "de",
  expires: "2030-01-31T12:00:00Z",
  metadata: { a: "b", empty: "" },
  tagging: { a: "b" },
  storageClass: "STANDARD",
  websiteRedirectLocation: "/index.html",
  objectLockMode: "GOVERNANCE",
  objectLockRetainUntilDate: "2099-12-31",
  objectLockLegalHoldStatus: "OFF",
  ifNoneMatch: "*",
  ifMatch: '"etag"',
  objectAttributes: ["ETag", "ObjectSize"],
  response: { contentType: "text/plain", expires: "Thu, 31 Jan 2030 12:00:00 GMT" },
  uploadId: "u",
  partNumber: 1,
  partNumberMarker: 0,
  maxParts: 1000,
  source: { bucket: "media", key: "a", versionId: "v", keyId: "k1" },
  sourceRange: "bytes=0-4",
  ifSourceMatch: '"etag"',
  ifSourceNoneMatch: '"etag"',
  ifSourceModifiedSince: "2026-01-31",
  ifSourceUnmodifiedSince: "Sat, 31 Jan 2026 12:00:00 GMT",
  metadataDirective: "REPLACE",
  taggingDirective: "REPLACE",
  contentTypePrefix: "image/",
  minBytes: 0,
  maxBytes: 5,
  successActionRedirect: "https://app.example.com/done",
  successActionStatus: 201,
};

/** The least that an operation takes, beside bucket and key. */
export function leastOf(operation: OperationName): Record<string, unknown> {
  const { required = [] } = OPERATIONS[operation];
  return Object.fromEntries(required.map((name) => [name, SAMPLES[name]]));
}

/** What cannot be given beside it. */
const ALONE: Partial<Record<FieldName, readonly FieldName[]>> = {
  checksumCRC32: ["checksumCRC32C", "checksumCRC64NVME", "checksumSHA1", "checksumSHA256"],
  contentType: ["contentTypePrefix"],
  successActionRedirect: ["successActionStatus"],
  tagging: ["contentMD5"],
};

/** Everything that an operation takes at once. */
export function mostOf(operation: OperationName): Record<string, unknown> {
  const { fields, required = [] } = OPERATIONS[operation];
  const taken = new Set<FieldName>([...fields, ...required]);
  for (const [name, others] of Object.entries(ALONE)) {
    const isAlone = name !== "tagging" || operation === "PutObjectTagging";
    if (isAlone && taken.has(name as FieldName)) for (const other of others) taken.delete(other);
  }
  return Object.fromEntries([...taken].map((name) => [name, SAMPLES[name]]));
}

/** What browsers, proxies and careless readers take for another type than it begins with. */
export const HOSTILE_TYPES = [
  "image/png;,text/html",
  "image/png,text/html",
  "image/png, text/html",
  "image/png ,text/html",
  "image/png;text/html",
  "image/png; text/html",
  "image/png;charset",
  "image/png;charset=",
  "image/png;=utf-8",
  "image/png;a=b,text/html",
  "image/png;a=b;a=c",
  "image/png;A=b;a=c",
  'image/png;a="b',
  'image/png;a="b"c',
  'image/png;a="b",text/html',
  'image/png;a="\\"',
  "image/png;a = b",
  "image/png text/html",
  "image/png\ttext/html",
  "image/png;",
  "image/png; ",
  "image/png;;a=b",
  " image/png",
  "image/png ",
  "image /png",
  "image/ png",
  "image//png",
  "image/png/html",
  "image/",
  "/png",
  "image",
  "*",
  "",
  "image/png\r\nx: y",
  "image/png\n",
  "image/png\0",
  "image/png\u00a0",
  "ımage/png",
  "image／png",
  "image/png;a=é",
  "image/png;a=(b)",
  "image/png(text/html)",
  "<image/png>",
  `image/${"x".repeat(3000)}`,
];
