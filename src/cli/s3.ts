/** The store of a bucket, by AWS's SDK, with the credentials on this machine. */
import { S3Client } from "@aws-sdk/client-s3";
import type { Bucket } from "../config/load.ts";
import type { Secrets } from "../config/secrets.ts";
import type { CustomerKey } from "../keys/customer-key.ts";
import { Refused } from "../refused.ts";
import { type Credentials, credentialsOf } from "../s3/store/credentials.ts";

export interface StoreBucket {
  readonly client: S3Client;
  /** What the store calls it. */
  readonly name: string;
  readonly credentials: Credentials;
}

/** @throws naming the secret that is not there */
export async function s3Of(bucket: Bucket, secrets: Secrets): Promise<StoreBucket> {
  const { endpoint, region, addressing } = bucket.store;
  const credentials = await readCredentials(bucket, secrets);
  const client = new S3Client({
    endpoint,
    region,
    credentials,
    forcePathStyle: addressing === "path",
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    followRegionRedirects: false,
  });
  return { client, name: bucket.storeBucket, credentials };
}

/** The customer key as the SDK takes it. Given the MD5 as well, it passes both on as they are. */
export function sseCustomerKey({ base64, md5 }: CustomerKey) {
  return { SSECustomerAlgorithm: "AES256", SSECustomerKey: base64, SSECustomerKeyMD5: md5 };
}

async function readCredentials({ store }: Bucket, secrets: Secrets): Promise<Credentials> {
  try {
    return await credentialsOf(store, secrets);
  } catch (error) {
    throw error instanceof Refused ? new Error(error.operator) : error;
  }
}
