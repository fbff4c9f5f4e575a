/**
 * ListObjectVersions: what lies behind the objects that are there.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
 */
import type { S3Bucket } from "./client.ts";
import { storeError } from "./fetch.ts";
import { namesOf } from "./list.ts";
import { elementsOf, textOf } from "./xml.ts";

export interface ListedVersion {
  readonly key: string;
  readonly versionId: string;
  /** Whether it is what is read without a version. */
  readonly isLatest: boolean;
}

const NAME = "ListObjectVersions";
const MAX_LISTED = 1000;

/**
 * Every version of the objects whose keys begin so and come after a key, by key; not the marks of deleted ones.
 *
 * @throws {Refused} what the store's refusal means; store-error, also when the list does not go on; store-timeout
 */
export async function* listVersions(
  store: S3Bucket,
  { prefix, after }: { prefix: string; after: string },
): AsyncGenerator<ListedVersion> {
  let keyMarker = after;
  let versionMarker = "";
  for (;;) {
    const query = {
      versions: "",
      "max-keys": String(MAX_LISTED),
      "encoding-type": "url",
      ...(prefix !== "" && { prefix }),
      ...(keyMarker !== "" && { "key-marker": keyMarker }),
      ...(versionMarker !== "" && { "version-id-marker": versionMarker }),
    };
    const { element } = await store.run({ name: NAME, method: "GET", query }, "ListVersionsResult");
    const nameOf = namesOf(element, store);
    for (const entry of elementsOf(element, "Version")) {
      const versionId = textOf(entry, "VersionId");
      const isLatest = textOf(entry, "IsLatest")?.trim() === "true";
      if (!versionId) throw unreadable(store, "a version without an id");
      yield { key: nameOf(textOf(entry, "Key")), versionId, isLatest };
    }
    if (textOf(element, "IsTruncated")?.trim() !== "true") return;
    const nextKey = nameOf(textOf(element, "NextKeyMarker"));
    const nextVersion = textOf(element, "NextVersionIdMarker") ?? "";
    if (nextKey === keyMarker && nextVersion === versionMarker)
      throw unreadable(store, "a marker that does not advance");
    keyMarker = nextKey;
    versionMarker = nextVersion;
  }
}

function unreadable({ bucket }: S3Bucket, what: string) {
  return storeError({ method: NAME, bucket }, "a list that cannot be read", `it has ${what}`);
}
