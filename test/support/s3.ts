/** AWS's own client for a store, where a test looks past the service. */
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
