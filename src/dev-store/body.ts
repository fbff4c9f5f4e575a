/**
 * A request's body, held against everything that was said of it: its length, its MD5, its checksum, the signed hash.
 * A mismatch is thrown at the end of the stream, before anything is stored.
 */
import { CHUNKED, unchunk } from "./aws-chunked.ts";
import { type Call, header } from "./call.ts";
import {
  type Algorithm,
  type Checksum,
  type Claim,
  checkDigest,
  claimedChecksum,
  type Digest,
  hashDigest,
  newDigest,
} from "./checksums.ts";
import { S3Error } from "./errors.ts";
import { MAX_PUT_BYTES } from "./limits.ts";

/** XML documents and policies are small, bytes. */
const MAX_DOCUMENT_BYTES = 2 ** 20;

export interface Body {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** After the last byte: the checksum that was claimed, or else the one that is wanted. */
  readonly checksum: () => Checksum | undefined;
}

/**
 * The body of PutObject and UploadPart.
 *
 * @param wanted computed where the request claims none
 * @throws {S3Error} before the first byte, or after the last
 */
export function bodyOf(call: Call, wanted?: Algorithm): Body {
  const { payload, request, signing } = call;
  const framing = payload in CHUNKED ? CHUNKED[payload as keyof typeof CHUNKED] : undefined;
  if (framing === undefined && !/^(UNSIGNED-PAYLOAD|[\da-f]{64})$/.test(payload)) {
    throw new S3Error(
      "InvalidArgument",
      "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a valid sha256 value, or one of STREAMING-…",
      { ArgumentName: "x-amz-content-sha256", ArgumentValue: payload },
    );
  }
  const length = lengthOf(call, framing !== undefined);
  const trailer = trailerOf(call, framing?.trailer ?? false);
  const claim = claimedChecksum(call.headers, trailer);
  const algorithm = claim?.algorithm ?? wanted;
  const trailers: Record<string, string> = {};
  // Ended early, the request must stay open: the refusal is still to be answered on it.
  const incoming = request.iterator({ destroyOnReturn: false });
  const plain = framing === undefined ? incoming : unchunk(incoming, framing, signing, trailers);
  const expectations = expectationsOf(call);
  let checksum: Checksum | undefined;
  if (algorithm !== undefined) {
    const check = (value: string) => {
      if (trailer !== undefined && Object.keys(trailers).join() !== trailer) throw trailerMissing();
      if (claim !== undefined) checkDigest(algorithm, claim.value ?? trailers[trailer ?? ""], value);
      checksum = { algorithm, value, type: "FULL_OBJECT" };
    };
    expectations.push({ digest: newDigest(algorithm), check });
  }
  return { bytes: verified(plain, length, expectations), checksum: () => checksum };
}

interface Expectation {
  readonly digest: Digest;
  /** Throws when it is not what was said. */
  readonly check: (computed: string) => void;
}

function expectationsOf(call: Call): Expectation[] {
  const expectations: Expectation[] = [];
  const md5 = header(call, "content-md5");
  if (md5 !== undefined) {
    if (!isMd5(md5)) throw new S3Error("InvalidDigest", "The Content-MD5 you specified was invalid.");
    const check = (computed: string) => {
      if (computed === md5) return;
      const more = { ExpectedDigest: md5, CalculatedDigest: computed };
      throw new S3Error("BadDigest", "The Content-MD5 you specified did not match what we received.", more);
    };
    expectations.push({ digest: hashDigest("md5"), check });
  }
  if (/^[\da-f]{64}$/.test(call.payload)) {
    const check = (computed: string) => {
      if (Buffer.from(computed, "base64").toString("hex") === call.payload) return;
      throw new S3Error(
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
      );
    };
    expectations.push({ digest: hashDigest("sha256"), check });
  }
  return expectations;
}

/** Bytes that come by another way: those of a copy, or of a form's file. @throws {S3Error} BadDigest, at their end */
export function bodyFrom(
  bytes: AsyncIterable<Uint8Array>,
  claim: { readonly algorithm: Algorithm; readonly value?: string | undefined } | undefined,
): Body {
  if (claim === undefined) return { bytes, checksum: () => undefined };
  const { algorithm, value: claimed } = claim;
  const digest = newDigest(algorithm);
  let value = "";
  async function* digested() {
    for await (const chunk of bytes) {
      digest.update(chunk);
      yield chunk;
    }
    value = digest.base64();
    if (claimed !== undefined) checkDigest(algorithm, claimed, value);
  }
  return { bytes: digested(), checksum: () => ({ algorithm, value, type: "FULL_OBJECT" }) };
}

/**
 * A small body as text.
 *
 * @param mostBytes how long it may be
 */
export async function documentOf(call: Call, mostBytes = MAX_DOCUMENT_BYTES): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bodyOf(call).bytes) {
    size += chunk.length;
    if (size > mostBytes) throw new S3Error("EntityTooLarge", "The document is too large.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** @throws {S3Error} InvalidRequest when nothing is said of a document that must be held against something */
export function requireDigest(call: Call): void {
  if (header(call, "content-md5") !== undefined || claimsChecksum(call) !== undefined) return;
  throw new S3Error("InvalidRequest", "Missing required header for this request: Content-MD5");
}

/** The checksum that a request claims, in a header or after its body. */
export function claimsChecksum(call: Call): Claim | undefined {
  return claimedChecksum(call.headers, trailerOf(call, call.payload.endsWith("-TRAILER")));
}

function lengthOf(call: Call, isChunked: boolean): number {
  if (!isChunked && call.headers["transfer-encoding"] !== undefined) {
    throw new S3Error(
      "NotImplemented",
      "A header you provided implies functionality that is not implemented",
      { Header: "Transfer-Encoding" },
    );
  }
  const text = header(call, isChunked ? "x-amz-decoded-content-length" : "content-length");
  if (text === undefined)
    throw new S3Error("MissingContentLength", "You must provide the Content-Length HTTP header.");
  if (!/^\d{1,15}$/.test(text))
    throw new S3Error("InvalidArgument", "The length must be a whole number of bytes.");
  if (Number(text) > MAX_PUT_BYTES) {
    throw new S3Error("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", {
      ProposedSize: text,
      MaxSizeAllowed: String(MAX_PUT_BYTES),
    });
  }
  return Number(text);
}

function trailerOf(call: Call, isExpected: boolean): string | undefined {
  const named = header(call, "x-amz-trailer")?.trim().toLowerCase();
  if (!isExpected && named !== undefined)
    throw new S3Error("InvalidRequest", "x-amz-trailer is only for a body with STREAMING-…-TRAILER.");
  if (isExpected && !named) throw trailerMissing();
  return isExpected ? named : undefined;
}

function trailerMissing(): S3Error {
  return new S3Error(
    "MalformedTrailerError",
    "The request contained trailing data that was not well-formed or did not conform to our published schema.",
  );
}

async function* verified(
  body: AsyncIterable<Uint8Array>,
  length: number,
  expectations: readonly Expectation[],
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > length) break;
    for (const { digest } of expectations) digest.update(chunk);
    yield chunk;
  }
  if (size !== length) {
    throw new S3Error(
      "IncompleteBody",
      "You did not provide the number of bytes specified by the Content-Length HTTP header.",
    );
  }
  for (const { digest, check } of expectations) check(digest.base64());
}

function isMd5(text: string): boolean {
  const bytes = Buffer.from(text, "base64");
  return bytes.length === 16 && bytes.toString("base64") === text;
}
