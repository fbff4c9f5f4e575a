/** ListObjects and ListObjectsV2: what is in a bucket, as far as the caller's grants open it. */
import { S3Bucket } from "../s3/store/client.ts";
import { type ListedObject, listObjects as listStored } from "../s3/store/list.ts";
import { ownerOf } from "./buckets.ts";
import type { Call } from "./call.ts";
import { marked } from "./etags.ts";
import { S3Fault } from "./faults.ts";
import { single } from "./fields.ts";
import { type AskPage, pageOver, spansOf } from "./opened.ts";
import { beyond, compareNames, namesIn, pageSize } from "./paging.ts";

export function listObjects(call: Call): Promise<Response> {
  const { operation, bucket, query, headers, caller } = call;
  const asked = askedBy(call);
  const read = () => {
    const spans = spansOf(caller, bucket, "read", asked);
    // Where nothing is open, that is said by whoever says it of everything.
    return { bucket, key: spans[0]?.prefix ?? asked.prefix, spans };
  };
  return call.operate({ operation, permission: "read", read }, async ({ request, draft, ...use }) => {
    draft.key = asked.prefix;
    checkOptional(headers);
    const store = new S3Bucket(use.bucket, await use.credentials());
    const { prefix, delimiter, after, limit } = asked;
    const page =
      limit === 0
        ? { entries: [], prefixes: [], isMore: false }
        : await pageOver(request.spans, { delimiter, after, limit }, asking(store));
    const last = page.isMore ? lastOf(page) : undefined;
    const { show, encoding } = namesIn(query);
    const isV2 = operation === "ListObjectsV2";
    const withOwner = !isV2 || single(query, "fetch-owner") === "true";
    const shownIf = (text: string | undefined) => (text === undefined ? undefined : show(text));
    return call.xml("ListBucketResult", {
      Name: bucket,
      Prefix: show(prefix),
      ...(delimiter !== "" && { Delimiter: show(delimiter) }),
      MaxKeys: limit,
      EncodingType: encoding,
      ...(isV2
        ? {
            KeyCount: page.entries.length + page.prefixes.length,
            StartAfter: shownIf(single(query, "start-after")),
            ContinuationToken: single(query, "continuation-token"),
            NextContinuationToken: last === undefined ? undefined : tokenFor(last, page),
          }
        : { Marker: show(single(query, "marker") ?? ""), NextMarker: shownIf(last) }),
      IsTruncated: page.isMore,
      Contents: page.entries.map(({ key, size, etag, lastModified, storageClass = "STANDARD" }) => ({
        Key: show(key),
        LastModified: lastModified,
        ETag: marked(etag),
        Size: size,
        StorageClass: storageClass,
        ...(withOwner && { Owner: ownerOf(call) }),
      })),
      CommonPrefixes: page.prefixes.map((one) => ({ Prefix: show(one) })),
    });
  });
}

function askedBy({ operation, query }: Call) {
  const [prefix = "", delimiter = ""] = ["prefix", "delimiter"].map((name) => single(query, name));
  const limit = pageSize(query, "max-keys");
  if (operation === "ListObjectsV2" && single(query, "list-type") !== "2")
    throw new S3Fault("InvalidArgument", "Invalid List Type specified in Request");
  return { prefix, delimiter, limit, after: afterOf(operation, query, { prefix, delimiter }) };
}

function afterOf(
  operation: string,
  query: URLSearchParams,
  { prefix, delimiter }: { prefix: string; delimiter: string },
): string {
  if (operation === "ListObjectsV2") {
    const token = single(query, "continuation-token");
    return token === undefined ? (single(query, "start-after") ?? "") : readToken(token);
  }
  const marker = single(query, "marker") ?? "";
  // A page may have ended with what is folded, and goes on behind it.
  const isFolded =
    delimiter !== "" &&
    marker.length > prefix.length &&
    marker.startsWith(prefix) &&
    marker.endsWith(delimiter);
  return isFolded ? beyond(marker) : marker;
}

/** Where the next page goes on: behind a key, or behind everything that is folded into a prefix. */
function tokenFor(last: string, { prefixes }: { prefixes: readonly string[] }): string {
  return Buffer.from(`1${prefixes.includes(last) ? beyond(last) : last}`).toString("base64url");
}

/** @throws {S3Fault} InvalidArgument for a token that is none of ours */
function readToken(token: string): string {
  const text = Buffer.from(token, "base64url").toString("utf8");
  if (text.startsWith("1") && Buffer.from(text).toString("base64url") === token) return text.slice(1);
  throw new S3Fault("InvalidArgument", "The continuation token provided is incorrect");
}

function lastOf({ entries, prefixes }: { entries: readonly ListedObject[]; prefixes: readonly string[] }) {
  return [entries.at(-1)?.key, prefixes.at(-1)]
    .filter((name) => name !== undefined)
    .sort(compareNames)
    .at(-1);
}

/** Pages of the store's own that have nothing in them are passed over: they have no name to go on behind. */
function asking(store: S3Bucket): AskPage<ListedObject> {
  return async ({ prefix, delimiter, after }, limit) => {
    let cursor: string | undefined;
    for (;;) {
      const startAfter = cursor === undefined ? after : undefined;
      const page = await listStored(store, { prefix, delimiter, startAfter, cursor, limit });
      const { objects, prefixes = [] } = page;
      cursor = page.cursor;
      if (cursor === undefined || objects.length + prefixes.length > 0)
        return { entries: objects, prefixes, isMore: cursor !== undefined };
    }
  };
}

/** What may be left out, may be asked for. */
function checkOptional(headers: Headers): void {
  const optional = headers.get("x-amz-optional-object-attributes");
  if (optional !== null && optional.trim() !== "RestoreStatus")
    throw new S3Fault("InvalidArgument", "Invalid attribute name specified.");
}
