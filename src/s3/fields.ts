/**
 * The fields of a request, by name: what is allowed in each, and where it goes in the S3 request. An operation in
 * operations.ts names the fields that it takes; nothing else needs to know them.
 */
import { Buffer } from "node:buffer";
import * as v from "valibot";
import { faultless } from "../validation.ts";
import { encodeKey, encodeRfc3986 } from "./encode.ts";
import { objectKey } from "./object-key.ts";

/** Headers and query parameters of a request to the store. */
export interface Sent {
  readonly headers: Record<string, string>;
  readonly query: Record<string, string>;
}

interface Field<T> {
  readonly schema: v.GenericSchema<unknown, T>;
  /** Puts the value where S3 expects it. What goes elsewhere (the copy source, the range of a form) has none. */
  readonly send?: (value: T, sent: Sent) => void;
}

/** The most that one PUT may carry: 5 GiB. */
export const MAX_PUT_BYTES = 5 * 2 ** 30;
const MAX_PARTS = 10_000;
/** S3's limit on x-amz-meta-* names and values together, bytes. */
const MAX_METADATA_BYTES = 2048;

/** Printable ASCII and inner spaces: what every HTTP client sends as it stands, and signs the same. */
const headerValue = v.pipe(
  v.string(),
  v.regex(
    /^[!-~]([ -~]*[!-~])?$/,
    "must be printable ASCII without spaces at its ends; encode other characters, e.g. filename*=UTF-8''caf%C3%A9.txt",
  ),
);

const base64Of = (bytes: number, what: string) =>
  v.pipe(
    v.string(),
    v.check((text) => isBase64Of(text, bytes), `must be ${what}: canonical base64 of ${bytes} bytes`),
  );

function isBase64Of(text: string, bytes: number): boolean {
  const raw = Buffer.from(text, "base64");
  return raw.length === bytes && raw.toString("base64") === text;
}

export const wholeNumber = (least: number, most: number) =>
  v.pipe(
    v.number(),
    faultless((number) => {
      if (!Number.isInteger(number)) return "must be a whole number";
      if (number < least) return `must be at least ${least}`;
      return number > most ? `must be at most ${most}` : undefined;
    }),
  );

/** What valibot would leave out of a record without a word. */
const UNSAFE_NAMES = ["__proto__", "constructor", "prototype"];

const hasSafeNames = faultless((entries: unknown) => {
  const isObject = typeof entries === "object" && entries !== null;
  const unsafe = isObject && UNSAFE_NAMES.find((name) => Object.hasOwn(entries, name));
  return unsafe ? `must not have an entry of the name ${unsafe}` : undefined;
});

const metadata = v.pipe(
  v.unknown(),
  hasSafeNames,
  v.record(v.pipe(v.string(), v.regex(/^[\w!#$%&'*+.^`|~-]+$/, "is not a header name")), headerValue),
  v.check(
    (entries) =>
      new Set(Object.keys(entries).map((name) => name.toLowerCase())).size === Object.keys(entries).length,
    "must not name an entry twice: case does not count in header names",
  ),
  v.check(
    (entries) => Object.entries(entries).flat().join("").length <= MAX_METADATA_BYTES,
    `must be at most ${MAX_METADATA_BYTES} bytes, names and values together`,
  ),
);

const tags = v.pipe(
  v.unknown(),
  hasSafeNames,
  v.union([v.string(), v.record(v.string(), v.string())], "must be tags: an object of strings, or a=1&b=2"),
  v.transform((given) =>
    typeof given === "string"
      ? given
      : Object.entries(given)
          .map(([name, value]) => `${encodeRfc3986(name)}=${encodeRfc3986(value)}`)
          .join("&"),
  ),
  headerValue,
);

/** `response-content-type` and its kin: what the store answers instead of what it keeps. */
const responseOverrides = v.strictObject({
  contentType: v.optional(headerValue),
  contentDisposition: v.optional(headerValue),
  contentEncoding: v.optional(headerValue),
  contentLanguage: v.optional(headerValue),
  cacheControl: v.optional(headerValue),
  expires: v.optional(headerValue),
});

const uploadId = v.pipe(v.string(), v.regex(/^[!-~]{1,1024}$/, "must be the uploadId that the store gave"));
const versionId = v.pipe(v.string(), v.regex(/^[!-~]{1,1024}$/, "must be a version id that the store gave"));
const keyId = v.pipe(v.string(), v.nonEmpty("must not be empty"));

const copySource = v.strictObject({
  bucket: v.string(),
  key: objectKey,
  versionId: v.optional(versionId),
  keyId: v.optional(keyId),
});

const kebab = (name: string) => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);

/** A field that is one header, sent as it stands. */
const header = <T extends string | number>(name: string, schema: v.GenericSchema<unknown, T>): Field<T> => ({
  schema,
  send: (value, { headers }) => {
    headers[name] = String(value);
  },
});

/** A field that is one query parameter. */
const parameter = <T extends string | number>(
  name: string,
  schema: v.GenericSchema<unknown, T>,
): Field<T> => ({
  schema,
  send: (value, { query }) => {
    query[name] = String(value);
  },
});

const field = <T>(schema: v.GenericSchema<unknown, T>, send?: Field<T>["send"]): Field<T> => ({
  schema,
  ...(send && { send }),
});

export const FIELDS = {
  // the object
  versionId: parameter("versionId", versionId),
  contentType: header("content-type", headerValue),
  contentLength: header("content-length", wholeNumber(0, MAX_PUT_BYTES)),
  contentMD5: header("content-md5", base64Of(16, "the MD5 of the body")),
  checksumSHA256: header("x-amz-checksum-sha256", base64Of(32, "the SHA-256 of the body")),
  cacheControl: header("cache-control", headerValue),
  contentDisposition: header("content-disposition", headerValue),
  contentEncoding: header("content-encoding", headerValue),
  contentLanguage: header("content-language", headerValue),
  metadata: field(metadata, (entries, { headers }) => {
    for (const [name, value] of Object.entries(entries)) headers[`x-amz-meta-${name.toLowerCase()}`] = value;
  }),
  tagging: header("x-amz-tagging", tags),
  storageClass: header(
    "x-amz-storage-class",
    v.pipe(v.string(), v.regex(/^[A-Z0-9_]+$/, "must be a storage class")),
  ),
  ifNoneMatch: header("if-none-match", v.literal("*")),
  ifMatch: header("if-match", headerValue),
  // the answer
  response: field(responseOverrides, (overrides, { query }) => {
    for (const [name, value] of Object.entries(overrides))
      if (value) query[`response-${kebab(name)}`] = value;
  }),
  // a multipart upload
  uploadId: parameter("uploadId", uploadId),
  partNumber: parameter("partNumber", wholeNumber(1, MAX_PARTS)),
  // a copy; where its source lies in the store is known only once the source's bucket is
  source: field(copySource),
  sourceRange: header(
    "x-amz-copy-source-range",
    v.pipe(v.string(), v.regex(/^bytes=\d+-\d+$/, 'must be "bytes=FIRST-LAST", both included')),
  ),
  ifSourceMatch: header("x-amz-copy-source-if-match", headerValue),
  metadataDirective: header("x-amz-metadata-directive", v.picklist(["COPY", "REPLACE"])),
  // a browser form
  minBytes: field(wholeNumber(0, MAX_PUT_BYTES)),
  maxBytes: field(wholeNumber(0, MAX_PUT_BYTES)),
  successActionStatus: header("success_action_status", v.picklist([200, 201, 204])),
};

export type FieldName = keyof typeof FIELDS;

export type FieldValues = {
  readonly [Name in FieldName]?: (typeof FIELDS)[Name] extends Field<infer T> ? T : never;
};

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
  const field = FIELDS[name] as unknown as Field<typeof value> | undefined;
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
