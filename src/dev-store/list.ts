/** ListObjectsV2 and the older ListObjects, in the order of the keys' bytes. */
import { answer, type Call, limitOf } from "./call.ts";
import { compareKeys } from "./database.ts";
import { S3Error } from "./errors.ts";
import { OWNER } from "./owner.ts";
import { pageOf } from "./page.ts";
import type { ObjectRow } from "./rows.ts";
import { refuseSse } from "./ssec.ts";
import { encodeKey } from "./uri.ts";
import { xml } from "./xml.ts";

export async function listObjects(call: Call): Promise<void> {
  refuseSse(call.headers, "by a listing");
  const { query, bucket, store } = call;
  const isV2 = query["list-type"] === "2";
  if (!isV2 && query["list-type"] !== undefined)
    throw new S3Error("InvalidArgument", "Invalid List Type specified in Request");
  const shown = encodingOf(call);
  const { prefix = "", delimiter = "", "continuation-token": token, "start-after": startAfter } = query;
  const limit = limitOf(call, "max-keys");
  const marker = query.marker ?? "";
  const after = isV2 ? (token === undefined ? (startAfter ?? "") : decodeToken(token)) : marker;
  const from = compareKeys(after, prefix) > 0 ? after : prefix;
  const { rows, prefixes, last } = pageOf(store.database.objects(bucket, from), {
    prefix,
    delimiter,
    limit,
    // A marker may be a prefix that was folded on an earlier page.
    isBefore: (key, folded) => after !== "" && (compareKeys(key, after) <= 0 || folded === after),
  });
  const next = last === undefined ? undefined : typeof last === "string" ? last : last.key;
  const withOwner = !isV2 || query["fetch-owner"] === "true";
  const paging = isV2
    ? {
        KeyCount: rows.length + prefixes.length,
        ...(startAfter !== undefined && { StartAfter: shown(startAfter) }),
        ...(token !== undefined && { ContinuationToken: token }),
        ...(next !== undefined && { NextContinuationToken: encodeToken(next) }),
      }
    : {
        Marker: shown(marker),
        ...(next !== undefined && delimiter !== "" && { NextMarker: shown(next) }),
      };
  answer(
    call,
    200,
    {},
    xml("ListBucketResult", {
      Name: bucket,
      Prefix: shown(prefix),
      ...(delimiter !== "" && { Delimiter: shown(delimiter) }),
      MaxKeys: limit,
      ...(query["encoding-type"] && { EncodingType: "url" }),
      IsTruncated: next !== undefined,
      ...paging,
      Contents: rows.map((row) => entryOf(row, shown, withOwner)),
      CommonPrefixes: prefixes.map((one) => ({ Prefix: shown(one) })),
    }),
  );
}

/** How a listing shows names. @throws {S3Error} InvalidArgument for an encoding that there is not */
export function encodingOf({ query }: Pick<Call, "query">): (name: string) => string {
  const encoding = query["encoding-type"];
  if (encoding === undefined || encoding === "") return (name) => name;
  if (encoding === "url") return encodeKey;
  throw new S3Error("InvalidArgument", "Invalid Encoding Method specified in Request", {
    ArgumentName: "encoding-type",
    ArgumentValue: encoding,
  });
}

/** What every listing says of an object. */
export function entryOf(
  { key, modified, etag, checksum, size, headers }: ObjectRow,
  shown: (name: string) => string,
  withOwner: boolean,
): Record<string, unknown> {
  return {
    Key: shown(key),
    LastModified: new Date(modified).toISOString(),
    ETag: `"${etag}"`,
    ...(checksum && { ChecksumAlgorithm: checksum.algorithm, ChecksumType: checksum.type }),
    Size: size,
    ...(withOwner && { Owner: OWNER }),
    StorageClass: headers["x-amz-storage-class"] ?? "STANDARD",
  };
}

function encodeToken(key: string): string {
  return Buffer.from(`1${key}`).toString("base64url");
}

function decodeToken(token: string): string {
  const decoded = Buffer.from(token, "base64url").toString("utf8");
  if (decoded.startsWith("1") && encodeToken(decoded.slice(1)) === token) return decoded.slice(1);
  throw new S3Error("InvalidArgument", "The continuation token provided is incorrect", {
    ArgumentName: "continuation-token",
  });
}
