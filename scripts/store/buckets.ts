/** Buckets, and the settings that are kept with them. */
import { documentOf } from "./body.ts";
import { answer, type Call } from "./call.ts";
import { parseCors } from "./cors.ts";
import { S3Error } from "./errors.ts";
import { parsePolicy } from "./policy.ts";
import { xml } from "./xml.ts";

export async function listBuckets(call: Call): Promise<void> {
  const buckets = call.store.database.buckets().map(({ name, created }) => ({
    Name: name,
    CreationDate: new Date(created).toISOString(),
  }));
  answer(
    call,
    200,
    {},
    xml("ListAllMyBucketsResult", { Owner: { ID: "owner" }, Buckets: { Bucket: buckets } }),
  );
}

export async function createBucket(call: Call): Promise<void> {
  const { bucket, store } = call;
  await documentOf({ ...call, headers: { "content-length": "0", ...call.headers } });
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw new S3Error("InvalidBucketName", "The specified bucket is not valid.");
  }
  if (store.database.hasBucket(bucket)) {
    throw new S3Error(
      "BucketAlreadyOwnedByYou",
      "The bucket you tried to create already exists, and you own it.",
    );
  }
  store.database.createBucket(bucket, store.verifier.now());
  answer(call, 200, { location: `/${bucket}` });
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
  const [first] = store.database.objects(bucket, "");
  if (first !== undefined || store.database.uploads(bucket).length > 0) {
    throw new S3Error("BucketNotEmpty", "The bucket you tried to delete is not empty");
  }
  store.database.deleteBucket(bucket);
  answer(call, 204);
}

export async function putBucketCors(call: Call): Promise<void> {
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
