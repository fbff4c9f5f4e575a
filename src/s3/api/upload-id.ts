/**
 * The ids of multipart uploads, as the service gives them out: the store's own, and behind it a seal. The seal shows that
 * the service itself began this upload of this object under this key, which no store tells of an upload; and its nonce
 * makes the marker that lies with the object, so that an object can be told from what another upload has made. Ids without
 * a seal, of uploads that were begun by a presigned request or that the store has listed, are good as well; they show nothing.
 */
import { Buffer } from "node:buffer";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { CustomerKey } from "../../keys/customer-key.ts";

/** The entry of the object's metadata that holds the marker; it is the service's own. */
export const MARKER_NAME = "ssec-upload";
export const MARKER_HEADER = `x-amz-meta-${MARKER_NAME}`;

/** Of the nonce, the seal and the marker: as many bits as any of them needs. */
const BYTES = 16;
/** 16 bytes in base64url. */
const DIGITS = 22;
/** What the marker takes of the room for metadata, bytes. */
export const MARKER_BYTES = MARKER_NAME.length + DIGITS;

/** `STORE_ID.ssec1NONCE.MAC`; 0 in place of 1 where there was no room for a marker. */
const SEALED = new RegExp(`^(.+)\\.ssec([01])([\\w-]{${DIGITS}})\\.([\\w-]{${DIGITS}})$`, "s");

/** `STORE_ID.ssec2`, of an upload that the store has told of: it shows no key, so that the service looks for it. */
const LISTED = /^(.+)\.ssec2$/s;

/** What an upload makes, and under which key. */
export interface UploadObject {
  /** The bucket's name in the store. */
  readonly storeBucket: string;
  readonly key: string;
  /** The object's own, where keys are derived. */
  readonly customerKey: CustomerKey;
}

/** The store's id for the upload, of whatever the service has given out for it. */
export function storeUploadId(uploadId: string): string {
  return (SEALED.exec(uploadId) ?? LISTED.exec(uploadId))?.[1] ?? uploadId;
}

/** The id of an upload that a list of the store's has. */
export function listedUploadId(storeId: string): string {
  return `${storeId}.ssec2`;
}

export function isListed(uploadId: string): boolean {
  return LISTED.test(uploadId);
}

/** Whether the id has a seal, be it genuine or not. */
export function isSealed(uploadId: string): boolean {
  return SEALED.test(uploadId);
}

/** A nonce for an upload that is about to begin. */
export function newNonce(): string {
  return randomBytes(BYTES).toString("base64url");
}

/** @param isMarked whether the object will have the marker */
export function seal(storeId: string, nonce: string, isMarked: boolean, object: UploadObject): string {
  const head = `${storeId}.ssec${isMarked ? 1 : 0}${nonce}`;
  return `${head}.${macOf("upload id", head, object)}`;
}

/** Whether the service itself gave this id out, for this object under this key. */
export function isGenuine(uploadId: string, object: UploadObject): boolean {
  const end = uploadId.lastIndexOf(".");
  if (!isSealed(uploadId)) return false;
  const given = Buffer.from(uploadId.slice(end + 1));
  return timingSafeEqual(given, Buffer.from(macOf("upload id", uploadId.slice(0, end), object)));
}

/** What the metadata of the upload's object holds; undefined where the upload was begun without a marker. */
export function markerOf(uploadId: string, object: UploadObject): string | undefined {
  const [, , isMarked, nonce] = SEALED.exec(uploadId) ?? [];
  return isMarked === "1" && nonce !== undefined ? markerFor(nonce, object) : undefined;
}

/** A copy of the object elsewhere has another's marker, and so shows nothing. */
export function markerFor(nonce: string, object: UploadObject): string {
  return macOf("marker", nonce, object);
}

/** By a key that follows from the customer key and is good for nothing else. */
function macOf(purpose: string, text: string, { storeBucket, key, customerKey }: UploadObject): string {
  const raw = Buffer.from(customerKey.base64, "base64");
  const own = createHmac("sha256", raw).update("ssec-edge/v1/multipart uploads").digest();
  return createHmac("sha256", own)
    .update(JSON.stringify([purpose, storeBucket, key, customerKey.id, text]))
    .digest()
    .subarray(0, BYTES)
    .toString("base64url");
}
