/**
 * ListMultipartUploads: uploads in parts that were begun, and neither completed nor aborted.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
 */
import type { Refused } from "../../refused.ts";
import type { S3Bucket } from "./client.ts";
import { storeError } from "./fetch.ts";
import { namesOf } from "./list.ts";
import { elementsOf, textOf } from "./xml.ts";

export interface ListedUpload {
  readonly key: string;
  /** The store's own. */
  readonly uploadId: string;
  /** ISO 8601, where the store says it. */
  readonly initiated: string | undefined;
  readonly storageClass: string | undefined;
}

export interface UploadsRequest {
  readonly prefix: string;
  /** Empty as good as none. */
  readonly delimiter: string;
  /** Only uploads that come after this one: its key, and its id. Empty as good as none. */
  readonly keyMarker: string;
  readonly uploadIdMarker: string;
  readonly limit: number;
}

const NAME = "ListMultipartUploads";

/** @throws {Refused} what the store's refusal means; store-error, store-timeout */
export async function listUploads(
  store: S3Bucket,
  { prefix, delimiter, keyMarker, uploadIdMarker, limit }: UploadsRequest,
): Promise<{ uploads: ListedUpload[]; prefixes: string[]; isMore: boolean }> {
  const query = {
    uploads: "",
    "max-uploads": String(limit),
    "encoding-type": "url",
    ...(prefix !== "" && { prefix }),
    ...(delimiter !== "" && { delimiter }),
    ...(keyMarker !== "" && { "key-marker": keyMarker }),
    ...(uploadIdMarker !== "" && { "upload-id-marker": uploadIdMarker }),
  };
  const { element } = await store.run({ name: NAME, method: "GET", query }, "ListMultipartUploadsResult");
  const nameOf = namesOf(element, store);
  const uploads = elementsOf(element, "Upload").map((upload) => {
    const uploadId = textOf(upload, "UploadId");
    if (!uploadId) throw unreadable(store);
    const [initiated, storageClass] = [textOf(upload, "Initiated"), textOf(upload, "StorageClass")];
    return { key: nameOf(textOf(upload, "Key")), uploadId, initiated, storageClass };
  });
  const prefixes = elementsOf(element, "CommonPrefixes").map((one) => nameOf(textOf(one, "Prefix")));
  const isMore = textOf(element, "IsTruncated")?.trim() === "true";
  if (isMore && uploads.length + prefixes.length === 0) throw unreadable(store);
  return { uploads, prefixes, isMore };
}

function unreadable({ bucket }: S3Bucket): Refused {
  return storeError({ method: NAME, bucket }, "a list that cannot be read");
}
