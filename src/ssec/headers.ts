/**
 * The header triples of SSE-C, the only place where their names are written.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
import type { CustomerKey } from "./customer-key.ts";

const OBJECT = "x-amz-server-side-encryption-customer-";
const COPY_SOURCE = "x-amz-copy-source-server-side-encryption-customer-";

/** The store echoes it when, and only when, it encrypted under a customer key. */
export const ALGORITHM_HEADER = `${OBJECT}algorithm`;
export const KEY_HEADER = `${OBJECT}key`;
export const KEY_MD5_HEADER = `${OBJECT}key-MD5`;

/** What makes the store encrypt or decrypt an object under `key`. */
export function customerKeyHeaders(key: CustomerKey): Record<string, string> {
  return triple(OBJECT, key);
}

/** What makes the store decrypt the source of a copy under `key`. */
export function copySourceKeyHeaders(key: CustomerKey): Record<string, string> {
  return triple(COPY_SOURCE, key);
}

function triple(prefix: string, key: CustomerKey): Record<string, string> {
  return { [`${prefix}algorithm`]: "AES256", [`${prefix}key`]: key.base64, [`${prefix}key-MD5`]: key.md5 };
}
