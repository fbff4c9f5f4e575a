/** GetBucketVersioning and PutBucketVersioning. */
import { documentOf } from "./body.ts";
import { answer, type Call } from "./call.ts";
import { S3Error } from "./errors.ts";
import { bucketLock } from "./locks.ts";
import { versioningOf } from "./versions.ts";
import { malformed, parseXml, text, xml } from "./xml.ts";

export async function getBucketVersioning(call: Call): Promise<void> {
  const status = versioningOf(call.store, call.bucket);
  answer(call, 200, {}, xml("VersioningConfiguration", { ...(status && { Status: status }) }));
}

export async function putBucketVersioning(call: Call): Promise<void> {
  const document = parseXml(await documentOf(call), "VersioningConfiguration");
  const status = text(document, "Status");
  if (status !== "Enabled" && status !== "Suspended") throw malformed("Status must be Enabled or Suspended.");
  if ((text(document, "MfaDelete") ?? "Disabled") !== "Disabled")
    throw new S3Error("NotImplemented", "MFA Delete is not implemented by the development store.");
  if (status === "Suspended" && bucketLock(call.store, call.bucket) !== undefined) {
    throw new S3Error(
      "InvalidBucketState",
      "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
    );
  }
  call.store.database.setSetting(call.bucket, "versioning", status);
  answer(call, 200);
}
