/** boto3 on an SSE-C bucket, through the gateway: an ordinary program, with nothing of SSE-C in it. */

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "vitest";
import { freshKey } from "../support/client.ts";
import { expectSame, writeFiles } from "../support/files.ts";
import { accessKeyId, over, secretAccessKey, testGateway } from "../support/gateway.ts";
import { isSkipped, PYTHON_BOTO3 } from "../support/tools.ts";

const gateway = testGateway();

const PROGRAM = `
import io, json, os, urllib.request
import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError
job = json.load(open("job.json"))
# Its presigned URLs have the signature before this one, unless it is told.
s3 = boto3.client("s3", endpoint_url=job["endpoint"], config=Config(signature_version="s3v4"))
root, bucket = job["root"], "media"
def code(call, **more):
    try: call(**more)
    except ClientError as error: return error.response["Error"]["Code"]
    return "ok"

parts = TransferConfig(multipart_threshold=8 * 2**20, multipart_chunksize=6 * 2**20)
s3.upload_file("large.bin", bucket, root + "large.bin", Config=parts, ExtraArgs={"Metadata": {"a": "b"}, "ContentType": "x/y"})
s3.download_file(bucket, root + "large.bin", "back.bin", Config=parts)
head = s3.head_object(Bucket=bucket, Key=root + "large.bin")
assert (head["ContentType"], head["Metadata"], head["ContentLength"]) == ("x/y", {"a": "b"}, os.path.getsize("large.bin")), head
assert "SSECustomerAlgorithm" not in head and "SSECustomerKeyMD5" not in head
etag = head["ETag"]
assert code(s3.get_object, Bucket=bucket, Key=root + "large.bin", IfMatch=etag) == "ok"
assert code(s3.get_object, Bucket=bucket, Key=root + "large.bin", IfNoneMatch=etag) == "304"
assert code(s3.get_object, Bucket=bucket, Key=root + "large.bin", IfMatch='"other"') == "PreconditionFailed"
assert s3.get_object(Bucket=bucket, Key=root + "large.bin", Range="bytes=-3")["Body"].read() == open("large.bin", "rb").read()[-3:]

# copies: one by one, of several parts, into a bucket under derived keys
s3.copy_object(Bucket=bucket, Key=root + "copy.bin", CopySource={"Bucket": bucket, "Key": root + "large.bin"})
s3.copy({"Bucket": bucket, "Key": root + "large.bin"}, "derived", root + "copy.bin", Config=parts)
s3.copy_object(Bucket=bucket, Key=root + "replaced.bin", CopySource=f"{bucket}/{root}large.bin", MetadataDirective="REPLACE", Metadata={"c": "d"})
assert s3.head_object(Bucket=bucket, Key=root + "replaced.bin")["Metadata"] == {"c": "d"}

# an upload that broke off goes on by what lists tell of it
begun = s3.create_multipart_upload(Bucket=bucket, Key=root + "resumed.bin")
data, size = open("large.bin", "rb").read(), 6 * 2**20
s3.upload_part(Bucket=bucket, Key=root + "resumed.bin", UploadId=begun["UploadId"], PartNumber=2, Body=data[size:2 * size])
[found] = s3.list_multipart_uploads(Bucket=bucket, Prefix=root + "resumed.bin")["Uploads"]
upload = dict(Bucket=bucket, Key=found["Key"], UploadId=found["UploadId"])
there = [part["PartNumber"] for part in s3.list_parts(**upload)["Parts"]]
assert there == [2], there
for number in (1, 3, 4):
    s3.upload_part(**upload, PartNumber=number, Body=data[(number - 1) * size:number * size])
listed = s3.list_parts(**upload)["Parts"]
s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{k: part[k] for k in ("PartNumber", "ETag")} for part in listed]})

# pages
for i in range(25): s3.put_object(Bucket=bucket, Key=f"{root}pages/{i:02}/\\u00fc +%41", Body=str(i).encode())
pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=root + "pages/", PaginationConfig={"PageSize": 10})
assert [o["Key"] for page in pages for o in page["Contents"]] == [f"{root}pages/{i:02}/\\u00fc +%41" for i in range(25)]
old = s3.get_paginator("list_objects").paginate(Bucket=bucket, Prefix=root + "pages/", Delimiter="/", PaginationConfig={"PageSize": 10})
assert len([p for page in old for p in page["CommonPrefixes"]]) == 25

# presigned, by who has no credentials
get = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": root + "pages/07/\\u00fc +%41", "ResponseContentType": "text/x"})
answer = urllib.request.urlopen(get)
assert (answer.read(), answer.headers["content-type"]) == (b"7", "text/x")
put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": root + "put.txt", "ContentType": "text/plain"})
urllib.request.urlopen(urllib.request.Request(put, method="PUT", data=b"put", headers={"content-type": "text/plain"}))
assert s3.get_object(Bucket=bucket, Key=root + "put.txt")["Body"].read() == b"put"

# checksums that were asked for come back
s3.put_object(Bucket=bucket, Key=root + "sum.txt", Body=b"sum", ChecksumAlgorithm="SHA256")
assert s3.get_object(Bucket=bucket, Key=root + "sum.txt", ChecksumMode="ENABLED")["Body"].read() == b"sum"

# a resource, and removal by the thousand
resource = boto3.resource("s3", endpoint_url=job["endpoint"]).Bucket(bucket)
resource.objects.filter(Prefix=root + "pages/").delete()
assert list(resource.objects.filter(Prefix=root + "pages/")) == []
assert code(s3.get_object, Bucket=bucket, Key=root + "pages/00") == "NoSuchKey"
`;

describe.skipIf(isSkipped(PYTHON_BOTO3))(`boto3 through the gateway, over ${over}`, () => {
  test("upload_file, download_file, copy, pages, presigned URLs, removal", { timeout: 120_000 }, async () => {
    const { home, endpoint } = gateway;
    const root = `${freshKey("boto3")}/`;
    const large = randomBytes(20 * 2 ** 20);
    writeFiles(home, {
      "program.py": PROGRAM,
      "large.bin": large,
      "job.json": JSON.stringify({ endpoint, root }),
    });
    await gateway.run(PYTHON_BOTO3, ["program.py"], {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_DEFAULT_REGION: "us-east-1",
      AWS_CONFIG_FILE: "none",
    });
    expectSame({ "back.bin": readFileSync(join(home, "back.bin")) }, { "back.bin": large });
    expectSame(await gateway.provenFiles("media", root), {
      "large.bin": large,
      "copy.bin": large,
      "resumed.bin": large,
      "replaced.bin": large,
      "put.txt": Buffer.from("put"),
      "sum.txt": Buffer.from("sum"),
    });
    expectSame(await gateway.provenFiles("derived", root), { "copy.bin": large });
  });
});
