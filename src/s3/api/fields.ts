/**
 * The fields of a request, by name: what is allowed in each, and where it goes in the S3 request. An operation in
 * operations.ts names the fields that it takes; nothing else needs to know them.
 */
import * as v from "valibot";
import { isBase64Of } from "../../hash/base64.ts";
import { described, faultless, type JsonSchema, strictObject } from "../../validation.ts";
import { futureDate, httpDate } from "./dates.ts";
import { encodeKey, encodeRfc3986 } from "./encode.ts";
import {
  MAX_LISTED_PARTS,
  MAX_METADATA_BYTES,
  MAX_PARTS,
  MAX_PUT_BYTES,
  MAX_REDIRECT_LOCATION,
} from "./limits.ts";
import { mediaType } from "./media-type.ts";
import { objectKey } from "./object-key.ts";
import { hasSafeNames } from "./safe-names.ts";
import { tagging } from "./tags.ts";
import { MARKER_NAME, storeUploadId } from "./upload-id.ts";

/** Headers and query parameters of a request to the store. */
export interface Sent {
  readonly headers: Record<string, string>;
  readonly query: Record<string, string>;
  /** The body that goes with it, where the fields make it up. */
  body?: string;
}

/** @typeParam Input what may be given for it */
interface Field<T, Input> {
  readonly schema: v.GenericSchema<Input, T>;
  /** The one header that the value goes in as it stands, in lower case. */
  readonly header?: string;
  /** The one query parameter that it goes in. */
  readonly parameter?: string;
  /** Puts the value where S3 expects it. What goes elsewhere (the copy source, the range of a form) has none. */
  readonly send?: (value: T, sent: Sent) => void;
}

/** Printable ASCII and inner spaces: what every HTTP client sends as it stands, and signs the same. */
function faultOfHeader(text: string): string | undefined {
  if (text === "") return undefined;
  if (text.trim() !== text) return "must not begin or end with a space: HTTP clients leave it out";
  return /^[ -~]*$/.test(text)
    ? undefined
    : "must be printable ASCII; encode other characters, e.g. filename*=UTF-8''caf%C3%A9.txt";
}

/** S3 keeps metadata that is empty; every other header it takes for missing, or refuses. */
const metadataValue = v.pipe(v.string(), faultless(faultOfHeader, {}));

const headerValue = v.pipe(
  v.string(),
  faultless((text) => (text === "" ? "must not be empty: leave it out" : faultOfHeader(text)), {
    pattern: "^[!-~]([ -~]*[!-~])?$",
  }),
);

const base64Of = (bytes: number, what: string) =>
  v.pipe(
    v.string(),
    described(
      v.check(
        (text: string) => isBase64Of(text, bytes),
        `must be ${what}: canonical base64 of ${bytes} bytes`,
      ),
      { contentEncoding: "base64", pattern: base64Pattern(bytes) },
    ),
  );

function base64Pattern(bytes: number): string {
  const rest = ["", "[A-Za-z0-9+/]{2}==", "[A-Za-z0-9+/]{3}="][bytes % 3];
  return `^[A-Za-z0-9+/]{${Math.floor(bytes / 3) * 4}}${rest}$`;
}

export const wholeNumber = (least: number, most: number) =>
  v.pipe(
    v.number(),
    faultless(
      (number) => {
        if (!Number.isInteger(number)) return "must be a whole number";
        if (number < least) return `must be at least ${least}`;
        return number > most ? `must be at most ${most}` : undefined;
      },
      { type: "integer", minimum: least, maximum: most },
    ),
  );

const TEXTS: JsonSchema = { type: "object", additionalProperties: { type: "string" } };

const metadata = v.pipe(
  v.unknown(),
  hasSafeNames(TEXTS),
  v.record(v.pipe(v.string(), v.regex(/^[\w!#$%&'*+.^`|~-]+$/, "is not a header name")), metadataValue),
  v.check(
    (entries) =>
      new Set(Object.keys(entries).map((name) => name.toLowerCase())).size === Object.keys(entries).length,
    "must not name an entry twice: case does not count in header names",
  ),
  v.check(
    (entries) => !Object.keys(entries).some((name) => name.toLowerCase() === MARKER_NAME),
    `must not have an entry of the name ${MARKER_NAME}: it is the service's own`,
  ),
  v.check(
    // Both are ASCII by now: a character is a byte.
    (entries) => Object.entries(entries).flat().join("").length <= MAX_METADATA_BYTES,
    `must be at most ${MAX_METADATA_BYTES} bytes, names and values together`,
  ),
);

/** `response-content-type` and its kin: what the store answers instead of what it keeps. */
const responseOverrides = strictObject({
  contentType: v.optional(mediaType),
  contentDisposition: v.optional(headerValue),
  contentEncoding: v.optional(headerValue),
  contentLanguage: v.optional(headerValue),
  cacheControl: v.optional(headerValue),
  expires: v.optional(httpDate),
});

const CHECKSUM_ALGORITHMS = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const;

/** S3's own, and names that other stores use: which of them there are, the store says. */
const storageClass = v.pipe(
  v.string(),
  v.regex(
    /^[A-Z0-9_-]{1,64}$/,
    "must be a storage class, as STANDARD_IA: capital letters, digits, _ and - alone",
  ),
);

const redirectLocation = v.pipe(
  headerValue,
  faultless(
    (location) => {
      if (!/^(\/|https?:\/\/[^/])/i.test(location)) return 'must begin with "/", "http://" or "https://"';
      return location.length > MAX_REDIRECT_LOCATION
        ? `must be at most ${MAX_REDIRECT_LOCATION} characters`
        : undefined;
    },
    { pattern: "^(/|[Hh][Tt][Tt][Pp][Ss]?://[^/])", maxLength: MAX_REDIRECT_LOCATION },
  ),
);

const ATTRIBUTES = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"] as const;

const objectAttributes = v.pipe(
  v.array(v.picklist(ATTRIBUTES)),
  v.minLength(1, "must name at least one attribute"),
  described(
    v.checkItems<(typeof ATTRIBUTES)[number][], string>(
      (name, index, all) => all.indexOf(name) === index,
      "is in the list already",
    ),
    { uniqueItems: true },
  ),
  v.transform((names) => names.join(",")),
);

/** How the media types begin that a form's user may set. */
const contentTypePrefix = v.pipe(
  v.string(),
  v.regex(
    /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]*$/,
    'must be how a media type begins, up to its "/" or beyond, as "image/"',
  ),
);

const successRedirect = v.pipe(
  headerValue,
  faultless(
    (url) => {
      const { protocol } = URL.canParse(url) ? new URL(url) : { protocol: "" };
      return /^https?:$/.test(protocol) ? undefined : "must be a URL that begins with https:// or http://";
    },
    { pattern: "^[Hh][Tt][Tt][Pp][Ss]?:", examples: ["https://app.example.com/done"] },
  ),
);

const RANGE = /^bytes=(\d{1,15})-(\d{1,15})$/;

const sourceRange = v.pipe(
  v.string(),
  faultless(
    (range) => {
      const length = lengthOfRange(range);
      if (length === undefined) return 'must be "bytes=FIRST-LAST", both included';
      if (length < 1) return "must not end before it begins";
      return length > MAX_PUT_BYTES
        ? `must be at most ${MAX_PUT_BYTES} bytes: a part holds no more`
        : undefined;
    },
    { pattern: RANGE.source, examples: ["bytes=0-5242879"] },
  ),
);

/** The bytes in `bytes=FIRST-LAST`; undefined for what is no range. */
export function lengthOfRange(range: string): number | undefined {
  const [, first, last] = RANGE.exec(range) ?? [];
  return first === undefined ? undefined : Number(last) - Number(first) + 1;
}

/** With our seal longer than any of S3's. */
const uploadId = v.pipe(
  v.string(),
  v.regex(/^[!-~]{1,1100}$/, "must be the uploadId of the answer that began the upload"),
);
const versionId = v.pipe(v.string(), v.regex(/^[!-~]{1,1024}$/, "must be a version id that the store gave"));
const keyId = v.pipe(v.string(), v.nonEmpty("must not be empty"));

const copySource = strictObject({
  bucket: v.string(),
  key: objectKey,
  versionId: v.optional(versionId),
  keyId: v.optional(keyId),
});

const kebab = (name: string) => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);

/** A field that is one header, sent as it stands. */
const header = <T extends string | number, Input>(
  name: string,
  schema: v.GenericSchema<Input, T>,
): Field<T, Input> => ({
  schema,
  header: name,
  send: (value, { headers }) => {
    headers[name] = String(value);
  },
});

/** A field that is one query parameter. */
const parameter = <T extends string | number, Input>(
  name: string,
  schema: v.GenericSchema<Input, T>,
): Field<T, Input> => ({
  schema,
  parameter: name,
  send: (value, { query }) => {
    query[name] = String(value);
  },
});

const field = <T, Input>(
  schema: v.GenericSchema<Input, T>,
  send?: Field<T, Input>["send"],
): Field<T, Input> => ({
  schema,
  ...(send && { send }),
});

export const FIELDS = {
  // the object
  versionId: parameter("versionId", versionId),
  // That it is a media type is for `limit` to say, which knows what a caller may upload.
  contentType: header("content-type", headerValue),
  contentLength: header("content-length", wholeNumber(0, MAX_PUT_BYTES)),
  contentMD5: header("content-md5", base64Of(16, "the MD5 of the body")),
  checksumCRC32: header("x-amz-checksum-crc32", base64Of(4, "the CRC-32 of the body")),
  checksumCRC32C: header("x-amz-checksum-crc32c", base64Of(4, "the CRC-32C of the body")),
  checksumCRC64NVME: header("x-amz-checksum-crc64nvme", base64Of(8, "the CRC-64/NVME of the body")),
  checksumSHA1: header("x-amz-checksum-sha1", base64Of(20, "the SHA-1 of the body")),
  checksumSHA256: header("x-amz-checksum-sha256", base64Of(32, "the SHA-256 of the body")),
  checksumAlgorithm: header("x-amz-checksum-algorithm", v.picklist(CHECKSUM_ALGORITHMS)),
  checksumType: header("x-amz-checksum-type", v.picklist(["COMPOSITE", "FULL_OBJECT"])),
  cacheControl: header("cache-control", headerValue),
  contentDisposition: header("content-disposition", headerValue),
  contentEncoding: header("content-encoding", headerValue),
  contentLanguage: header("content-language", headerValue),
  expires: header("expires", httpDate),
  metadata: field(metadata, (entries, { headers }) => {
    for (const [name, value] of Object.entries(entries)) headers[`x-amz-meta-${name.toLowerCase()}`] = value;
  }),
  tagging: header("x-amz-tagging", tagging),
  storageClass: header("x-amz-storage-class", storageClass),
  websiteRedirectLocation: header("x-amz-website-redirect-location", redirectLocation),
  objectLockMode: header("x-amz-object-lock-mode", v.picklist(["GOVERNANCE", "COMPLIANCE"])),
  objectLockRetainUntilDate: header("x-amz-object-lock-retain-until-date", futureDate),
  objectLockLegalHoldStatus: header("x-amz-object-lock-legal-hold", v.picklist(["ON", "OFF"])),
  ifNoneMatch: header("if-none-match", v.literal("*")),
  ifMatch: header("if-match", headerValue),
  // the answer
  objectAttributes: header("x-amz-object-attributes", objectAttributes),
  response: field(responseOverrides, (overrides, { query }) => {
    for (const [name, value] of Object.entries(overrides))
      if (value) query[`response-${kebab(name)}`] = value;
  }),
  // a multipart upload
  uploadId: {
    ...field(uploadId, (value, { query }) => {
      query.uploadId = storeUploadId(value);
    }),
    parameter: "uploadId",
  },
  partNumber: parameter("partNumber", wholeNumber(1, MAX_PARTS)),
  partNumberMarker: parameter("part-number-marker", wholeNumber(0, MAX_PARTS)),
  maxParts: parameter("max-parts", wholeNumber(1, MAX_LISTED_PARTS)),
  // a copy; where its source lies in the store is known only once the source's bucket is
  source: field(copySource),
  sourceRange: header("x-amz-copy-source-range", sourceRange),
  ifSourceMatch: header("x-amz-copy-source-if-match", headerValue),
  ifSourceNoneMatch: header("x-amz-copy-source-if-none-match", headerValue),
  ifSourceModifiedSince: header("x-amz-copy-source-if-modified-since", httpDate),
  ifSourceUnmodifiedSince: header("x-amz-copy-source-if-unmodified-since", httpDate),
  metadataDirective: header("x-amz-metadata-directive", v.picklist(["COPY", "REPLACE"])),
  taggingDirective: header("x-amz-tagging-directive", v.picklist(["COPY", "REPLACE"])),
  // a browser form
  contentTypePrefix: field(contentTypePrefix),
  minBytes: field(wholeNumber(0, MAX_PUT_BYTES)),
  maxBytes: field(wholeNumber(0, MAX_PUT_BYTES)),
  successActionRedirect: header("success_action_redirect", successRedirect),
  successActionStatus: header("success_action_status", v.picklist([200, 201, 204])),
};

export type FieldName = keyof typeof FIELDS;

export const CONTENT = [
  "contentType",
  "cacheControl",
  "contentDisposition",
  "contentEncoding",
  "contentLanguage",
] as const;
/** Of which a body has one at most. */
export const CHECKSUMS = [
  "checksumCRC32",
  "checksumCRC32C",
  "checksumCRC64NVME",
  "checksumSHA1",
  "checksumSHA256",
] as const;

export type FieldValues = {
  readonly [Name in FieldName]?: v.InferOutput<(typeof FIELDS)[Name]["schema"]>;
};

/** What may be given for each field, before it is checked. */
export type FieldInputs = {
  readonly [Name in FieldName]: Name extends keyof RecordInputs
    ? RecordInputs[Name]
    : v.InferInput<(typeof FIELDS)[Name]["schema"]>;
};

/** Of what has names of the caller's own, the schemas take anything, and look at it themselves. */
interface RecordInputs {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tagging: string | Readonly<Record<string, string>>;
}

/** The header of a field that goes in one as it stands. */
export function headerOf(name: FieldName): string | undefined {
  const field: { readonly header?: string } = FIELDS[name];
  return field.header;
}

/** The query parameter of a field that goes in one. */
export function parameterOf(name: FieldName): string | undefined {
  const field: { readonly parameter?: string } = FIELDS[name];
  return field.parameter;
}

export type CopySource = NonNullable<FieldValues["source"]>;

/** Everything that the given fields put into the request to the store; what else the values hold is not looked at. */
export function send(values: FieldValues): Sent {
  const sent: Sent = { headers: {}, query: {} };
  for (const name in values) sendOne(name as FieldName, values, sent);
  return sent;
}

function sendOne<Name extends FieldName>(name: Name, values: FieldValues, sent: Sent): void {
  const value = values[name];
  // That a name's value is of its field's type is FieldValues' doing, which TypeScript cannot follow back.
  const field = FIELDS[name] as unknown as Field<typeof value, unknown> | undefined;
  if (value !== undefined) field?.send?.(value, sent);
}

/** The value of x-amz-copy-source. */
export function copySourceHeader(
  storeBucket: string,
  { key, versionId }: Pick<CopySource, "key" | "versionId">,
): string {
  return `/${storeBucket}/${encodeKey(key)}${versionId === undefined ? "" : `?versionId=${encodeRfc3986(versionId)}`}`;
}

export { keyId };
