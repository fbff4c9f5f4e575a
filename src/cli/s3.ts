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

/** S3's code and words for why it refused; what went wrong where no answer of S3's came. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { name, message } = error;
  // The SDK's word where the store gave none.
  if (message === "UnknownError") return name;
  return name === "Error" || message.startsWith(name) ? message : `${name}: ${message}`;
}

/** What is sent, or undefined where S3 answers `missing`. @throws naming the operation that was refused */
export async function answerOf<T>(
  operation: string,
  sent: Promise<T>,
  missing?: string,
): Promise<T | undefined> {
  try {
    return await sent;
  } catch (error) {
    if (error instanceof Error && error.name === missing) return undefined;
    throw new Error(`${operation}: ${wordsOf(error)}`);
  }
}
