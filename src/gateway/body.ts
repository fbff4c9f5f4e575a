/** The body of a request whose signature is right: held against what the signature says of it, while it goes through. */
import { Buffer } from "node:buffer";
import { Digests } from "../edge/digests.ts";
import type { HmacKey } from "../hash/hmac.ts";
import { UNSIGNED_PAYLOAD } from "../s3/sign/sigv4.ts";
import type { Claim } from "./claim.ts";
import { S3Fault } from "./faults.ts";

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
  /** The request's own, without those of the signature and of the framing. */
  readonly headers: Headers;
  readonly body: VerifiedBody;
}

/** @throws {S3Fault} @throws {Refused} invalid-request with headers that no body could match */
export async function bodyOf(request: Request, { payload }: Claim, _key: HmacKey): Promise<Opened> {
  const headers = new Headers(request.headers);
  for (const name of OF_THE_SIGNATURE) headers.delete(name);
  if (payload !== UNSIGNED_PAYLOAD && !/^[0-9a-f]{64}$/.test(payload))
    throw new S3Fault(
      "InvalidArgument",
      "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, or a valid sha256 value.",
    );
  const promised = new Headers(headers);
  promised.set("x-amz-content-sha256", payload);
  const digests = new Digests(promised);
  const length = lengthOf(headers.get("content-length"), request.body);
  const stream = length === 0 ? null : (request.body as ReadableStream<Uint8Array> | null);
  if (stream === null) digests.verify();
  return { headers, body: { stream, length, digests, bytes: (limit) => read(stream, digests, limit) } };
}

const OF_THE_SIGNATURE = [
  ...["authorization", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-amz-cf-id"],
];

function lengthOf(header: string | null, body: ReadableStream | null): number | undefined {
  if (header !== null) return Number(header);
  return body === null ? 0 : undefined;
}

async function read(
  stream: ReadableStream<Uint8Array> | null,
  digests: Digests,
  limit: number,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  if (stream === null) return new Uint8Array();
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
