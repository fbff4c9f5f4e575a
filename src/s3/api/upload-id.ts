/**
 * The ids of multipart uploads, as the service gives them out: the store's own, and behind it a seal. The seal shows that
 * the service itself began this upload of this object under this key, which no store tells of an upload; and its nonce
 * makes the marker that lies with the object, so that an object can be told from what another upload has made. Ids without
 * a seal, of uploads that were begun by a presigned request or that the store has listed, are good as well; they show nothing.
 */

/** The entry of the object's metadata that holds the marker; it is the service's own. */
export const MARKER_NAME = "ssec-upload";
export const MARKER_HEADER = `x-amz-meta-${MARKER_NAME}`;

/** Of the nonce, the seal and the marker: as many bits as any of them needs. */
export const SEAL_BYTES = 16;
/** 16 bytes in base64url. */
const DIGITS = 22;
/** What the marker takes of the room for metadata, bytes. */
export const MARKER_BYTES = MARKER_NAME.length + DIGITS;

/** `STORE_ID.ssec1NONCE.MAC`; 0 in place of 1 where there was no room for a marker. */
export const SEALED = new RegExp(`^(.+)\\.ssec([01])([\\w-]{${DIGITS}})\\.([\\w-]{${DIGITS}})$`, "s");

/** `STORE_ID.ssec2`, of an upload that the store has told of: it shows no key, so that the service looks for it. */
const LISTED = /^(.+)\.ssec2$/s;

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
