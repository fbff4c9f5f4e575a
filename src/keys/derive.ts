/**
 * One key per object, derived from a root. The formula is public and will not change: with the root, any
 * HKDF implementation recovers the data without us.
 */
import { HmacKey } from "../hash/hmac.ts";
import { bytesOf, Message } from "../hash/message.ts";

// Nothing here waits, so that one serves all.
const info = new Message();
const extracted = new WeakMap<Uint8Array, HmacKey>();

/**
 * HKDF-SHA256 (RFC 5869) of the root, salt empty, info = UTF-8 of `ssec-edge/v1\n` + the bucket's name in the
 * store + `\n` + the object key.
 *
 * @param root 32 bytes, which must stay as they are: what follows from them alone is remembered
 * @param storeBucket the bucket's name in the store, not the one that callers use
 * @returns the object's 32-byte key
 */
export function deriveObjectKey(root: Uint8Array, storeBucket: string, objectKey: string): Uint8Array {
  const prk = extracted.get(root) ?? extract(root);
  extracted.set(root, prk);
  // Its 32 bytes are HKDF's first block, T(1): RFC 5869, section 2.3.
  info.restart().add("ssec-edge/v1\n").add(storeBucket).add("\n").add(objectKey).add("\x01");
  return bytesOf(prk.sign(info));
}

/** RFC 5869, section 2.2: an empty salt is as many zeros as the hash is long, and to HMAC as good as none. */
function extract(root: Uint8Array): HmacKey {
  return HmacKey.of(new Message().addWords(HmacKey.of(new Message()).sign(Message.of(root))));
}
