/** ListObjectsV2, page by page. */
import { Problem } from "../problem.ts";
import type { S3Bucket } from "./client.ts";

export interface ListedObject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
  /** ISO 8601. */
  readonly lastModified: string;
}

export interface Listing {
  readonly objects: readonly ListedObject[];
  /** Where the next page begins, if there is one. */
  readonly cursor?: string;
}

/**
 * @throws {Problem} invalid-request when the cursor is none; what the store's refusal means; store-error, store-timeout
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 */
export async function listObjects(
  bucket: S3Bucket,
  { prefix, cursor, limit }: { prefix: string; cursor?: string | undefined; limit: number },
): Promise<Listing> {
  const { Contents = [], NextContinuationToken } = await bucket.run(
    "ListObjectsV2",
    ({ ListObjectsV2Command }, client, abortSignal) =>
      client
        .send(
          new ListObjectsV2Command({
            Bucket: bucket.name,
            Prefix: prefix,
            MaxKeys: limit,
            // Keys may hold characters that XML has no way to write.
            EncodingType: "url",
            ...(cursor !== undefined && { ContinuationToken: cursor }),
          }),
          { abortSignal },
        )
        .catch((error: Error) => {
          // Of all that is asked, the token alone is not checked before.
          if (cursor === undefined || error.name !== "InvalidArgument") throw error;
          throw Problem.field("cursor", "must be the cursor of an answer");
        }),
  );
  return {
    objects: Contents.map(({ Key = "", Size = 0, ETag = "", LastModified }) => ({
      key: decodeURIComponent(Key.replaceAll("+", " ")),
      size: Size,
      etag: ETag,
      lastModified: LastModified?.toISOString() ?? "",
    })),
    ...(NextContinuationToken !== undefined && { cursor: NextContinuationToken }),
  };
}
