/**
 * A customer key: 32 random bytes, written as base64. The store keeps only the MD5 of the raw bytes, so a key
 * that is malformed, or encoded twice on its way, locks the object for good. Hence nothing is mended here:
 * what is not exactly right is refused, with the reason.
 */
import { fromBase64, toBase64 } from "../hash/base64.ts";
import { md5 } from "../hash/md5.ts";

/** Bytes in an SSE-C key (AES-256). */
export const KEY_BYTES = 32;

/** A key that may go into SSE-C headers. */
export interface CustomerKey {
  /** The id under which the operator configured it. */
  readonly id: string;
  /** The 32 bytes as canonical base64: the value of `…-customer-key`. */
  readonly base64: string;
  /** base64 of the MD5 of the raw 32 bytes: the value of `…-customer-key-MD5`. */
  readonly md5: string;
}

/** Why a key cannot be used. The message is for the operator; it never holds any part of the key. */
export class CustomerKeyError extends Error {
  override name = "CustomerKeyError";
}

/**
 * The 32 raw bytes of a customer key.
 *
 * @param secret the configured value: canonical base64 (RFC 4648, section 4) of exactly 32 bytes
 * @throws {CustomerKeyError} saying what is wrong with the value and how to mend it
 */
export function decodeCustomerKey(secret: string): Uint8Array {
  if (secret === "") throw new CustomerKeyError("is empty");
  if (/[\r\n]$/.test(secret)) {
    throw new CustomerKeyError("ends in a newline: bind it without, as `printf %s` does and `echo` does not");
  }
  if (/\s/.test(secret)) throw new CustomerKeyError("contains white space");
  if (/^[0-9a-f]{64}$/i.test(secret))
    throw new CustomerKeyError("is hexadecimal: write the 32 bytes as base64");
  if (/^[\w-]+={0,2}$/.test(secret) && /[_-]/.test(secret)) {
    throw new CustomerKeyError("is base64url: write it in the standard alphabet, with + and /");
  }
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(secret)) throw new CustomerKeyError("is not base64");
  if (secret.length % 4 !== 0)
    throw new CustomerKeyError("lacks its padding: 32 bytes in base64 end in one =");

  const raw = fromBase64(secret);
  if (raw.length !== KEY_BYTES)
    throw new CustomerKeyError(`is ${raw.length} bytes long: it must be ${KEY_BYTES}`);
  if (toBase64(raw) !== secret) {
    throw new CustomerKeyError("is not canonical base64: its last digit carries bits that belong to no byte");
  }
  return raw;
}

/**
 * The customer key made of 32 raw bytes.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
 */
export function customerKey(id: string, raw: Uint8Array): CustomerKey {
  return { id, base64: toBase64(raw), md5: toBase64(md5(raw)) };
}
