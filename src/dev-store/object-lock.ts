/** The operations of object lock: a bucket's configuration, a version's retention and legal hold. */
import { documentOf, requireDigest } from "./body.ts";
import { answer, type Call, header } from "./call.ts";
import { S3Error } from "./errors.ts";
import { authorize } from "./evaluate.ts";
import { bucketLock, bucketLockIn, checkRetention, future, modeNamed, requireLock } from "./locks.ts";
import type { Lock, ObjectRow, Retention } from "./rows.ts";
import { objectOf, versionIdOf, versioningOf } from "./versions.ts";
import { allElements, malformed, parseXml, text, xml } from "./xml.ts";

export async function getObjectLockConfiguration(call: Call): Promise<void> {
  const lock = bucketLock(call.store, call.bucket);
  if (lock === undefined) {
    throw new S3Error(
      "ObjectLockConfigurationNotFoundError",
      "Object Lock configuration does not exist for this bucket",
    );
  }
  const { mode, days, years } = lock;
  const retention = mode && { Mode: mode, ...(days ? { Days: days } : { Years: years }) };
  const content = {
    ObjectLockEnabled: "Enabled",
    ...(retention && { Rule: { DefaultRetention: retention } }),
  };
  answer(call, 200, {}, xml("ObjectLockConfiguration", content));
}

export async function putObjectLockConfiguration(call: Call): Promise<void> {
  requireDigest(call);
  const { store, bucket } = call;
  const document = parseXml(await documentOf(call), "ObjectLockConfiguration");
  if (text(document, "ObjectLockEnabled") !== "Enabled")
    throw malformed("ObjectLockEnabled must be Enabled.");
  const [rule] = allElements(document, "Rule");
  const [retention] = rule === undefined ? [] : allElements(rule, "DefaultRetention");
  if (rule !== undefined && retention === undefined) throw malformed("a Rule has a DefaultRetention.");
  if (versioningOf(store, bucket) !== "Enabled") {
    throw new S3Error(
      "InvalidBucketState",
      "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
    );
  }
  store.database.setSetting(bucket, "lock", JSON.stringify(bucketLockIn(retention)));
  answer(call, 200);
}

export async function getObjectRetention(call: Call): Promise<void> {
  const { retention } = lockedOf(call).lock;
  if (retention === undefined) throw notThere();
  const content = { Mode: retention.mode, RetainUntilDate: new Date(retention.until).toISOString() };
  answer(call, 200, {}, xml("Retention", content));
}

export async function putObjectRetention(call: Call): Promise<void> {
  requireDigest(call);
  const { store, bucket, key, headers } = call;
  const now = store.verifier.now();
  const document = parseXml(await documentOf(call), "Retention");
  const [mode, date] = [text(document, "Mode"), text(document, "RetainUntilDate")];
  if ((mode === undefined) !== (date === undefined))
    throw malformed("there must be a Mode and a RetainUntilDate.");
  const next: Retention | undefined =
    mode === undefined || date === undefined
      ? undefined
      : {
          mode: modeNamed(mode, malformed("Mode must be GOVERNANCE or COMPLIANCE.")),
          until: future(date, now),
        };
  const bypasses = header(call, "x-amz-bypass-governance-retention")?.toLowerCase() === "true";
  if (bypasses) authorize(store, { action: "s3:BypassGovernanceRetention", bucket, key, named: headers });
  const row = lockedOf(call);
  checkRetention(row.lock.retention, next, now, bypasses);
  const { retention: _, ...others } = row.lock;
  update(call, row, next === undefined ? others : { ...others, retention: next });
}

export async function getObjectLegalHold(call: Call): Promise<void> {
  const { hold } = lockedOf(call).lock;
  if (hold === undefined) throw notThere();
  answer(call, 200, {}, xml("LegalHold", { Status: hold }));
}

export async function putObjectLegalHold(call: Call): Promise<void> {
  requireDigest(call);
  const hold = text(parseXml(await documentOf(call), "LegalHold"), "Status");
  if (hold !== "ON" && hold !== "OFF") throw malformed("Status must be ON or OFF.");
  const row = lockedOf(call);
  update(call, row, { ...row.lock, hold });
}

function lockedOf(call: Call): ObjectRow {
  requireLock(call.store, call.bucket);
  return objectOf(call, versionIdOf(call));
}

function update(call: Call, row: ObjectRow, lock: Lock): void {
  call.store.database.updateVersion(call.bucket, { ...row, lock });
  answer(call, 200);
}

function notThere(): S3Error {
  return new S3Error(
    "NoSuchObjectLockConfiguration",
    "The specified object does not have a ObjectLock configuration",
  );
}
