/** AWS's own client for a store, where a test looks past the service. */
import { createHash, randomBytes } from "node:crypto";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";

export interface StoreAccess {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export function s3Client(
  { url, accessKeyId, secretAccessKey }: StoreAccess,
  more: S3ClientConfig = {},
): S3Client {
  return new S3Client({
    endpoint: url,
    region: "us-east-1",
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
    ...more,
  });
}

/**
 * The three that go with an object under a customer key, made without our own code: what it makes is held against them.
 *
 * @param raw 32 bytes; random without it
 */
export function triple(raw = randomBytes(32)) {
  return {
    SSECustomerAlgorithm: "AES256",
    SSECustomerKey: raw.toString("base64"),
    SSECustomerKeyMD5: createHash("md5").update(raw).digest("base64"),
  };
}

/** The same of a copy's source. */
export function sourceTriple({ SSECustomerKey, SSECustomerKeyMD5 }: ReturnType<typeof triple>) {
  return {
    CopySourceSSECustomerAlgorithm: "AES256",
    CopySourceSSECustomerKey: SSECustomerKey,
    CopySourceSSECustomerKeyMD5: SSECustomerKeyMD5,
  };
}
