/** The multipart upload: create, parts, copies as parts, list, complete, abort. */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { bodyOf, documentOf } from "./body.ts";
import { answer, type Call, header, parameter } from "./call.ts";
import { checkWrite } from "./conditions.ts";
import type { ObjectRow, PartRow, UploadRow } from "./database.ts";
import { S3Error } from "./errors.ts";
import { copySourceOf, keptHeaders, md5Of, replace, seconds, sizeOf } from "./objects.ts";
import { refuseSse, type SseKey, sseEcho, sseKeyOf } from "./ssec.ts";
import { allElements, parseXml, text, xml } from "./xml.ts";

/** The least that any part but the last may have: 5 MiB. */
const MIN_PART_BYTES = 5 * 2 ** 20;
const MAX_PARTS = 10_000;

export async function createMultipartUpload(call: Call): Promise<void> {
  const { store, bucket, key } = call;
  const keyMd5 = sseKeyOf(call.headers)?.md5 ?? null;
  const id = randomUUID().replaceAll("-", "");
  store.database.createUpload({
    id,
    bucket,
    key,
    keyMd5,
    headers: keptHeaders(call.headers),
    created: store.verifier.now(),
  });
  answer(
    call,
    200,
    sseEcho(keyMd5),
    xml("InitiateMultipartUploadResult", { Bucket: bucket, Key: key, UploadId: id }),
  );
}

export async function uploadPart(call: Call): Promise<void> {
  const { upload, sse, number } = partOf(call);
  const part = await storePart(call, upload, number, bodyOf(call), sse);
  answer(call, 200, { etag: `"${part.etag}"`, ...sseEcho(upload.keyMd5) });
}

export async function uploadPartCopy(call: Call): Promise<void> {
  const { upload, sse, number } = partOf(call);
  const { row, sse: sourceSse } = copySourceOf(call);
  const [first, last] = copyRange(header(call, "x-amz-copy-source-range"), row.size);
  const part = await storePart(
    call,
    upload,
    number,
    call.store.segments.read(row.segments, first, last, sourceSse),
    sse,
  );
  const result = { ETag: `"${part.etag}"`, LastModified: new Date(part.modified).toISOString() };
  answer(call, 200, sseEcho(upload.keyMd5), xml("CopyPartResult", result));
}

export async function listParts(call: Call): Promise<void> {
  const upload = uploadOf(call);
  const sse = sseKeyOf(call.headers);
  if (sse !== undefined) checkSameKey(upload, sse);
  const max = Math.min(Number(call.query["max-parts"] ?? 1000), 1000);
  const marker = Number(call.query["part-number-marker"] ?? 0);
  const after = call.store.database.parts(upload.id).filter(({ number }) => number > marker);
  const page = after.slice(0, max);
  answer(
    call,
    200,
    sseEcho(upload.keyMd5),
    xml("ListPartsResult", {
      Bucket: upload.bucket,
      Key: upload.key,
      UploadId: upload.id,
      PartNumberMarker: marker,
      NextPartNumberMarker: page.at(-1)?.number ?? marker,
      MaxParts: max,
      IsTruncated: after.length > page.length,
      Part: page.map(({ number, etag, size, modified }) => ({
        PartNumber: number,
        LastModified: new Date(modified).toISOString(),
        ETag: `"${etag}"`,
        Size: size,
      })),
    }),
  );
}

export async function completeMultipartUpload(call: Call): Promise<void> {
  const { store, bucket, key } = call;
  const uploadId = parameter(call, "uploadId");
  const sse = sseKeyOf(call.headers);
  const wanted = partsIn(await documentOf(call));
  const there = store.database.object(bucket, key);
  const done = there?.uploadId === uploadId ? there : await complete(call, uploadId, sse, wanted);
  answer(
    call,
    200,
    sseEcho(done.keyMd5),
    xml("CompleteMultipartUploadResult", {
      Location: `/${bucket}/${key}`,
      Bucket: bucket,
      Key: key,
      ETag: `"${done.etag}"`,
    }),
  );
}

export async function abortMultipartUpload(call: Call): Promise<void> {
  refuseSse(call.headers, "by AbortMultipartUpload");
  const upload = uploadOf(call);
  const parts = call.store.database.parts(upload.id);
  call.store.database.deleteUpload(upload.id);
  await call.store.segments.remove(parts.map(({ segment }) => segment));
  answer(call, 204);
}

export async function listMultipartUploads(call: Call): Promise<void> {
  const { bucket, store, query } = call;
  const uploads = store.database.uploads(bucket).filter(({ key }) => key.startsWith(query.prefix ?? ""));
  answer(
    call,
    200,
    {},
    xml("ListMultipartUploadsResult", {
      Bucket: bucket,
      IsTruncated: false,
      Upload: uploads.map(({ key, id, created }) => ({
        Key: key,
        UploadId: id,
        Initiated: new Date(created).toISOString(),
      })),
    }),
  );
}

async function complete(
  call: Call,
  uploadId: string,
  sse: SseKey | undefined,
  wanted: readonly { number: number; etag: string }[],
): Promise<ObjectRow> {
  const { store, key } = call;
  const upload = uploadOf(call);
  if (sse !== undefined) checkSameKey(upload, sse);
  const stored = new Map(store.database.parts(uploadId).map((part) => [part.number, part]));
  const parts = wanted.map(({ number, etag }, i) => {
    const part = stored.get(number);
    if (part === undefined || part.etag !== etag) {
      throw new S3Error(
        "InvalidPart",
        "One or more of the specified parts could not be found, or its ETag did not match.",
      );
    }
    if (i > 0 && number <= (wanted[i - 1]?.number ?? 0)) {
      throw new S3Error("InvalidPartOrder", "The list of parts was not in ascending order.");
    }
    if (i < wanted.length - 1 && part.size < MIN_PART_BYTES) {
      throw new S3Error(
        "EntityTooSmall",
        "Your proposed upload is smaller than the minimum allowed size: 5 MiB a part.",
      );
    }
    return part;
  });
  const digests = parts.map(({ etag }) => Buffer.from(etag, "hex"));
  const segments = parts.map(({ segment }) => segment);
  const row: ObjectRow = {
    key,
    etag: `${createHash("md5").update(Buffer.concat(digests)).digest("hex")}-${parts.length}`,
    size: sizeOf(segments),
    modified: seconds(store.verifier.now()),
    keyMd5: upload.keyMd5,
    headers: upload.headers,
    segments,
    uploadId,
  };
  const conditions = { ifMatch: header(call, "if-match"), ifNoneMatch: header(call, "if-none-match") };
  await replace(call, row, (there) => checkWrite(conditions, there));
  const unused = [...stored.values()].filter((part) => !parts.includes(part));
  await store.segments.remove(unused.map(({ segment }) => segment));
  return row;
}

function partsIn(document: string): { number: number; etag: string }[] {
  const parts = allElements(parseXml(document, "CompleteMultipartUpload"), "Part").map((part) => ({
    number: Number(text(part, "PartNumber")),
    etag: (text(part, "ETag") ?? "").trim().replace(/^"|"$/g, ""),
  }));
  if (parts.length === 0) throw new S3Error("MalformedXML", "You must specify at least one part");
  return parts;
}

function uploadOf(call: Call): UploadRow {
  const upload = call.store.database.upload(parameter(call, "uploadId"));
  if (upload?.bucket !== call.bucket || upload.key !== call.key) {
    throw new S3Error(
      "NoSuchUpload",
      "The specified multipart upload does not exist: it may have been aborted or completed.",
    );
  }
  return upload;
}

function partOf(call: Call): { upload: UploadRow; sse: SseKey | undefined; number: number } {
  const upload = uploadOf(call);
  const number = Number(parameter(call, "partNumber"));
  if (!Number.isInteger(number) || number < 1 || number > MAX_PARTS) {
    throw new S3Error("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive");
  }
  const sse = sseKeyOf(call.headers);
  checkSameKey(upload, sse);
  return { upload, sse, number };
}

function checkSameKey({ keyMd5 }: UploadRow, sse: SseKey | undefined): void {
  if (keyMd5 === null && sse !== undefined) {
    throw new S3Error(
      "InvalidRequest",
      "The multipart upload initiate did not request encryption: resend without it.",
    );
  }
  if (keyMd5 !== null && sse === undefined) {
    throw new S3Error(
      "InvalidRequest",
      "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.",
    );
  }
  if (keyMd5 !== null && sse?.md5 !== keyMd5) {
    throw new S3Error(
      "InvalidRequest",
      "The provided encryption parameters did not match the ones used originally.",
    );
  }
}

async function storePart(
  { store }: Call,
  upload: UploadRow,
  number: number,
  body: AsyncIterable<Uint8Array>,
  sse: SseKey | undefined,
): Promise<PartRow> {
  const digest = md5Of(body);
  const segment = await store.segments.write(digest.body, sse);
  const etag = sse === undefined ? digest.etag() : randomBytes(16).toString("hex");
  const part = { number, etag, size: segment.size, modified: seconds(store.verifier.now()), segment };
  if (store.database.upload(upload.id) === undefined) {
    await store.segments.remove([segment]);
    throw new S3Error("NoSuchUpload", "The multipart upload was aborted or completed in the meantime.");
  }
  const before = store.database.parts(upload.id).find((other) => other.number === number);
  store.database.putPart(upload.id, part);
  if (before !== undefined) await store.segments.remove([before.segment]);
  return part;
}

function copyRange(range: string | undefined, size: number): [number, number] {
  if (range === undefined) return [0, size - 1];
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
  if (first === undefined || Number(last) >= size || Number(first) > Number(last)) {
    throw new S3Error("InvalidArgument", `The copy source range must lie within the source's ${size} bytes.`);
  }
  return [Number(first), Number(last)];
}
