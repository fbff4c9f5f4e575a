/** ListObjectsV2 (and the older ListObjects), in the order of the keys' bytes. */
import { encodeKey } from "../../src/s3/encode.ts";
import { answer, type Call } from "./call.ts";
import type { ObjectRow } from "./database.ts";
import { S3Error } from "./errors.ts";
import { refuseSse } from "./ssec.ts";
import { xml } from "./xml.ts";

const MAX_KEYS = 1000;

export async function listObjects(call: Call): Promise<void> {
  refuseSse(call.headers, "by a listing");
  const { query, bucket } = call;
  const isV2 = query["list-type"] === "2";
  const { prefix = "", delimiter = "" } = query;
  const maxKeys = Number(query["max-keys"] ?? MAX_KEYS);
  if (!Number.isInteger(maxKeys) || maxKeys < 0)
    throw new S3Error("InvalidArgument", "max-keys must be a whole number");
  const token = query["continuation-token"];
  const after = isV2 ? (token === undefined ? query["start-after"] : decodeToken(token)) : query.marker;
  const { objects, prefixes, next } = page(call, {
    prefix,
    delimiter,
    after,
    limit: Math.min(maxKeys, MAX_KEYS),
  });

  const shown = query["encoding-type"] === "url" ? encodeKey : (key: string) => key;
  const common = {
    Name: bucket,
    Prefix: shown(prefix),
    ...(delimiter !== "" && { Delimiter: shown(delimiter) }),
    MaxKeys: maxKeys,
    ...(query["encoding-type"] && { EncodingType: query["encoding-type"] }),
    IsTruncated: next !== undefined,
    Contents: objects.map(({ key, etag, size, modified, headers }) => ({
      Key: shown(key),
      LastModified: new Date(modified).toISOString(),
      ETag: `"${etag}"`,
      Size: size,
      StorageClass: headers["x-amz-storage-class"] ?? "STANDARD",
    })),
    CommonPrefixes: prefixes.map((one) => ({ Prefix: shown(one) })),
  };
  const paging = isV2
    ? {
        KeyCount: objects.length + prefixes.length,
        ...(token !== undefined && { ContinuationToken: token }),
        ...(next !== undefined && { NextContinuationToken: Buffer.from(next).toString("base64url") }),
      }
    : { Marker: shown(after ?? ""), ...(next !== undefined && { NextMarker: shown(next) }) };
  answer(call, 200, {}, xml("ListBucketResult", { ...common, ...paging }));
}

interface Wanted {
  readonly prefix: string;
  readonly delimiter: string;
  readonly after: string | undefined;
  readonly limit: number;
}

function page({ store, bucket }: Call, { prefix, delimiter, after = "", limit }: Wanted) {
  const objects: ObjectRow[] = [];
  const prefixes: string[] = [];
  let last = "";
  for (const row of store.database.objects(bucket, compare(after, prefix) > 0 ? after : prefix)) {
    if (!row.key.startsWith(prefix)) break;
    const cut = delimiter === "" ? -1 : row.key.indexOf(delimiter, prefix.length);
    const folded = cut < 0 ? row.key : row.key.slice(0, cut + delimiter.length);
    // What was on an earlier page: the key itself, or everything under a prefix that was named there.
    if (after !== "" && (compare(folded, after) <= 0 || folded === prefixes.at(-1))) continue;
    if (folded === prefixes.at(-1)) continue;
    if (objects.length + prefixes.length >= limit)
      return { objects, prefixes, next: limit === 0 ? undefined : last };
    if (cut < 0) objects.push(row);
    else prefixes.push(folded);
    last = folded;
  }
  return { objects, prefixes, next: undefined };
}

function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function decodeToken(token: string): string {
  const decoded = Buffer.from(token, "base64url").toString("utf8");
  if (Buffer.from(decoded).toString("base64url") !== token) {
    throw new S3Error("InvalidArgument", "The continuation token provided is incorrect");
  }
  return decoded;
}
