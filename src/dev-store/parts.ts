/** The parts of a multipart upload: UploadPart, UploadPartCopy, ListParts. */
import { type Body, bodyFrom, bodyOf, claimsChecksum } from "./body.ts";
import { answer, type Call, header, limitOf, parameter } from "./call.ts";
import { type Checksum, partElements, partHeaders } from "./checksums.ts";
import { copySourceOf } from "./copy-source.ts";
import { S3Error } from "./errors.ts";
import { MAX_PARTS } from "./limits.ts";
import { checkSameKey, uploadOf } from "./multipart.ts";
import { OWNER } from "./owner.ts";
import type { PartRow, UploadRow } from "./rows.ts";
import { pieceOf, type Segment } from "./segments.ts";
import { type SseKey, sseEcho, sseKeyOf } from "./ssec.ts";
import { randomEtag, seconds, writeSegment } from "./write.ts";
import { xml } from "./xml.ts";

export async function uploadPart(call: Call): Promise<void> {
  if (header(call, "x-amz-copy-source") !== undefined) return uploadPartCopy(call);
  const { upload, sse, number } = partOf(call);
  checkAlgorithm(upload, claimsChecksum(call)?.algorithm);
  const written = await writtenPart(call, bodyOf(call, upload.checksum?.algorithm), sse);
  const part = await storePart(call, upload, number, written);
  answer(call, 200, {
    etag: `"${part.etag}"`,
    ...partHeaders(part.checksum),
    ...sseEcho(upload.keyMd5),
  });
}

async function uploadPartCopy(call: Call): Promise<void> {
  const { upload, sse, number } = partOf(call);
  const { row, sse: sourceSse, headers } = copySourceOf(call);
  const [first, last] = copyRange(header(call, "x-amz-copy-source-range"), row.size);
  const { segments } = call.store;
  // From key to key no byte need be read, unless for a checksum.
  const isRelocked = sse !== undefined && sourceSse !== undefined && upload.checksum === undefined;
  const piece = isRelocked ? pieceOf(row.segments, first, last) : undefined;
  const [segment] = (isRelocked && piece && segments.relock([piece], sourceSse, sse)) || [];
  const bytes = () => bodyFrom(segments.read(row.segments, first, last, sourceSse), upload.checksum);
  const written =
    segment === undefined
      ? await writtenPart(call, bytes(), sse)
      : { segment, etag: randomEtag(), checksum: undefined };
  const part = await storePart(call, upload, number, written);
  const result = {
    ETag: `"${part.etag}"`,
    LastModified: new Date(part.modified).toISOString(),
    ...partElements(part.checksum),
  };
  answer(call, 200, { ...sseEcho(upload.keyMd5), ...headers }, xml("CopyPartResult", result));
}

export async function listParts(call: Call): Promise<void> {
  const upload = uploadOf(call);
  const sse = sseKeyOf(call.headers);
  if (sse !== undefined) checkSameKey(upload, sse);
  const max = limitOf(call, "max-parts");
  const marker = limitOf(call, "part-number-marker", MAX_PARTS + 1) % (MAX_PARTS + 1);
  const after = call.store.database.parts(upload.id).filter(({ number }) => number > marker);
  const page = after.slice(0, max);
  const isTruncated = after.length > page.length;
  answer(
    call,
    200,
    sseEcho(upload.keyMd5),
    xml("ListPartsResult", {
      Bucket: upload.bucket,
      Key: upload.key,
      UploadId: upload.id,
      Initiator: OWNER,
      Owner: OWNER,
      StorageClass: upload.headers["x-amz-storage-class"] ?? "STANDARD",
      PartNumberMarker: marker,
      NextPartNumberMarker: page.at(-1)?.number ?? marker,
      MaxParts: max,
      IsTruncated: isTruncated,
      ...(upload.checksum && {
        ChecksumAlgorithm: upload.checksum.algorithm,
        ChecksumType: upload.checksum.type,
      }),
      Part: page.map((part) => ({
        PartNumber: part.number,
        LastModified: new Date(part.modified).toISOString(),
        ETag: `"${part.etag}"`,
        Size: part.size,
        ...(upload.checksum && partElements(part.checksum)),
      })),
    }),
  );
}

function partOf(call: Call): { upload: UploadRow; sse: SseKey | undefined; number: number } {
  const upload = uploadOf(call);
  const text = parameter(call, "partNumber");
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || number > MAX_PARTS) {
    throw new S3Error("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive", {
      ArgumentName: "partNumber",
      ArgumentValue: text,
    });
  }
  const sse = sseKeyOf(call.headers);
  checkSameKey(upload, sse);
  return { upload, sse, number };
}

/**
 * A part carries the checksum that the upload was created for; where the whole's is told from it, it may be left out.
 * That of a part of an upload that was created for none is checked, and makes none of the whole's.
 */
function checkAlgorithm({ checksum }: UploadRow, claimed: string | undefined): void {
  if (checksum === undefined || claimed === checksum.algorithm) return;
  if (claimed === undefined && checksum.type === "FULL_OBJECT") return;
  const [expected, actual] = [checksum.algorithm, claimed].map((one) => one?.toLowerCase() ?? "null");
  throw new S3Error(
    "InvalidRequest",
    `Checksum Type mismatch occurred, expected checksum Type: ${expected}, actual checksum Type: ${actual}`,
  );
}

interface WrittenPart {
  readonly segment: Segment;
  readonly etag: string;
  readonly checksum: Checksum | undefined;
}

async function writtenPart(call: Call, body: Body, sse: SseKey | undefined): Promise<WrittenPart> {
  return { ...(await writeSegment(call, body.bytes, sse)), checksum: body.checksum() };
}

async function storePart(
  call: Call,
  upload: UploadRow,
  number: number,
  { segment, etag, checksum: whole }: WrittenPart,
): Promise<PartRow> {
  const { database, segments, verifier } = call.store;
  const { algorithm, value } = whole ?? {};
  const checksum = algorithm !== undefined && value !== undefined && { algorithm, value };
  const modified = seconds(verifier.now());
  const part = { number, etag, size: segment.size, modified, segment, ...(checksum && { checksum }) };
  if (database.upload(upload.id) === undefined) {
    await segments.remove([segment]);
    throw new S3Error("NoSuchUpload", "The multipart upload was aborted or completed in the meantime.");
  }
  const before = database.parts(upload.id).find((other) => other.number === number);
  database.putPart(upload.id, part);
  if (before !== undefined) await segments.remove([before.segment]);
  return part;
}

function copyRange(range: string | undefined, size: number): [number, number] {
  if (range === undefined) return [0, size - 1];
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
  if (first === undefined || Number(first) > Number(last)) {
    throw new S3Error(
      "InvalidArgument",
      "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
      { ArgumentName: "x-amz-copy-source-range", ArgumentValue: range },
    );
  }
  if (Number(last) >= size) {
    throw new S3Error("InvalidArgument", `Range specified is not valid for source object of size: ${size}`, {
      ArgumentName: "x-amz-copy-source-range",
      ArgumentValue: range,
    });
  }
  return [Number(first), Number(last)];
}
