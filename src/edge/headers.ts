/** Which headers pass between a client and the store: those of the content, and never one of SSE-C or of the hop. */
import type { FieldError } from "../refused.ts";
import { FIELDS, type FieldName } from "../s3/api/fields.ts";
import { CHECKSUMS } from "../s3/api/operations.ts";
import { MARKER_HEADER } from "../s3/api/upload-id.ts";

export const METADATA = "x-amz-meta-";

/** Of an upload, to the store: each is a field of PutObject, and as such is checked. */
export const UPLOADED = {
  "content-type": "contentType",
  "cache-control": "cacheControl",
  "content-disposition": "contentDisposition",
  "content-encoding": "contentEncoding",
  "content-language": "contentLanguage",
  expires: "expires",
  "content-md5": "contentMD5",
  "x-amz-checksum-crc32": "checksumCRC32",
  "x-amz-checksum-crc32c": "checksumCRC32C",
  "x-amz-checksum-crc64nvme": "checksumCRC64NVME",
  "x-amz-checksum-sha1": "checksumSHA1",
  "x-amz-checksum-sha256": "checksumSHA256",
  "x-amz-tagging": "tagging",
  "x-amz-storage-class": "storageClass",
  "x-amz-website-redirect-location": "websiteRedirectLocation",
  "x-amz-object-lock-mode": "objectLockMode",
  "x-amz-object-lock-retain-until-date": "objectLockRetainUntilDate",
  "x-amz-object-lock-legal-hold": "objectLockLegalHoldStatus",
} as const satisfies Record<string, FieldName>;

/** Those fields that belong to a whole body: a store cannot check them where it comes in parts. */
export const WHOLE_BODY_FIELDS = ["contentMD5", ...CHECKSUMS] as const;

/** Of the store's answer, to the client. Not cache-control: what the service answers is for this caller alone. */
const ANSWERED = [
  "content-type",
  "content-length",
  "content-range",
  "content-disposition",
  "content-encoding",
  "content-language",
  "accept-ranges",
  "expires",
  "etag",
  "last-modified",
  "x-amz-version-id",
  "x-amz-mp-parts-count",
  "x-amz-storage-class",
  "x-amz-tagging-count",
  "x-amz-website-redirect-location",
];
const ANSWERED_FAMILIES = [METADATA, "x-amz-checksum-", "x-amz-object-lock-"];

/** The fields of an upload, not checked yet. */
export function uploadedFields(headers: Headers): Record<string, unknown> {
  const given = Object.entries(UPLOADED).filter(([name]) => headers.has(name));
  const metadata = [...headers].filter(([name]) => name.startsWith(METADATA));
  return {
    ...Object.fromEntries(given.map(([name, field]) => [field, headers.get(name)])),
    ...(metadata.length > 0 && {
      metadata: Object.fromEntries(metadata.map(([name, value]) => [name.slice(METADATA.length), value])),
    }),
  };
}

export const UPLOADED_SCHEMAS = Object.fromEntries(
  [...Object.values(UPLOADED), "metadata" as const].map((field) => [field, FIELDS[field].schema]),
);

/** A fault in a field, told by the header that it came in. */
export function inHeaders({ path, message }: FieldError): FieldError {
  const [field, ...name] = path.split(".");
  if (field === "metadata" && name.length > 0) return { path: METADATA + name.join("."), message };
  const header = Object.entries(UPLOADED).find(([, uploaded]) => uploaded === field)?.[0];
  return { path: header ?? path, message };
}

export function answeredHeaders(headers: Headers): Record<string, string> {
  return Object.fromEntries(
    [...headers].filter(
      ([name]) =>
        name !== MARKER_HEADER &&
        (ANSWERED.includes(name) || ANSWERED_FAMILIES.some((family) => name.startsWith(family))),
    ),
  );
}
