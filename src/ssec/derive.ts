/**
 * One key per object, derived from a root. The formula is public and will not change: with the root, any
 * HKDF implementation recovers the data without us.
 */
import { hkdfSync } from "node:crypto";
import { KEY_BYTES } from "./customer-key.ts";

/**
 * HKDF-SHA256 (RFC 5869) of the root, salt empty, info = UTF-8 of `ssec-edge/v1\n` + the bucket's name in the
 * store + `\n` + the object key.
 *
 * @param root 32 bytes
 * @param storeBucket the bucket's name in the store, not the one that callers use
 * @returns the object's 32-byte key
 */
export function deriveObjectKey(root: Uint8Array, storeBucket: string, objectKey: string): Uint8Array {
  const info = `ssec-edge/v1\n${storeBucket}\n${objectKey}`;
  return new Uint8Array(hkdfSync("sha256", root, new Uint8Array(), info, KEY_BYTES));
}
