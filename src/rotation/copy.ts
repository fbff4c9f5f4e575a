/** One object from its key to another, by the store itself. */
import type { CustomerKey } from "../keys/customer-key.ts";
import { copySourceKeyHeaders, customerKeyHeaders } from "../keys/headers.ts";
import { Refused } from "../refused.ts";
import { copySourceHeader } from "../s3/api/fields.ts";
import type { S3Bucket } from "../s3/store/client.ts";
import { textOf } from "../s3/store/xml.ts";
import { ifMatch, ifSourceMatch } from "./conditions.ts";
import type { Ways } from "./state.ts";

/** What the store may take for one copy of 5 GiB, milliseconds. */
const TIME_LIMIT = 300_000;

/** An object and what it is to become. */
export interface Copying {
  readonly key: string;
  /** Another than the current one. */
  readonly versionId?: string;
  /** What it lies under; undefined: in the clear. */
  readonly from: CustomerKey | undefined;
  readonly to: CustomerKey;
  /** As it was seen: it is copied if it is still so. */
  readonly etag: string;
  /** The ETag of what is replaced, where that is something else. */
  readonly onto?: string;
  /** Beside what a copy keeps by itself. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Undefined where the store does not copy such an object. */
export async function copyInPlace(
  store: S3Bucket,
  { key, versionId, from, to, etag, onto = etag, headers }: Copying,
  { ifSourceMatch: ofSource, ifMatchOfCopy }: Pick<Ways, "ifSourceMatch" | "ifMatchOfCopy">,
): Promise<{ etag: string } | undefined> {
  const request = {
    name: "CopyObject",
    method: "PUT",
    key,
    query: { "x-id": "CopyObject" },
    headers: {
      ...headers,
      "x-amz-copy-source": copySourceHeader(store.bucket.storeBucket, { key, versionId }),
      ...ifSourceMatch(ofSource, etag),
      ...ifMatch(ifMatchOfCopy, onto),
      ...(from && copySourceKeyHeaders(from)),
      ...customerKeyHeaders(to),
    },
    timeLimit: TIME_LIMIT,
  };
  try {
    const { element } = await store.run(request, "CopyObjectResult");
    return { etag: textOf(element, "ETag") ?? "" };
  } catch (error) {
    // NotImplemented, or InvalidRequest where it copies nothing onto itself.
    if (error instanceof Refused && error.reason === "invalid-request") return undefined;
    throw error;
  }
}
