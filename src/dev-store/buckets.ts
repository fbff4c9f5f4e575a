/** Buckets, and the settings that are kept with them. */
import { checkAcl } from "./attributes.ts";
import { documentOf, requireDigest } from "./body.ts";
import { answer, type Call, header, limitOf } from "./call.ts";
import { parseCors } from "./cors.ts";
import { compareKeys } from "./database.ts";
import { S3Error } from "./errors.ts";
import { OWNER } from "./owner.ts";
import { parsePolicy } from "./policy.ts";
import { versioningOf } from "./versions.ts";
import { parseXml, text, xml } from "./xml.ts";

const MAX_BUCKETS = 10_000;

export async function listBuckets(call: Call): Promise<void> {
  const { prefix = "", "continuation-token": token } = call.query;
  const limit = limitOf(call, "max-buckets", MAX_BUCKETS);
  const after = token === undefined ? "" : Buffer.from(token, "base64url").toString("utf8");
  const rest = call.store.database
    .buckets()
    .filter(({ name }) => name.startsWith(prefix) && compareKeys(name, after) > 0);
  const page = rest.slice(0, limit);
  const buckets = page.map(({ name, created }) => ({
    Name: name,
    CreationDate: new Date(created).toISOString(),
  }));
  const next = rest.length > page.length ? page.at(-1)?.name : undefined;
  const content = {
    Owner: OWNER,
    Buckets: { Bucket: buckets },
    ...(next !== undefined && { ContinuationToken: Buffer.from(next).toString("base64url") }),
    ...(prefix !== "" && { Prefix: prefix }),
  };
  answer(call, 200, {}, xml("ListAllMyBucketsResult", content));
}

export async function createBucket(call: Call): Promise<void> {
  const { bucket, store } = call;
  checkAcl(call.headers);
  const ownership = header(call, "x-amz-object-ownership") ?? "BucketOwnerEnforced";
  if (ownership !== "BucketOwnerEnforced")
    throw new S3Error(
      "NotImplemented",
      "The development store has no ACLs: BucketOwnerEnforced is its only ownership.",
    );
  const document = await documentOf({ ...call, headers: { "content-length": "0", ...call.headers } });
  if (!isBucketName(bucket))
    throw new S3Error("InvalidBucketName", "The specified bucket is not valid.", { BucketName: bucket });
  checkLocation(document, store.verifier.region);
  if (store.database.hasBucket(bucket)) {
    throw new S3Error(
      "BucketAlreadyOwnedByYou",
      "The bucket you tried to create already exists, and you own it.",
    );
  }
  store.database.createBucket(bucket, store.verifier.now());
  if (header(call, "x-amz-bucket-object-lock-enabled")?.toLowerCase() === "true") {
    store.database.setSetting(bucket, "versioning", "Enabled");
    store.database.setSetting(bucket, "lock", "{}");
  }
  answer(call, 200, { location: `/${bucket}` });
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
function isBucketName(name: string): boolean {
  return (
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
    !/\.\.|^\d+\.\d+\.\d+\.\d+$|^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(
      name,
    )
  );
}

/** @throws {S3Error} when the bucket is to be in another region */
function checkLocation(document: string, region: string): void {
  if (document === "") return;
  const location = text(parseXml(document, "CreateBucketConfiguration"), "LocationConstraint")?.trim();
  if (location === undefined || location === "" || location === region) return;
  throw new S3Error(
    "IllegalLocationConstraintException",
    `The ${location} location constraint is incompatible for the region specific endpoint this request was sent to.`,
  );
}

export async function headBucket(call: Call): Promise<void> {
  answer(call, 200, { "x-amz-bucket-region": call.store.verifier.region });
}

export async function getBucketLocation(call: Call): Promise<void> {
  const { region } = call.store.verifier;
  answer(call, 200, {}, xml("LocationConstraint", region === "us-east-1" ? {} : { "#text": region }));
}

export async function deleteBucket(call: Call): Promise<void> {
  const { bucket, store } = call;
  if (!store.database.isEmpty(bucket)) {
    const what =
      versioningOf(store, bucket) === undefined ? "" : ". You must delete all versions in the bucket.";
    throw new S3Error("BucketNotEmpty", `The bucket you tried to delete is not empty${what}`);
  }
  store.database.deleteBucket(bucket);
  answer(call, 204);
}

export async function putBucketCors(call: Call): Promise<void> {
  requireDigest(call);
  call.store.database.setSetting(call.bucket, "cors", JSON.stringify(parseCors(await documentOf(call))));
  answer(call, 200);
}

export async function getBucketCors(call: Call): Promise<void> {
  const rules = call.store.database.setting(call.bucket, "cors");
  if (rules === undefined)
    throw new S3Error("NoSuchCORSConfiguration", "The CORS configuration does not exist");
  answer(call, 200, {}, xml("CORSConfiguration", { CORSRule: JSON.parse(rules) }));
}

export async function deleteBucketCors(call: Call): Promise<void> {
  call.store.database.setSetting(call.bucket, "cors", null);
  answer(call, 204);
}

export async function putBucketPolicy(call: Call): Promise<void> {
  const policy = await documentOf(call);
  parsePolicy(policy, call.bucket);
  call.store.database.setSetting(call.bucket, "policy", policy);
  answer(call, 204);
}

export async function getBucketPolicy(call: Call): Promise<void> {
  const policy = call.store.database.setting(call.bucket, "policy");
  if (policy === undefined) throw new S3Error("NoSuchBucketPolicy", "The bucket policy does not exist");
  answer(call, 200, { "content-type": "application/json" }, policy);
}

export async function deleteBucketPolicy(call: Call): Promise<void> {
  call.store.database.setSetting(call.bucket, "policy", null);
  answer(call, 204);
}
