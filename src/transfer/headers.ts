/** Which headers pass between a client and the store: those of the content, and never one of SSE-C or of the hop. */
import { FIELDS, type FieldName } from "../s3/fields.ts";
import { MARKER_HEADER } from "../s3/upload-id.ts";

const METADATA = "x-amz-meta-";

/** Of an upload, to the store: each is a field of PutObject, and as such is checked. */
const UPLOADED = {
  "content-type": "contentType",
  "cache-control": "cacheControl",
  "content-disposition": "contentDisposition",
  "content-encoding": "contentEncoding",
  "content-language": "contentLanguage",
  "content-md5": "contentMD5",
  "x-amz-checksum-sha256": "checksumSHA256",
  "x-amz-tagging": "tagging",
  "x-amz-storage-class": "storageClass",
  "if-match": "ifMatch",
  "if-none-match": "ifNoneMatch",
} as const satisfies Record<string, FieldName>;

/** Those fields that belong to a whole body: they cannot be checked by the store where it comes in parts. */
export const WHOLE_BODY_FIELDS = ["contentMD5", "checksumSHA256"] as const;

/** Of a request for an object, to the store. */
const ASKED = ["range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"];

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
  "x-amz-checksum-sha256",
];

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

export function askedHeaders(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => ASKED.includes(name)));
}

export function answeredHeaders(headers: Headers): Record<string, string> {
  return Object.fromEntries(
    [...headers].filter(
      ([name]) => name !== MARKER_HEADER && (ANSWERED.includes(name) || name.startsWith(METADATA)),
    ),
  );
}
