/**
 * SSE-C as S3 enforces it: the triple is all or nothing, the key is checked against its MD5, and an object opens only
 * to the key that it was written under. Keys are used and forgotten; only their MD5 is kept.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
 */
import { createHash } from "node:crypto";
import { S3Error } from "./errors.ts";

export interface SseKey {
  readonly raw: Buffer;
  readonly md5: string;
}

/** Headers of a request, or fields of a form, by lower-case name. */
export type Named = Readonly<Record<string, string | string[] | undefined>>;

const OBJECT = "x-amz-server-side-encryption-customer-";
const COPY_SOURCE = "x-amz-copy-source-server-side-encryption-customer-";

export const sseKeyOf = (named: Named): SseKey | undefined => triple(named, OBJECT);
export const copySourceSseKeyOf = (named: Named): SseKey | undefined => triple(named, COPY_SOURCE);

/** What an answer about an encrypted object carries. */
export function sseEcho(md5: string | null | undefined): Record<string, string> {
  return md5 ? { [`${OBJECT}algorithm`]: "AES256", [`${OBJECT}key-MD5`]: md5 } : {};
}

/** @throws {S3Error} when any SSE-C parameter comes by a way on which S3 would not use it */
export function refuseSse(named: Named, where: string): void {
  const stray = Object.keys(named).find((name) => {
    const lower = name.toLowerCase();
    return lower.startsWith(OBJECT) || lower.startsWith(COPY_SOURCE);
  });
  if (stray !== undefined) throw new S3Error("InvalidArgument", `SSE-C parameters are not taken ${where}.`);
}

/** @throws {S3Error} unless `key` opens what lies under the key of this MD5 (null: in the clear) */
export function checkOpens(keyMd5: string | null, key: SseKey | undefined): void {
  if (keyMd5 === null && key !== undefined) {
    throw new S3Error("InvalidRequest", "The encryption parameters are not applicable to this object.");
  }
  if (keyMd5 !== null && key === undefined) {
    throw new S3Error(
      "InvalidRequest",
      "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.",
    );
  }
  if (keyMd5 !== null && key?.md5 !== keyMd5) throw new S3Error("AccessDenied", "Access Denied");
}

function triple(named: Named, prefix: string): SseKey | undefined {
  const [algorithm, key, md5] = ["algorithm", "key", "key-md5"].map((name) => named[prefix + name]);
  if (algorithm === undefined && key === undefined && md5 === undefined) return undefined;
  if (typeof algorithm !== "string" || typeof key !== "string" || typeof md5 !== "string") {
    throw new S3Error(
      "InvalidArgument",
      "Requests specifying Server Side Encryption with Customer provided keys must provide the algorithm, the key and its MD5.",
    );
  }
  if (algorithm !== "AES256") {
    throw new S3Error(
      "InvalidEncryptionAlgorithmError",
      "The encryption request you specified is not valid: AES256 is.",
    );
  }
  const raw = Buffer.from(key, "base64");
  if (raw.length !== 32 || raw.toString("base64") !== key) {
    throw new S3Error("InvalidArgument", "The secret key was invalid for the specified algorithm.");
  }
  if (createHash("md5").update(raw).digest("base64") !== md5) {
    throw new S3Error(
      "InvalidArgument",
      "The calculated MD5 hash of the key did not match the hash that was provided.",
    );
  }
  return { raw, md5 };
}

/** @throws {S3Error} when a read names the encryption of a write: the store's own needs nothing to be read */
export function refuseManaged(named: Named): void {
  const name = "x-amz-server-side-encryption";
  if (named[name] === undefined) return;
  throw new S3Error("InvalidArgument", `${name} header is not supported for this operation.`, {
    ArgumentName: name,
    ArgumentValue: String(named[name]),
  });
}
