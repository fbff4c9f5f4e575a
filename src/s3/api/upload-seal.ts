/** The seals of upload ids, and the markers that go with them: few requests are of uploads, so that these alone load it. */
import type { CustomerKey } from "../../keys/customer-key.ts";
import { isSealed, SEAL_BYTES, SEALED } from "./upload-id.ts";

const { createHmac, randomBytes, timingSafeEqual } = process.getBuiltinModule("node:crypto");

/** What an upload makes, and under which key. */
export interface UploadObject {
  /** The bucket's name in the store. */
  readonly storeBucket: string;
  readonly key: string;
  /** The object's own, where keys are derived. */
  readonly customerKey: CustomerKey;
}

/** A nonce for an upload that is about to begin. */
export function newNonce(): string {
  return randomBytes(SEAL_BYTES).toString("base64url");
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
    .subarray(0, SEAL_BYTES)
    .toString("base64url");
}
