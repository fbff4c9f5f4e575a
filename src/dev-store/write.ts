/** Every way to write an object ends here: the bytes first, then its row, in place of what was there. */
import { createHash, randomBytes } from "node:crypto";
import type { Attributes } from "./attributes.ts";
import type { Body } from "./body.ts";
import type { Place } from "./call.ts";
import { type Checksum, checksumHeaders } from "./checksums.ts";
import { S3Error } from "./errors.ts";
import { OBJECT_DEFAULTS, type ObjectRow } from "./rows.ts";
import type { Segment } from "./segments.ts";
import { type SseKey, sseEcho } from "./ssec.ts";
import { nextVersion, versionHeaders } from "./versions.ts";

type MayReplace = (there: ObjectRow | undefined) => void;

/** Writes a body and puts the object in its place. @param mayReplace throws when a condition does not hold */
export async function storeObject(
  place: Place,
  body: Body,
  attributes: Attributes,
  mayReplace: MayReplace = () => {},
): Promise<ObjectRow> {
  const { segment, etag } = await writeSegment(place, body.bytes, attributes.sse);
  const content = { segments: [segment], etag, checksum: body.checksum() };
  return storeContent(place, content, attributes, mayReplace);
}

/** What is written already. */
export interface Content {
  readonly segments: readonly Segment[];
  readonly etag: string;
  readonly checksum: Checksum | undefined;
}

/** Puts an object in its place. @param mayReplace throws when a condition does not hold */
export async function storeContent(
  place: Place,
  { segments, etag, checksum }: Content,
  { sse, headers, tags, lock }: Attributes,
  mayReplace: MayReplace,
): Promise<ObjectRow> {
  const row: ObjectRow = {
    ...OBJECT_DEFAULTS,
    key: place.key,
    ...nextVersion(place),
    etag,
    size: segments.reduce((sum, { size }) => sum + size, 0),
    modified: seconds(place.store.verifier.now()),
    keyMd5: sse?.md5 ?? null,
    headers,
    segments,
    uploadId: null,
    ...(checksum && { checksum }),
    tags,
    lock,
  };
  await replace(place, row, mayReplace);
  return row;
}

/** What encrypted objects have for an ETag. */
export function randomEtag(): string {
  return randomBytes(16).toString("hex");
}

/** Writes bytes; their ETag is their MD5, but for encrypted ones. */
export async function writeSegment(
  { store }: Pick<Place, "store">,
  bytes: AsyncIterable<Uint8Array>,
  sse: SseKey | undefined,
): Promise<{ segment: Segment; etag: string }> {
  if (sse !== undefined) return { segment: await store.segments.write(bytes, sse), etag: randomEtag() };
  const hash = createHash("md5");
  async function* hashed() {
    for await (const chunk of bytes) {
      hash.update(chunk);
      yield chunk;
    }
  }
  return { segment: await store.segments.write(hashed(), undefined), etag: hash.digest("hex") };
}

/** Puts a row in its place, then removes what it replaced. The condition is asked again: others may have been quicker. */
export async function replace(
  { store, bucket, key }: Place,
  row: ObjectRow,
  mayReplace: MayReplace = () => {},
): Promise<void> {
  const { database, segments } = store;
  let replaced: ObjectRow | undefined;
  try {
    if (!database.hasBucket(bucket)) throw new S3Error("NoSuchBucket", "The specified bucket does not exist");
    mayReplace(database.object(bucket, key));
    replaced = database.putVersion(bucket, row);
  } catch (error) {
    if (row.uploadId === null) await segments.remove(row.segments);
    throw error;
  }
  if (replaced !== undefined) await segments.remove(replaced.segments);
}

/** Whole seconds, as Last-Modified has them. */
export const seconds = (now: number) => Math.floor(now / 1000) * 1000;

/** What the answer to a write says of the object. */
export function writtenHeaders(place: Place, row: ObjectRow): Record<string, string> {
  return {
    etag: `"${row.etag}"`,
    ...checksumHeaders(row.checksum),
    ...encryptionOf(row),
    ...versionHeaders(place, row.version),
  };
}

/** How an object lies encrypted, as answers say it. */
export function encryptionOf({
  keyMd5,
  headers,
}: Pick<ObjectRow, "keyMd5" | "headers">): Record<string, string> {
  const managed = headers["x-amz-server-side-encryption"];
  return { ...(managed && { "x-amz-server-side-encryption": managed }), ...sseEcho(keyMd5) };
}
