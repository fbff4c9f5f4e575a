/**
 * boto3 and we mean the same by a key, an object and a signature.
 *
 * @module-tag thorough
 */
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { freshKey, get, presign, put, secrets, store } from "../support/client.ts";
import { runProgram } from "../support/run.ts";
import { isSkipped, PYTHON_BOTO3, programOf } from "../support/tools.ts";

const SCRIPT = `
import base64, json, sys, urllib.request
import boto3
from botocore.config import Config
job = json.load(sys.stdin)
s3 = boto3.client("s3", endpoint_url=job["endpoint"], region_name="us-east-1", config=Config(s3={"addressing_style": "path"}),
    aws_access_key_id=job["accessKeyId"], aws_secret_access_key=job["secretAccessKey"])
sse = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": base64.b64decode(job["customerKey"])}
# what we put, boto3 gets
assert s3.get_object(Bucket="media", Key=job["ours"], **sse)["Body"].read() == base64.b64decode(job["body"])
# what boto3 puts, the presigned request gets
s3.put_object(Bucket="media", Key=job["theirs"], Body=base64.b64decode(job["body"]), **sse)
request = urllib.request.Request(job["get"]["url"], headers=job["get"]["headers"])
assert urllib.request.urlopen(request).read() == base64.b64decode(job["body"])
# and the upload of several parts
s3.upload_file(sys.argv[1], "media", job["large"], ExtraArgs=sse)
`;

test.skipIf(isSkipped(PYTHON_BOTO3))("boto3 reads what we write and the other way round", async () => {
  const body = randomBytes(1000);
  const [ours, theirs, large] = [freshKey("ours ü.bin"), freshKey("theirs +.bin"), freshKey("large")];
  await put("media", ours, body);
  const { url: endpoint, accessKeyId, secretAccessKey } = store;
  const job = {
    endpoint,
    accessKeyId,
    secretAccessKey,
    customerKey: secrets.KEY_2,
    body: body.toString("base64"),
    ours,
    theirs,
    large,
    get: await presign({ operation: "GetObject", bucket: "media", key: theirs, keyId: "k2" }),
  };
  // Any file of more than one part will do.
  const file = process.execPath;
  await runProgram(programOf(PYTHON_BOTO3), ["-c", SCRIPT, file], { input: JSON.stringify(job) });
  expect((await get("media", theirs)).body.equals(body)).toBe(true);
  const uploaded = await presign({ operation: "HeadObject", bucket: "media", key: large });
  const head = await fetch(uploaded.url, { method: "HEAD", headers: uploaded.headers });
  expect(head.headers.get("etag")).toMatch(/-\d+"$/);
});
