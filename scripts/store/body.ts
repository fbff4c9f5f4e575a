/**
 * A request's body, held against everything that was said of it: its length, its MD5, its checksums, the signed hash.
 * The mismatch is thrown at the end of the stream, before anything is stored.
 */
import { createHash, type Hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { type Call, header } from "./call.ts";
import { S3Error } from "./errors.ts";

/** The most that one PUT may carry: 5 GiB. */
const MAX_PUT_BYTES = 5 * 2 ** 30;
/** XML documents and policies are small, bytes. */
const MAX_DOCUMENT_BYTES = 2 ** 20;

interface Digest {
  update(chunk: Uint8Array): void;
  base64(): string;
}

const DIGESTS: Readonly<Record<string, () => Digest>> = {
  "x-amz-checksum-sha256": () => hashDigest(createHash("sha256")),
  "x-amz-checksum-sha1": () => hashDigest(createHash("sha1")),
  "x-amz-checksum-crc32": () => {
    let sum = 0;
    return {
      update: (chunk) => {
        sum = crc32(chunk, sum);
      },
      base64: () => {
        const bytes = Buffer.alloc(4);
        bytes.writeUInt32BE(sum);
        return bytes.toString("base64");
      },
    };
  },
};

/** The body of PutObject and UploadPart. @throws {S3Error} before the first byte, or after the last */
export function bodyOf(call: Call): AsyncIterable<Uint8Array> {
  const { payload, request } = call;
  const chunked = payload.startsWith("STREAMING-");
  if (chunked && payload !== "STREAMING-UNSIGNED-PAYLOAD-TRAILER") {
    throw new S3Error(
      "NotImplemented",
      `${payload} is not implemented: send UNSIGNED-PAYLOAD or the body's SHA-256.`,
    );
  }
  const length = header(call, chunked ? "x-amz-decoded-content-length" : "content-length");
  if (length === undefined)
    throw new S3Error("MissingContentLength", "You must provide the Content-Length HTTP header.");
  if (Number(length) > MAX_PUT_BYTES) {
    throw new S3Error("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size of 5 GiB.");
  }
  const trailers: Record<string, string> = {};
  // Ended early, the request must stay open: the refusal is still to be answered on it.
  const incoming = request.iterator({ destroyOnReturn: false });
  const plain = chunked ? unchunk(incoming, trailers) : incoming;
  return verified(plain, Number(length), expectedOf(call), trailers);
}

/** A small body as text. */
export async function documentOf(call: Call): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bodyOf(call)) {
    size += chunk.length;
    if (size > MAX_DOCUMENT_BYTES) throw new S3Error("EntityTooLarge", "The document is too large.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

type Expected = {
  name: string;
  digest: Digest;
  value: string;
  code: "BadDigest" | "XAmzContentSHA256Mismatch";
}[];

function expectedOf(call: Call): Expected {
  const expected: Expected = [];
  const md5 = header(call, "content-md5");
  if (md5 !== undefined) {
    if (Buffer.from(md5, "base64").length !== 16)
      throw new S3Error("InvalidDigest", "The Content-MD5 is not valid.");
    expected.push({
      name: "content-md5",
      digest: hashDigest(createHash("md5")),
      value: md5,
      code: "BadDigest",
    });
  }
  for (const name of Object.keys(call.headers)) {
    if (
      !name.startsWith("x-amz-checksum-") ||
      name === "x-amz-checksum-algorithm" ||
      name === "x-amz-checksum-type"
    )
      continue;
    expected.push({ name, digest: digestNamed(name), value: header(call, name) ?? "", code: "BadDigest" });
  }
  const trailer = header(call, "x-amz-trailer")?.toLowerCase();
  if (trailer !== undefined)
    expected.push({ name: trailer, digest: digestNamed(trailer), value: "", code: "BadDigest" });
  if (/^[0-9a-f]{64}$/.test(call.payload)) {
    const value = Buffer.from(call.payload, "hex").toString("base64");
    expected.push({
      name: "x-amz-content-sha256",
      digest: hashDigest(createHash("sha256")),
      value,
      code: "XAmzContentSHA256Mismatch",
    });
  } else if (call.payload !== "UNSIGNED-PAYLOAD" && !call.payload.startsWith("STREAMING-")) {
    throw new S3Error(
      "InvalidArgument",
      "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-… or a SHA-256 in hex.",
    );
  }
  return expected;
}

function digestNamed(name: string): Digest {
  const make = DIGESTS[name];
  if (make === undefined)
    throw new S3Error("NotImplemented", `${name} is not implemented: send SHA-256, SHA-1 or CRC-32.`);
  return make();
}

async function* verified(
  body: AsyncIterable<Uint8Array>,
  length: number,
  expected: Expected,
  trailers: Readonly<Record<string, string>>,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    for (const { digest } of expected) digest.update(chunk);
    yield chunk;
  }
  if (size !== length) {
    throw new S3Error(
      "IncompleteBody",
      "You did not provide the number of bytes specified by the Content-Length HTTP header.",
    );
  }
  for (const { name, digest, value, code } of expected) {
    if (digest.base64() !== (value || trailers[name])) {
      throw new S3Error(code, `The ${name} you specified did not match what we received.`);
    }
  }
}

/** Takes the aws-chunked framing off. @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html */
async function* unchunk(
  body: AsyncIterable<Uint8Array>,
  trailers: Record<string, string>,
): AsyncGenerator<Uint8Array> {
  const malformed = () => new S3Error("IncompleteBody", "The body is not a complete aws-chunked stream.");
  let buffer = Buffer.alloc(0);
  let left = -1; // bytes of the chunk still to come; -1: a chunk's size line is next; -2: trailers
  for await (const piece of body) {
    buffer = buffer.length === 0 ? Buffer.from(piece) : Buffer.concat([buffer, piece]);
    while (buffer.length > 0) {
      if (left > 0) {
        const part = buffer.subarray(0, left);
        left -= part.length;
        buffer = buffer.subarray(part.length);
        yield part;
        continue;
      }
      const end = buffer.indexOf("\r\n");
      if (end < 0) break;
      const line = buffer.subarray(0, end).toString("latin1");
      buffer = buffer.subarray(end + 2);
      if (left === 0) {
        if (line !== "") throw malformed();
        left = -1;
      } else if (left === -2) {
        const colon = line.indexOf(":");
        if (colon > 0) trailers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
      } else {
        left = Number.parseInt(line, 16);
        if (Number.isNaN(left)) throw malformed();
        if (left === 0) left = -2;
      }
    }
  }
  if (left !== -2) throw malformed();
}

function hashDigest(hash: Hash): Digest {
  return { update: (chunk) => void hash.update(chunk), base64: () => hash.digest("base64") };
}
