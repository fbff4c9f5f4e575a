/** CopyObject: content and metadata go along unless replaced; storage class, redirect and lock do not. */
import { type Attributes, attributesOf, isContent, placementOf } from "./attributes.ts";
import { bodyFrom } from "./body.ts";
import { answer, type Call, header } from "./call.ts";
import { type Algorithm, checksumElements, chosenAlgorithm } from "./checksums.ts";
import { checkWrite, writeConditions } from "./conditions.ts";
import { type CopySource, copySourceOf } from "./copy-source.ts";
import { S3Error } from "./errors.ts";
import { MAX_PUT_BYTES } from "./limits.ts";
import type { ObjectRow } from "./rows.ts";
import type { SseKey } from "./ssec.ts";
import { versionHeaders } from "./versions.ts";
import { type Content, encryptionOf, randomEtag, storeContent, storeObject } from "./write.ts";
import { xml } from "./xml.ts";

export async function copyObject(call: Call): Promise<void> {
  const { store, bucket, headers } = call;
  const conditions = writeConditions(headers);
  const asked = attributesOf(headers, store, bucket);
  const source = copySourceOf(call);
  const { segments, size } = source.row;
  if (size > MAX_PUT_BYTES) {
    throw new S3Error(
      "InvalidRequest",
      "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120",
    );
  }
  const attributes = attributesOfCopy(call, asked, source);
  const algorithm = chosenAlgorithm(headers)?.algorithm ?? source.row.checksum?.algorithm;
  const mayReplace = (there: ObjectRow | undefined) => checkWrite(conditions, there);
  mayReplace(store.database.object(bucket, call.key));
  const content = relocked(call, source, asked.sse, algorithm);
  const bytes = () =>
    bodyFrom(store.segments.read(segments, 0, size - 1, source.sse), algorithm && { algorithm });
  const row = await (content === undefined
    ? storeObject(call, bytes(), attributes, mayReplace)
    : storeContent(call, content, attributes, mayReplace));
  const result = {
    ETag: `"${row.etag}"`,
    LastModified: new Date(row.modified).toISOString(),
    ...checksumElements(row.checksum),
  };
  answer(
    call,
    200,
    { ...encryptionOf(row), ...versionHeaders(call, row.version), ...source.headers },
    xml("CopyObjectResult", result),
  );
}

/** From key to key no byte need be read, unless for a checksum. */
function relocked(
  { store }: Call,
  { row, sse: from }: CopySource,
  to: SseKey | undefined,
  algorithm: Algorithm | undefined,
): Content | undefined {
  const { checksum, segments } = row;
  const isKnown = algorithm === checksum?.algorithm && checksum?.type !== "COMPOSITE";
  if (from === undefined || to === undefined || !isKnown) return undefined;
  const same = store.segments.relock(segments, from, to);
  return same && { segments: same, etag: randomEtag(), checksum };
}

function attributesOfCopy(call: Call, asked: Attributes, source: CopySource): Attributes {
  const replacesMetadata = replaces(call, "metadata");
  const replacesTags = replaces(call, "tagging");
  const placement = placementOf(call.headers, asked.sse);
  const isItself =
    source.bucket === call.bucket &&
    source.row.key === call.key &&
    call.store.database.object(call.bucket, call.key)?.version === source.row.version;
  const isChanged =
    replacesMetadata ||
    replacesTags ||
    Object.keys(placement).length > 0 ||
    header(call, "x-amz-storage-class") !== undefined ||
    asked.sse !== undefined ||
    source.sse !== undefined;
  if (isItself && !isChanged) {
    throw new S3Error(
      "InvalidRequest",
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const content = Object.entries(source.row.headers).filter(([name]) => isContent(name));
  return {
    ...asked,
    headers: replacesMetadata ? asked.headers : { ...Object.fromEntries(content), ...placement },
    tags: replacesTags ? asked.tags : source.row.tags,
  };
}

function replaces(call: Call, what: "metadata" | "tagging"): boolean {
  const directive = header(call, `x-amz-${what}-directive`) ?? "COPY";
  if (directive === "COPY" || directive === "REPLACE") return directive === "REPLACE";
  throw new S3Error("InvalidArgument", `Unknown ${what} directive.`, {
    ArgumentName: `x-amz-${what}-directive`,
    ArgumentValue: directive,
  });
}
