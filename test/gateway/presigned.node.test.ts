/** Presigned URLs as other programs make them: headers of S3's stand in their query, and are held as if they were sent. */
import { createHash } from "node:crypto";
import {
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { expect, test } from "vitest";
import { freshKey, xmlValue } from "../support/client.ts";
import { fault, gatewayClient, presigned } from "./client.ts";

const s3 = gatewayClient();
const Bucket = "media";
const TEXT = "0123456789";
const sha256 = (text: string) => createHash("sha256").update(text).digest("base64");

async function send(url: string, method = "PUT", body: string | null = TEXT) {
  const answer = await fetch(url, { method, body });
  const text = await answer.text();
  return { status: answer.status, code: xmlValue(text, "Code"), text };
}

/** AWS's client writes the checksum of no body into the URL where it has none yet. */
test("what AWS's own client presigns without a body takes any", async () => {
  const Key = freshKey();
  const object = { Bucket, Key };
  for (const more of [{ Metadata: { a: "b" } }, { ChecksumAlgorithm: "SHA256" }] as const) {
    const url = await getSignedUrl(s3, new PutObjectCommand({ ...object, ...more }));
    expect(url).toMatch(/x-amz-checksum-\w+=/);
    expect(await send(url)).toMatchObject({ status: 200 });
  }
  expect((await send(await getSignedUrl(s3, new GetObjectCommand(object)), "GET", null)).text).toBe(TEXT);
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(object));
  const part = new UploadPartCommand({ ...object, UploadId, PartNumber: 1 });
  expect(await send(await getSignedUrl(s3, part))).toMatchObject({ status: 200 });
});

test("and a checksum that it was given is held against the body, also of a part", async () => {
  const object = { Bucket, Key: freshKey() };
  const put = (more: Partial<PutObjectCommandInput>) =>
    getSignedUrl(s3, new PutObjectCommand({ ...object, ...more })).then((url) => send(url));
  expect(await put({ ChecksumSHA256: sha256("another") })).toMatchObject({ status: 400, code: "BadDigest" });
  expect((await fault(s3.send(new HeadObjectCommand(object)))).status).toBe(404);
  expect(await put({ ChecksumSHA256: sha256(TEXT) })).toMatchObject({ status: 200 });
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(object));
  const part = { ...object, UploadId, PartNumber: 1, ChecksumSHA256: sha256("another") };
  const url = await getSignedUrl(s3, new UploadPartCommand(part));
  expect(await send(url)).toMatchObject({ status: 400, code: "BadDigest" });
});

test.for([
  ["X-Amz-Checksum-Mode=ENABLED&x-id=GetObject", "GET", 200, ""],
  ["X-Amz-Meta-Colour=green&X-Amz-Sdk-Checksum-Algorithm=CRC32&x-id=PutObject", "PUT", 200, ""],
  [`X-Amz-Checksum-Sha256=${encodeURIComponent(sha256("another"))}`, "PUT", 400, "BadDigest"],
  ["X-Amz-Acl=public-read", "PUT", 501, "NotImplemented"],
  ["X-Amz-Server-Side-Encryption-Customer-Algorithm=AES256", "PUT", 400, "InvalidRequest"],
  ["x-amz-meta-a=1&X-Amz-Meta-A=1", "PUT", 400, "InvalidArgument"],
  ["x-amz-meta-a=1%0D%0Ax-b%3A2", "PUT", 400, "InvalidArgument"],
  ["x-amz-meta-a%20b=1", "PUT", 400, "InvalidArgument"],
  ["x-amz-content-sha256=UNSIGNED-PAYLOAD", "PUT", 200, ""],
  [`x-amz-content-sha256=${"0".repeat(64)}`, "PUT", 400, "InvalidArgument"],
  ["x-amz-date=20261128T120000Z", "PUT", 501, "NotImplemented"],
] as const)("spelt as it may be, a header in the query is one: %s", async ([query, method, status, code]) => {
  const Key = freshKey();
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: TEXT }));
  const url = presigned(method, `/s3/${Bucket}/${Key}?${query}`);
  expect(await send(url, method, method === "GET" ? null : TEXT)).toMatchObject({ status, code });
});
