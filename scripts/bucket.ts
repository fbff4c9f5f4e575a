/** A bucket in a store on this machine, by AWS's own client. */
import { CreateBucketCommand, S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";

export interface StoreHere {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** The store's client, once the bucket is there. @throws what the store refuses */
export async function withBucket(
  store: StoreHere,
  name: string,
  more: S3ClientConfig = {},
): Promise<S3Client> {
  const s3 = new S3Client({ ...store, forcePathStyle: true, ...more });
  try {
    await s3.send(new CreateBucketCommand({ Bucket: name }));
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "BucketAlreadyOwnedByYou") throw error;
  }
  return s3;
}
