/** What the headers of a write, or the fields of a form, make of an object: all that is kept beside its bytes. */
import type { Store } from "./call.ts";
import { S3Error } from "./errors.ts";
import { lockOf } from "./locks.ts";
import type { Lock } from "./rows.ts";
import { type Named, type SseKey, sseKeyOf } from "./ssec.ts";
import { type Tags, tagsInHeader } from "./tags.ts";

export interface Attributes {
  readonly sse: SseKey | undefined;
  /** As GET answers them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly tags: Tags;
  readonly lock: Lock;
}

/** Headers that are kept with an object and given back. */
export const CONTENT_HEADERS = [
  "content-type",
  "content-encoding",
  "content-language",
  "content-disposition",
  "cache-control",
  "expires",
];
const MAX_METADATA_BYTES = 2048;

const STORAGE_CLASSES = new Set([
  "STANDARD",
  "REDUCED_REDUNDANCY",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER",
  "DEEP_ARCHIVE",
  "GLACIER_IR",
]);
const ARCHIVED = new Set(["GLACIER", "DEEP_ARCHIVE"]);

/** @throws {S3Error} for whatever S3 would not take */
export function attributesOf(named: Named, store: Store, bucket: string): Attributes {
  checkAcl(named);
  const sse = sseKeyOf(named);
  const tagging = named["x-amz-tagging"]?.toString();
  return {
    sse,
    headers: { ...contentOf(named), ...placementOf(named, sse) },
    tags: tagging === undefined ? [] : tagsInHeader(tagging),
    lock: lockOf(named, store, bucket),
  };
}

/** Content headers and metadata: what a copy takes along. */
export function contentOf(named: Named): Record<string, string> {
  const kept: Record<string, string> = { "content-type": "binary/octet-stream" };
  let metadata = 0;
  for (const [name, given] of Object.entries(named)) {
    const isMetadata = name.startsWith("x-amz-meta-");
    if (given === undefined || (!isMetadata && !CONTENT_HEADERS.includes(name))) continue;
    const value = String(given);
    if (isMetadata) metadata += name.length - "x-amz-meta-".length + value.length;
    kept[name] = value;
  }
  if (metadata > MAX_METADATA_BYTES) {
    throw new S3Error("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size", {
      Size: String(metadata),
      MaxSizeAllowed: String(MAX_METADATA_BYTES),
    });
  }
  // aws-chunked is how a body came, not what it is.
  const encodings = (kept["content-encoding"] ?? "").split(",").map((one) => one.trim());
  const encoding = encodings.filter((one) => one !== "" && one.toLowerCase() !== "aws-chunked").join(",");
  if (encoding === "") delete kept["content-encoding"];
  else kept["content-encoding"] = encoding;
  if (kept["content-type"] === "") kept["content-type"] = "binary/octet-stream";
  return kept;
}

/** The headers of an object that do not go along with a copy. */
export function isContent(name: string): boolean {
  return CONTENT_HEADERS.includes(name) || name.startsWith("x-amz-meta-");
}

/** Storage class, redirect and encryption by the store: what a copy does not take along. */
export function placementOf(named: Named, sse: SseKey | undefined): Record<string, string> {
  const kept: Record<string, string> = {};
  const storageClass = named["x-amz-storage-class"]?.toString() ?? "STANDARD";
  if (!STORAGE_CLASSES.has(storageClass))
    throw new S3Error("InvalidStorageClass", "The storage class you specified is not valid");
  if (storageClass !== "STANDARD") kept["x-amz-storage-class"] = storageClass;

  const redirect = named["x-amz-website-redirect-location"]?.toString();
  if (redirect !== undefined && (!/^(\/|https?:\/\/)/.test(redirect) || redirect.length > 2048)) {
    throw new S3Error(
      "InvalidRedirectLocation",
      "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
    );
  }
  if (redirect !== undefined) kept["x-amz-website-redirect-location"] = redirect;
  if (managedEncryption(named, sse)) kept["x-amz-server-side-encryption"] = "AES256";
  return kept;
}

const SSE = "x-amz-server-side-encryption";
const KMS = ["aws-kms-key-id", "context", "bucket-key-enabled"].map((name) => `${SSE}-${name}`);

/** Whether SSE-S3 is asked for. @throws {S3Error} InvalidArgument beside SSE-C; NotImplemented for KMS, which is not here */
function managedEncryption(named: Named, sse: SseKey | undefined): boolean {
  const method = named[SSE]?.toString();
  const isKms = method === "aws:kms" || method === "aws:kms:dsse";
  if (sse !== undefined && (method !== undefined || KMS.some((name) => named[name] !== undefined))) {
    throw new S3Error(
      "InvalidArgument",
      "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
      { ArgumentName: SSE, ArgumentValue: method ?? "null" },
    );
  }
  if (method !== undefined && method !== "AES256" && !isKms) {
    throw new S3Error("InvalidArgument", "The encryption method specified is not supported", {
      ArgumentName: SSE,
      ArgumentValue: method,
    });
  }
  if (!isKms && KMS.slice(0, 2).some((name) => named[name] !== undefined)) {
    throw new S3Error(
      "InvalidArgument",
      `Server Side Encryption with AWS KMS managed key requires HTTP header ${SSE} : aws:kms`,
    );
  }
  if (isKms) throw new S3Error("NotImplemented", "The development store has no KMS: use SSE-C or AES256.");
  return method === "AES256";
}

/** @throws {S3Error} InvalidObjectState for what would have to be restored first */
export function checkReadable(headers: Readonly<Record<string, string>>): void {
  const storageClass = headers["x-amz-storage-class"] ?? "STANDARD";
  if (!ARCHIVED.has(storageClass)) return;
  throw new S3Error("InvalidObjectState", "The operation is not valid for the object's storage class", {
    StorageClass: storageClass,
  });
}

const CANNED = new Set([
  "private",
  "public-read",
  "public-read-write",
  "authenticated-read",
  "aws-exec-read",
  "bucket-owner-read",
  "bucket-owner-full-control",
]);

/**
 * ACLs are off, as in AWS's new buckets, but for those that give nobody anything: older clients send `private` always.
 *
 * @throws {S3Error}
 */
export function checkAcl(named: Named): void {
  const acl = (named["x-amz-acl"] ?? named.acl)?.toString();
  const grant = Object.keys(named).find((name) => name.startsWith("x-amz-grant-"));
  if (acl !== undefined && !CANNED.has(acl))
    throw new S3Error("InvalidArgument", "", { ArgumentName: "x-amz-acl", ArgumentValue: acl });
  if (acl !== undefined && grant !== undefined)
    throw new S3Error("InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed");
  if (grant !== undefined || !["private", "bucket-owner-full-control", undefined].includes(acl))
    throw new S3Error("AccessControlListNotSupported", "The bucket does not allow ACLs");
}
