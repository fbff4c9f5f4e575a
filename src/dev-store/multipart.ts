/** The multipart upload: create, complete, abort. Its parts are in parts.ts. */
import { createHash } from "node:crypto";
import { attributesOf } from "./attributes.ts";
import { documentOf } from "./body.ts";
import { answer, type Call, parameter } from "./call.ts";
import {
  ALGORITHMS,
  type Checksum,
  checkDigest,
  checksumElements,
  chosenAlgorithm,
  claimedChecksum,
  elementOf,
  ofParts,
} from "./checksums.ts";
import { checkWrite, writeConditions } from "./conditions.ts";
import { S3Error } from "./errors.ts";
import { MAX_OBJECT_BYTES, MAX_PARTS, MIN_PART_BYTES } from "./limits.ts";
import { nameOf, nextOrder } from "./order.ts";
import { OBJECT_DEFAULTS, type ObjectRow, type PartRow, type UploadRow } from "./rows.ts";
import { type Named, refuseSse, type SseKey, sseKeyOf } from "./ssec.ts";
import { nextVersion, versionHeaders } from "./versions.ts";
import { encryptionOf, replace, seconds } from "./write.ts";
import { allElements, type Element, malformed, parseXml, text, xml } from "./xml.ts";

/** Ten thousand parts with their checksums. */
const MAX_DOCUMENT_BYTES = 8 * 2 ** 20;

export async function createMultipartUpload(call: Call): Promise<void> {
  const { store, bucket, key, headers } = call;
  const { sse, ...kept } = attributesOf(headers, store, bucket);
  const checksum = chosenAlgorithm(headers);
  const id = nameOf(nextOrder(), "hex");
  const upload: UploadRow = {
    id,
    bucket,
    key,
    keyMd5: sse?.md5 ?? null,
    created: store.verifier.now(),
    ...kept,
    ...(checksum && { checksum }),
  };
  store.database.createUpload(upload);
  answer(
    call,
    200,
    {
      ...encryptionOf(upload),
      ...(checksum && {
        "x-amz-checksum-algorithm": checksum.algorithm,
        "x-amz-checksum-type": checksum.type,
      }),
    },
    xml("InitiateMultipartUploadResult", { Bucket: bucket, Key: key, UploadId: id }),
  );
}

export async function completeMultipartUpload(call: Call): Promise<void> {
  const { store, bucket, key } = call;
  const uploadId = parameter(call, "uploadId");
  const sse = sseKeyOf(call.headers);
  const conditions = writeConditions(call.headers);
  const wanted = partsIn(await documentOf(documentCall(call), MAX_DOCUMENT_BYTES));
  const stored = store.database.parts(uploadId);
  const before = store.database.versionsOf(bucket, key).find((row) => row.uploadId === uploadId);
  const row = before ?? completed(call, sse, wanted, stored);
  if (before !== undefined) checkRepeated(before, wanted);
  else await replace(call, row, (there) => checkWrite(conditions, there));
  const unused = stored.filter(({ segment }) => !row.segments.some(({ file }) => file === segment.file));
  await store.segments.remove(unused.map(({ segment }) => segment));
  answer(
    call,
    200,
    { ...encryptionOf(row), ...versionHeaders(call, row.version) },
    xml("CompleteMultipartUploadResult", {
      Location: `http://${call.host}/${bucket}/${key}`,
      Bucket: bucket,
      Key: key,
      ETag: `"${row.etag}"`,
      ...checksumElements(row.checksum),
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

/** The upload that a request names. @throws {S3Error} NoSuchUpload */
export function uploadOf(call: Call): UploadRow {
  const upload = call.store.database.upload(parameter(call, "uploadId"));
  if (upload?.bucket !== call.bucket || upload.key !== call.key) {
    throw new S3Error(
      "NoSuchUpload",
      "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    );
  }
  return upload;
}

/** @throws {S3Error} InvalidRequest unless a part comes under the key, or under none, as the upload was created */
export function checkSameKey({ keyMd5 }: UploadRow, sse: SseKey | undefined): void {
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

interface WantedPart {
  readonly number: number;
  readonly etag: string;
  readonly element: Element;
}

function partsIn(document: string): WantedPart[] {
  const parts = allElements(parseXml(document, "CompleteMultipartUpload"), "Part").map((element) => {
    const [number, etag] = [text(element, "PartNumber")?.trim(), text(element, "ETag")?.trim()];
    if (!number || !/^\d+$/.test(number) || !etag)
      throw malformed("every Part has a PartNumber and an ETag.");
    return { number: Number(number), etag: etag.replace(/^"|"$/g, ""), element };
  });
  if (parts.length === 0) throw malformed("there must be at least one Part.");
  if (parts.some(({ number }) => number < 1 || number > MAX_PARTS))
    throw new S3Error("InvalidArgument", "PartNumber must be >= 1 and <= 10000");
  if (parts.some(({ number }, i) => number <= (parts[i - 1]?.number ?? 0))) {
    throw new S3Error(
      "InvalidPartOrder",
      "The list of parts was not in ascending order. Parts must be ordered by part number.",
    );
  }
  return parts;
}

/** The row of a completed upload, of the parts that the request names. */
function completed(
  call: Call,
  sse: SseKey | undefined,
  wanted: readonly WantedPart[],
  stored: readonly PartRow[],
): ObjectRow {
  const { store, key, headers } = call;
  const upload = uploadOf(call);
  if (sse !== undefined) checkSameKey(upload, sse);
  const parts = storedParts(stored, wanted, upload);
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  if (size > MAX_OBJECT_BYTES)
    throw new S3Error("EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.");
  const said = headers["x-amz-mp-object-size"];
  if (said !== undefined && said !== String(size)) {
    throw new S3Error(
      "InvalidRequest",
      `The provided 'x-amz-mp-object-size' header value ${said} does not match what was computed: ${size}`,
    );
  }
  const digests = parts.map(({ etag }) => Buffer.from(etag, "hex"));
  const checksum = wholeChecksum(upload, parts, headers);
  return {
    ...OBJECT_DEFAULTS,
    key,
    ...nextVersion(call),
    etag: `${createHash("md5").update(Buffer.concat(digests)).digest("hex")}-${parts.length}`,
    size,
    modified: seconds(store.verifier.now()),
    keyMd5: upload.keyMd5,
    headers: upload.headers,
    segments: parts.map(({ segment }) => segment),
    uploadId: upload.id,
    parts: parts.map(({ number, size, checksum: ofPart }) => ({
      number,
      size,
      ...(checksum && ofPart && { checksum: ofPart.value }),
    })),
    ...(checksum && { checksum }),
    tags: upload.tags,
    lock: upload.lock,
  };
}

function storedParts(
  stored: readonly PartRow[],
  wanted: readonly WantedPart[],
  { checksum }: UploadRow,
): PartRow[] {
  const byNumber = new Map(stored.map((part) => [part.number, part]));
  return wanted.map(({ number, etag, element }, i) => {
    const part = byNumber.get(number);
    if (part === undefined || part.etag !== etag || !hasChecksum(element, part)) {
      throw new S3Error(
        "InvalidPart",
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag or checksum may not match the part's.",
        { PartNumber: String(number), ETag: etag },
      );
    }
    if (checksum?.type === "COMPOSITE" && text(element, elementOf(checksum.algorithm)) === undefined) {
      throw new S3Error(
        "InvalidRequest",
        `The upload was created using a ${checksum.algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
      );
    }
    if (i < wanted.length - 1 && part.size < MIN_PART_BYTES) {
      throw new S3Error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", {
        ProposedSize: String(part.size),
        MinSizeAllowed: String(MIN_PART_BYTES),
        PartNumber: String(number),
        ETag: etag,
      });
    }
    return part;
  });
}

/** Whether every checksum that a Part names is the part's. */
function hasChecksum(element: Element, { checksum }: PartRow): boolean {
  return ALGORITHMS.every((one) => {
    const given = text(element, elementOf(one));
    return given === undefined || (one === checksum?.algorithm && given === checksum.value);
  });
}

/** @throws {S3Error} unless what the request says of the whole is so */
function wholeChecksum(
  { checksum }: UploadRow,
  parts: readonly PartRow[],
  headers: Named,
): Checksum | undefined {
  const type = headers["x-amz-checksum-type"]?.toString();
  if (type !== undefined && type !== checksum?.type) {
    throw new S3Error(
      "InvalidRequest",
      `The upload was created using the ${checksum?.type ?? "null"} checksum mode. The complete request must use the same checksum mode.`,
    );
  }
  const claimed = Object.entries(headers).filter(([name]) => /^x-amz-checksum-(crc|sha)/.test(name));
  if (checksum === undefined) {
    if (claimed.length === 0) return undefined;
    throw new S3Error("InvalidRequest", "Checksum Type mismatch occurred, expected checksum Type: null");
  }
  const whole = ofParts(
    checksum.algorithm,
    checksum.type,
    parts.map((part) => ({ value: part.checksum?.value ?? "", size: part.size })),
  );
  const suffix = checksum.type === "COMPOSITE" ? /-\d+$/ : /$/;
  const given = claimedChecksum(
    Object.fromEntries(claimed.map(([name, value]) => [name, String(value).replace(suffix, "")])),
  );
  if (given === undefined) return whole;
  if (given.algorithm !== checksum.algorithm) {
    throw new S3Error(
      "InvalidRequest",
      `Checksum Type mismatch occurred, expected checksum Type: ${checksum.algorithm.toLowerCase()}, actual checksum Type: ${given.algorithm.toLowerCase()}`,
    );
  }
  checkDigest(given.algorithm, given.value, whole.value.replace(suffix, ""));
  return whole;
}

/** The headers' checksum is the object's, not that of this request's body. */
function documentCall(call: Call): Call {
  const ofObject = /^x-amz-(checksum-(crc|sha)|sdk-checksum-algorithm)/;
  const headers = Object.entries(call.headers).filter(([name]) => !ofObject.test(name));
  return { ...call, headers: Object.fromEntries(headers) };
}

/** A repetition must be one. @throws {S3Error} InvalidPart */
function checkRepeated({ parts }: ObjectRow, wanted: readonly WantedPart[]): void {
  const isSame =
    wanted.length === parts.length && wanted.every(({ number }, i) => number === parts[i]?.number);
  // What an older store has completed does not say of which parts.
  if (parts.length === 0 || isSame) return;
  throw new S3Error("InvalidPart", "One or more of the specified parts could not be found.");
}
