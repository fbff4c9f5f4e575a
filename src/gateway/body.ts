/** The body of a request whose signature is right: held against what the signature says of it, while it goes through. */
import { Digests } from "../edge/digests.ts";
import type { HmacKey } from "../hash/hmac.ts";
import { UNSIGNED_PAYLOAD } from "../s3/sign/sigv4.ts";
import { type Chunked, FRAMINGS, unchunked } from "./chunks.ts";
import type { Claim } from "./claim.ts";
import { S3Fault } from "./faults.ts";
import { hoist } from "./hoist.ts";
import { scopeOf } from "./signature.ts";
import { WHOLE_CHECKSUMS } from "./whole-checksum.ts";

export interface VerifiedBody {
  /**
   * What is to be stored, without the framing of chunks; null where there is nothing. Its last byte comes only once the
   * framing, every chunk's signature and the length are right, and it breaks off with an S3Fault otherwise. Whether it
   * matches `digests` is for its taker to ask, before the last byte is let go.
   */
  readonly stream: ReadableStream<Uint8Array> | null;
  /** Bytes of it; undefined where the client does not say. */
  readonly length: number | undefined;
  /** What it is promised to be: by its hash in the signature, by headers, and by what comes after it. */
  readonly digests: Digests;
  /**
   * All of it, for what is no object.
   *
   * @param limit bytes
   * @throws {S3Fault} MalformedXML where it is longer; as `stream` breaks off
   * @throws {Refused} invalid-request where it is not what it is promised to be
   */
  bytes(limit: number): Promise<Uint8Array>;
}

export interface Opened {
  /** The request's own and those in its query, without those of the signature and of the framing. */
  readonly headers: Headers;
  readonly body: VerifiedBody;
}

/**
 * @param query without the signature's own; headers in it are taken out of it
 * @throws {S3Fault}
 * @throws {Refused} invalid-request with headers that no body could match
 */
export async function bodyOf(
  request: Request,
  query: URLSearchParams,
  claim: Claim,
  key: HmacKey,
): Promise<Opened> {
  const headers = new Headers(request.headers);
  for (const name of OF_THE_SIGNATURE) headers.delete(name);
  hoist(query, headers, claim);
  if (isFraming(claim.payload)) return inChunks(request, headers, claim, FRAMINGS[claim.payload], key);
  if (claim.payload !== UNSIGNED_PAYLOAD && !/^[0-9a-f]{64}$/.test(claim.payload))
    throw new S3Fault(
      "InvalidArgument",
      "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, or a valid sha256 value.",
    );
  const promised = new Headers(headers);
  promised.set("x-amz-content-sha256", claim.payload);
  // At the end of an upload in parts they are the object's, and not the document's.
  const isOfUpload = claim.others.some(([name]) => name === "uploadId");
  if (request.method === "POST" && isOfUpload) for (const name of WHOLE_CHECKSUMS) promised.delete(name);
  const digests = new Digests(promised);
  return { headers, body: await opened(request.body, lengthOf(headers, request.body), digests) };
}

const OF_THE_SIGNATURE = [
  ...["authorization", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-amz-cf-id"],
];
const OF_THE_FRAMING = ["x-amz-decoded-content-length", "x-amz-trailer", "transfer-encoding"];

function isFraming(payload: string): payload is keyof typeof FRAMINGS {
  return Object.hasOwn(FRAMINGS, payload);
}

function inChunks(
  { body }: Request,
  headers: Headers,
  claim: Claim,
  framing: Chunked["framing"],
  key: HmacKey,
): Promise<Opened> {
  const length = decodedLength(headers);
  const trailers = trailersOf(headers, framing);
  for (const name of OF_THE_FRAMING) headers.delete(name);
  headers.set("content-length", String(length));
  const encodings = (headers.get("content-encoding") ?? "").split(",").map((each) => each.trim());
  const others = encodings.filter((each) => each.toLowerCase() !== "aws-chunked" && each !== "");
  headers.delete("content-encoding");
  if (others.length > 0) headers.set("content-encoding", others.join(","));

  const digests = new Digests(headers, trailers);
  if (body === null) throw new S3Fault("IncompleteBody", "The body is not a complete aws-chunked stream.");
  const { timestamp, signature } = claim;
  const stream = unchunked(body, {
    framing,
    length,
    signing: { timestamp, scope: scopeOf(claim), signature, key },
    onTrailer: (name, value) => digests.trailer(name, value),
  });
  return opened(stream, length, digests).then((body) => ({ headers, body }));
}

function decodedLength(headers: Headers): number {
  const header = headers.get("x-amz-decoded-content-length");
  if (header === null)
    throw new S3Fault("MissingContentLength", "You must provide the x-amz-decoded-content-length header.");
  if (!/^\d{1,15}$/.test(header))
    throw new S3Fault("InvalidArgument", "x-amz-decoded-content-length must be a number of bytes.");
  return Number(header);
}

/** Of which the client says beforehand that they come after the body. */
function trailersOf(headers: Headers, { hasTrailer }: Chunked["framing"]): string[] {
  const names = (headers.get("x-amz-trailer") ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
  if (hasTrailer || names.length === 0) return [...new Set(names)];
  throw new S3Fault("InvalidRequest", "x-amz-trailer is sent, and x-amz-content-sha256 says of no trailer.");
}

/** A body of no bytes is read at once: nobody else would. */
async function opened(
  body: ReadableStream | null,
  length: number | undefined,
  digests: Digests,
): Promise<VerifiedBody> {
  const whole = body as ReadableStream<Uint8Array> | null;
  if (whole !== null && length !== 0)
    return { stream: whole, length, digests, bytes: (limit) => read(whole, digests, limit) };
  await (whole && read(whole, digests, 0));
  digests.verify();
  return { stream: null, length: 0, digests, bytes: async () => new Uint8Array() };
}

/** Undefined where the body is sent in chunks of HTTP's own. */
function lengthOf(headers: Headers, body: ReadableStream | null): number | undefined {
  const header = headers.get("content-length");
  if (header !== null) return Number(header);
  return body === null ? 0 : undefined;
}

async function read(
  stream: ReadableStream<Uint8Array>,
  digests: Digests,
  limit: number,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  // What breaks off, breaks off here.
  for await (const piece of stream) {
    size += piece.length;
    if (size > limit)
      throw new S3Fault("MalformedXML", `The XML you provided is longer than ${limit} bytes.`);
    digests.update(piece);
    pieces.push(piece);
  }
  digests.verify();
  return Buffer.concat(pieces);
}
