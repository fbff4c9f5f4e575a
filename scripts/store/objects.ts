/** PutObject, GetObject, HeadObject, DeleteObject, CopyObject. */
import { createHash, randomBytes } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { bodyOf } from "./body.ts";
import { answer, type Call, header } from "./call.ts";
import { checkConditions, checkWrite } from "./conditions.ts";
import type { ObjectRow } from "./database.ts";
import { S3Error } from "./errors.ts";
import { authorize } from "./evaluate.ts";
import type { Segment } from "./segments.ts";
import { checkOpens, copySourceSseKeyOf, refuseSse, type SseKey, sseEcho, sseKeyOf } from "./ssec.ts";
import { xml } from "./xml.ts";

/** Headers that are kept with an object and given back. */
const KEPT = [
  "content-type",
  "content-encoding",
  "content-language",
  "content-disposition",
  "cache-control",
  "expires",
];
const MAX_METADATA_BYTES = 2048;

/** What a request, or a form, says an object's headers are. */
export function keptHeaders(
  named: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const kept: Record<string, string> = { "content-type": "binary/octet-stream" };
  let metadata = 0;
  for (const [name, value] of Object.entries(named)) {
    const isMetadata = name.startsWith("x-amz-meta-");
    if (value === undefined || (!isMetadata && !KEPT.includes(name) && name !== "x-amz-storage-class"))
      continue;
    kept[name] = String(value);
    if (isMetadata) metadata += name.length - "x-amz-meta-".length + String(value).length;
  }
  if (metadata > MAX_METADATA_BYTES)
    throw new S3Error("MetadataTooLarge", "Your metadata headers exceed 2 KB.");
  const tags = named["x-amz-tagging"];
  if (tags) kept["x-amz-tagging-count"] = String([...new URLSearchParams(String(tags))].length);
  kept["content-encoding"] = (kept["content-encoding"] ?? "").replace(/aws-chunked,?\s*/, "");
  if (kept["content-encoding"] === "") delete kept["content-encoding"];
  return kept;
}

export function objectOf({ store, bucket, key }: Pick<Call, "store" | "bucket" | "key">): ObjectRow {
  const row = store.database.object(bucket, key);
  if (row === undefined) throw new S3Error("NoSuchKey", "The specified key does not exist.");
  return row;
}

/** Passes a body on and takes its MD5 on the way. */
export function md5Of(body: AsyncIterable<Uint8Array>): {
  body: AsyncIterable<Uint8Array>;
  etag: () => string;
} {
  const hash = createHash("md5");
  async function* through() {
    for await (const chunk of body) {
      hash.update(chunk);
      yield chunk;
    }
  }
  return { body: through(), etag: () => hash.digest("hex") };
}

/** Whole seconds, as Last-Modified has them. */
export const seconds = (now: number) => Math.floor(now / 1000) * 1000;

/** Writes a body and puts the object in its place. An encrypted object's ETag is not the MD5 of its bytes. */
export async function storeObject(
  { store, bucket, key }: Pick<Call, "store" | "bucket" | "key">,
  body: AsyncIterable<Uint8Array>,
  sse: SseKey | undefined,
  headers: Record<string, string>,
  mayReplace: (there: ObjectRow | undefined) => void = () => {},
): Promise<ObjectRow> {
  const { segments, verifier } = store;
  const digest = md5Of(body);
  const segment = await segments.write(digest.body, sse);
  const row: ObjectRow = {
    key,
    etag: sse === undefined ? digest.etag() : randomBytes(16).toString("hex"),
    size: segment.size,
    modified: seconds(verifier.now()),
    keyMd5: sse?.md5 ?? null,
    headers,
    segments: [segment],
    uploadId: null,
  };
  await replace({ store, bucket, key }, row, mayReplace);
  return row;
}

/** Puts a row in its place, then removes what it replaced. The condition is asked again: others may have been quicker. */
export async function replace(
  { store, bucket, key }: Pick<Call, "store" | "bucket" | "key">,
  row: ObjectRow,
  mayReplace: (there: ObjectRow | undefined) => void = () => {},
): Promise<void> {
  const { database, segments } = store;
  const there = database.object(bucket, key);
  try {
    if (!database.hasBucket(bucket)) throw new S3Error("NoSuchBucket", "The specified bucket does not exist");
    mayReplace(there);
    database.putObject(bucket, row);
  } catch (error) {
    if (row.uploadId === null) await segments.remove(row.segments);
    throw error;
  }
  if (there !== undefined) await segments.remove(there.segments);
}

export async function putObject(call: Call): Promise<void> {
  if (header(call, "x-amz-copy-source") !== undefined) return copyObject(call);
  const sse = sseKeyOf(call.headers);
  const conditions = { ifMatch: header(call, "if-match"), ifNoneMatch: header(call, "if-none-match") };
  const mayReplace = (there: ObjectRow | undefined) => checkWrite(conditions, there);
  mayReplace(call.store.database.object(call.bucket, call.key));
  const row = await storeObject(call, bodyOf(call), sse, keptHeaders(call.headers), mayReplace);
  answer(call, 200, { etag: `"${row.etag}"`, ...sseEcho(row.keyMd5) });
}

export async function deleteObject(call: Call): Promise<void> {
  refuseSse(call.headers, "by DeleteObject");
  const there = call.store.database.object(call.bucket, call.key);
  call.store.database.deleteObject(call.bucket, call.key);
  if (there !== undefined) await call.store.segments.remove(there.segments);
  answer(call, 204);
}

export async function getObject(call: Call): Promise<void> {
  const sse = sseKeyOf(call.headers);
  const row = objectOf(call);
  checkOpens(row.keyMd5, sse);
  checkConditions(
    {
      ifMatch: header(call, "if-match"),
      ifNoneMatch: header(call, "if-none-match"),
      ifModifiedSince: header(call, "if-modified-since"),
      ifUnmodifiedSince: header(call, "if-unmodified-since"),
    },
    row,
    true,
  );
  const range = rangeOf(call, row);
  const [first, last] = range ?? [0, row.size - 1];
  const { response, store } = call;
  response.writeHead(range === undefined ? 200 : 206, {
    ...row.headers,
    ...overrides(call),
    etag: `"${row.etag}"`,
    "last-modified": new Date(row.modified).toUTCString(),
    "accept-ranges": "bytes",
    "content-length": last - first + 1,
    ...(range && { "content-range": `bytes ${first}-${last}/${row.size}` }),
    ...(row.segments.length > 1 &&
      "partNumber" in call.query && { "x-amz-mp-parts-count": row.segments.length }),
    ...sseEcho(row.keyMd5),
  });
  if (call.method === "HEAD") response.end();
  else await pipeline(store.segments.read(row.segments, first, last, sse), response);
}

/** response-content-type and its kin. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
function overrides({ query }: Call): Record<string, string> {
  const named = KEPT.map((name) => [name, query[`response-${name}`]] as const);
  return Object.fromEntries(
    named.filter((entry): entry is readonly [string, string] => entry[1] !== undefined),
  );
}

/** First and last byte of a Range header or a part number; undefined for the whole. */
function rangeOf(call: Call, { size, segments }: ObjectRow): [number, number] | undefined {
  const invalid = () => new S3Error("InvalidRange", "The requested range is not satisfiable");
  const { partNumber } = call.query;
  if (partNumber !== undefined) {
    const index = Number(partNumber) - 1;
    const part = segments[index];
    if (part === undefined) throw invalid();
    const first = segments.slice(0, index).reduce((sum, before) => sum + before.size, 0);
    return segments.length === 1 ? undefined : [first, first + part.size - 1];
  }
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header(call, "range") ?? "") ?? [];
  if (from === undefined || to === undefined || (from === "" && to === "")) return undefined;
  if (from === "") {
    if (Number(to) === 0 || size === 0) throw invalid();
    return [Math.max(size - Number(to), 0), size - 1];
  }
  if (Number(from) >= size || (to !== "" && Number(to) < Number(from))) throw invalid();
  return [Number(from), to === "" ? size - 1 : Math.min(Number(to), size - 1)];
}

/** The source of CopyObject or UploadPartCopy, opened with its own triple and held against its conditions. */
export function copySourceOf(call: Call): { bucket: string; row: ObjectRow; sse: SseKey | undefined } {
  let source: string;
  try {
    source = decodeURIComponent((header(call, "x-amz-copy-source") ?? "").split("?", 1)[0] ?? "");
  } catch {
    throw new S3Error("InvalidArgument", "The copy source is not percent-encoded UTF-8.");
  }
  const [, bucket, key] = /^\/?([^/]+)\/(.+)$/s.exec(source) ?? [];
  if (bucket === undefined || key === undefined) {
    throw new S3Error(
      "InvalidArgument",
      "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
    );
  }
  if (!call.store.database.hasBucket(bucket))
    throw new S3Error("NoSuchBucket", "The specified bucket does not exist");
  authorize(call.store, { action: "s3:GetObject", bucket, key, named: call.headers });
  const row = objectOf({ store: call.store, bucket, key });
  const sse = copySourceSseKeyOf(call.headers);
  checkOpens(row.keyMd5, sse);
  const condition = (name: string) => header(call, `x-amz-copy-source-${name}`);
  checkConditions(
    {
      ifMatch: condition("if-match"),
      ifNoneMatch: condition("if-none-match"),
      ifModifiedSince: condition("if-modified-since"),
      ifUnmodifiedSince: condition("if-unmodified-since"),
    },
    row,
    false,
  );
  return { bucket, row, sse };
}

async function copyObject(call: Call): Promise<void> {
  const sse = sseKeyOf(call.headers);
  const source = copySourceOf(call);
  const directive = header(call, "x-amz-metadata-directive") ?? "COPY";
  if (directive !== "COPY" && directive !== "REPLACE")
    throw new S3Error("InvalidArgument", "Unknown metadata directive.");
  const isItself = source.bucket === call.bucket && source.row.key === call.key;
  if (isItself && directive === "COPY" && sse === undefined && source.sse === undefined) {
    throw new S3Error(
      "InvalidRequest",
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata or encryption attributes.",
    );
  }
  const headers = directive === "REPLACE" ? keptHeaders(call.headers) : { ...source.row.headers };
  const { segments, size } = source.row;
  const row = await storeObject(
    call,
    call.store.segments.read(segments, 0, size - 1, source.sse),
    sse,
    headers,
  );
  const result = { ETag: `"${row.etag}"`, LastModified: new Date(row.modified).toISOString() };
  answer(call, 200, sseEcho(row.keyMd5), xml("CopyObjectResult", result));
}

/** The segments' sizes, added. */
export function sizeOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { size }) => sum + size, 0);
}
