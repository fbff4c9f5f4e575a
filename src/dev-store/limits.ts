/**
 * S3's limits, as this store holds its clients to them.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
 */
import { S3Error } from "./errors.ts";

/** The most that one PUT, form or copy may carry: 5 GiB. */
export const MAX_PUT_BYTES = 5 * 2 ** 30;
/** The most that an object may have: 5 TiB. */
export const MAX_OBJECT_BYTES = 5 * 2 ** 40;
/** The least that any part but the last may have: 5 MiB. */
export const MIN_PART_BYTES = 5 * 2 ** 20;
export const MAX_PARTS = 10_000;
/** Bytes of UTF-8. */
const MAX_KEY_BYTES = 1024;

/** @throws {S3Error} KeyTooLongError */
export function checkKey(key: string): void {
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw new S3Error("KeyTooLongError", "Your key is too long.");
}
