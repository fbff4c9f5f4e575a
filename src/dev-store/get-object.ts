/** GetObject and HeadObject: a version, a part or a range of it, under conditions. */
import { pipeline } from "node:stream/promises";
import { CONTENT_HEADERS, checkReadable } from "./attributes.ts";
import { type Call, header } from "./call.ts";
import { type Checksum, checksumHeaders } from "./checksums.ts";
import { checkConditions, holdsIfRange, validators } from "./conditions.ts";
import { S3Error } from "./errors.ts";
import { MAX_PARTS } from "./limits.ts";
import { lockHeaders } from "./locks.ts";
import type { ObjectRow } from "./rows.ts";
import { checkOpens, refuseManaged, sseKeyOf } from "./ssec.ts";
import { tagCount } from "./tags.ts";
import { objectOf, versionHeaders, versionIdOf } from "./versions.ts";
import { encryptionOf } from "./write.ts";

export async function getObject(call: Call): Promise<void> {
  refuseManaged(call.headers);
  const sse = sseKeyOf(call.headers);
  const row = objectOf(call, versionIdOf(call));
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
  if (call.method === "GET") checkReadable(row.headers);
  const piece = pieceOf(call, row);
  const [first, last] = piece?.bytes ?? [0, row.size - 1];
  const checksum = piece === undefined ? row.checksum : piece.checksum;
  const isWanted = header(call, "x-amz-checksum-mode")?.toUpperCase() === "ENABLED";
  const { response, store } = call;
  response.writeHead(piece === undefined ? 200 : 206, {
    ...row.headers,
    ...overrides(call),
    ...validators(row),
    "accept-ranges": "bytes",
    "content-length": last - first + 1,
    ...(piece && row.size > 0 && { "content-range": `bytes ${first}-${last}/${row.size}` }),
    ...(row.parts.length > 0 && "partNumber" in call.query && { "x-amz-mp-parts-count": row.parts.length }),
    ...(isWanted && checksumHeaders(checksum)),
    ...tagCount(row.tags),
    ...lockHeaders(row.lock),
    ...encryptionOf(row),
    ...versionHeaders(call, row.version),
  });
  if (call.method === "HEAD") response.end();
  else await pipeline(store.segments.read(row.segments, first, last, sse), response);
}

/** response-content-type and its kin. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
function overrides({ query }: Call): Record<string, string> {
  const named = CONTENT_HEADERS.map((name) => [name, query[`response-${name}`]] as const);
  return Object.fromEntries(
    named.filter((entry): entry is readonly [string, string] => entry[1] !== undefined),
  );
}

interface Piece {
  /** The first and the last, both included. */
  readonly bytes: readonly [number, number];
  readonly checksum?: Checksum | undefined;
}

/** What of the object is asked for; undefined: all. */
function pieceOf(call: Call, row: ObjectRow): Piece | undefined {
  const { partNumber } = call.query;
  const range = header(call, "range");
  if (partNumber !== undefined) {
    if (range !== undefined)
      throw new S3Error("InvalidRequest", "Cannot specify both Range header and partNumber query parameter");
    return partOf(partNumber, row);
  }
  if (range === undefined || !holdsIfRange(header(call, "if-range"), row)) return undefined;
  const bytes = rangeOf(range, row.size);
  return bytes === undefined ? undefined : { bytes };
}

/** An object that was not uploaded in parts is its own first one. */
function partOf(partNumber: string, { parts, size, checksum }: ObjectRow): Piece {
  const number = Number(partNumber);
  if (!/^\d+$/.test(partNumber) || number < 1 || number > MAX_PARTS) {
    throw new S3Error("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive");
  }
  if (parts.length === 0 && number === 1) return { bytes: [0, size - 1], checksum };
  const index = parts.findIndex((part) => part.number === number);
  const part = parts[index];
  if (part === undefined) {
    throw new S3Error("InvalidPartNumber", "The requested partnumber is not satisfiable", {
      ActualPartCount: String(Math.max(parts.length, 1)),
      PartNumberRequested: partNumber,
    });
  }
  const first = parts.slice(0, index).reduce((sum, before) => sum + before.size, 0);
  const ofPart =
    part.checksum !== undefined && checksum !== undefined ? { ...checksum, value: part.checksum } : undefined;
  return { bytes: [first, first + part.size - 1], checksum: ofPart };
}

/** A range that is not well-formed, or one of several, is not there (RFC 9110, section 14.2). */
function rangeOf(range: string, size: number): [number, number] | undefined {
  const [, from = "", to = ""] = /^bytes=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(range) ?? [];
  if ((from === "" && to === "") || (from !== "" && to !== "" && Number(to) < Number(from))) return undefined;
  if (from === "" ? Number(to) === 0 || size === 0 : Number(from) >= size) {
    throw new S3Error(
      "InvalidRange",
      "The requested range is not satisfiable",
      { RangeRequested: range, ActualObjectSize: String(size) },
      { "content-range": `bytes */${size}` },
    );
  }
  if (from === "") return [Math.max(size - Number(to), 0), size - 1];
  return [Number(from), to === "" ? size - 1 : Math.min(Number(to), size - 1)];
}
