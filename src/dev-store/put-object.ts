/** PutObject. */
import { attributesOf } from "./attributes.ts";
import { bodyOf, claimsChecksum } from "./body.ts";
import { answer, type Call, header } from "./call.ts";
import { checkWrite, writeConditions } from "./conditions.ts";
import { copyObject } from "./copy-object.ts";
import { S3Error } from "./errors.ts";
import { asksForLock } from "./locks.ts";
import type { ObjectRow } from "./rows.ts";
import { storeObject, writtenHeaders } from "./write.ts";

export async function putObject(call: Call): Promise<void> {
  if (header(call, "x-amz-copy-source") !== undefined) return copyObject(call);
  const { store, bucket, key, headers } = call;
  refuseAppend(call);
  const attributes = attributesOf(headers, store, bucket);
  requireLockDigest(call);
  const conditions = writeConditions(headers);
  const mayReplace = (there: ObjectRow | undefined) => checkWrite(conditions, there);
  mayReplace(store.database.object(bucket, key));
  const row = await storeObject(call, bodyOf(call), attributes, mayReplace);
  answer(call, 200, writtenHeaders(call, row));
}

/** A body that will be locked must not have been damaged on its way. */
export function requireLockDigest(call: Call): void {
  if (!asksForLock(call.headers) || header(call, "content-md5") !== undefined) return;
  if (claimsChecksum(call) !== undefined) return;
  throw new S3Error(
    "InvalidRequest",
    "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters",
  );
}

/** What only directory buckets do. */
function refuseAppend(call: Call): void {
  const name = "x-amz-write-offset-bytes";
  if (header(call, name) === undefined) return;
  throw new S3Error("NotImplemented", "A header you provided implies functionality that is not implemented", {
    Header: name,
  });
}
