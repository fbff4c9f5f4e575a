/** Which headers pass between a client and the store: those of the content, and never one of SSE-C or of the hop. */
import type { FieldError } from "../refused.ts";
import { CHECKSUMS, type FieldName, headerOf } from "../s3/api/fields.ts";
import { CONDITIONS, TABLE } from "../s3/api/operations.ts";
import { requestSchema } from "../s3/api/request-schema.ts";
import { MARKER_HEADER } from "../s3/api/upload-id.ts";

export const METADATA = "x-amz-meta-";

/** What of PutObject the edge sees to itself: the length is the body's, and conditions are held whatever the store does. */
const OWN: readonly string[] = ["contentLength", ...CONDITIONS];
const UPLOADED_FIELDS = TABLE.PutObject.fields.filter((field) => !OWN.includes(field));

/** Of an upload, to the store: headers, each of which is a field of PutObject. */
export const UPLOADED: Readonly<Record<string, FieldName>> = Object.fromEntries(
  UPLOADED_FIELDS.map((field) => [headerOf(field), field]).filter(([header]) => header !== undefined),
);

/** Of these fields. */
export const UPLOADED_SCHEMA = requestSchema({}, { fields: UPLOADED_FIELDS });

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

/** A fault in a field, told by the header that it came in. */
export function inHeaders({ path, message }: FieldError): FieldError {
  const [field, ...name] = path.split(".");
  if (field === "metadata" && name.length > 0) return { path: METADATA + name.join("."), message };
  const header = Object.keys(UPLOADED).find((name) => UPLOADED[name] === field);
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
