/**
 * The header triples of SSE-C, the only place where their names are written.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
import type { CustomerKey } from "./customer-key.ts";

/** What of a customer key is sent. */
export type KeyPair = Pick<CustomerKey, "base64" | "md5">;

/** The store echoes it when, and only when, it encrypted under a customer key. */
export const ALGORITHM_HEADER = "x-amz-server-side-encryption-customer-algorithm";
export const KEY_HEADER = "x-amz-server-side-encryption-customer-key";
export const KEY_MD5_HEADER = "x-amz-server-side-encryption-customer-key-MD5";

type Triple = Record<typeof ALGORITHM_HEADER | typeof KEY_HEADER | typeof KEY_MD5_HEADER, string>;

/** What makes the store encrypt or decrypt an object under `key`. */
export function customerKeyHeaders({ base64, md5 }: KeyPair): Record<string, string> {
  // Names that are computed, even of constants, cost far more than names that are written.
  return {
    "x-amz-server-side-encryption-customer-algorithm": "AES256",
    "x-amz-server-side-encryption-customer-key": base64,
    "x-amz-server-side-encryption-customer-key-MD5": md5,
  } satisfies Triple;
}

/** What makes the store decrypt the source of a copy under `key`. */
export function copySourceKeyHeaders({ base64, md5 }: KeyPair): Record<string, string> {
  return {
    "x-amz-copy-source-server-side-encryption-customer-algorithm": "AES256",
    "x-amz-copy-source-server-side-encryption-customer-key": base64,
    "x-amz-copy-source-server-side-encryption-customer-key-MD5": md5,
  };
}
