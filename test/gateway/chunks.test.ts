/** Bodies in chunks: taken apart on their way, and worth nothing unless all of it is right. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { pump } from "../../src/edge/body.ts";
import { S3Fault } from "../../src/gateway/faults.ts";
import { verify } from "../../src/gateway/verify.ts";
import { Crc32c, Crc64Nvme } from "../../src/hash/crc.ts";
import { LIMITS } from "../../src/limits.ts";
import { Refused } from "../../src/refused.ts";
import {
  crc32Of,
  type Frames,
  KiB,
  SIGNED,
  SIGNED_TRAILER,
  UNSIGNED,
  type Upload,
  upload,
} from "./chunked.ts";
import { HOST, NOW, requestOf, service, signing, smithy } from "./signers.ts";

const bytes = (size: number, seed = 1) =>
  Uint8Array.from({ length: size }, (_, i) => (i * 31 + seed * 7 + (i >> 8)) & 0xff);
const pieces = [bytes(64 * KiB), bytes(8 * KiB, 2), bytes(70_001, 3), bytes(5, 4)];
const whole = Buffer.concat(pieces);
const CRC = "x-amz-checksum-crc32";
const crc: [string, string] = [CRC, crc32Of(whole)];

/** What the store would have of it: as the edge sends it on. */
async function stored(request: Request): Promise<{ bytes: Buffer; fault?: unknown }> {
  const { body } = await verify(request, { host: HOST, service, now: NOW });
  if (body.stream === null) return { bytes: Buffer.alloc(0) };
  const length = body.length ?? 0;
  const { readable, writable } = new FixedLengthStream(length);
  const taken: Uint8Array[] = [];
  const taking = (async () => {
    for await (const piece of readable) taken.push(Uint8Array.from(piece));
  })().catch(() => {});
  const end = new AbortController();
  const fault = await pump(body.stream, writable, {
    length,
    digests: body.digests,
    stallLimit: 10_000,
    onStall: () => {},
    signal: end.signal,
    limits: LIMITS,
  }).then(
    () => undefined,
    (error: unknown) => error,
  );
  end.abort();
  await taking;
  return { bytes: Buffer.concat(taken), fault };
}

/** The code that S3 would answer, once it is sure that nothing whole has come to the store. */
async function refusal(request: Promise<Request>): Promise<string> {
  try {
    const { bytes, fault } = await stored(await request);
    if (fault === undefined) return `stored ${bytes.length} bytes`;
    expect(bytes.length).toBeLessThan(whole.length);
    return codeOf(fault);
  } catch (error) {
    return codeOf(error);
  }
}

function codeOf(fault: unknown): string {
  if (fault instanceof S3Fault) return fault.code;
  if (fault instanceof Refused) return `${fault.reason}: ${fault.errors?.map(({ path }) => path)}`;
  throw fault;
}

describe("a body in chunks is what is in them", () => {
  test.each<[string, Upload]>([
    ["unsigned", { payload: UNSIGNED, pieces }],
    ["unsigned, with a checksum after it", { payload: UNSIGNED, pieces, trailers: [crc] }],
    ["signed", { payload: SIGNED, pieces }],
    ["signed, with a trailer", { payload: SIGNED_TRAILER, pieces, trailers: [crc] }],
    ["in small chunks, unsigned", { payload: UNSIGNED, pieces: Array.from({ length: 300 }, () => bytes(3)) }],
    ["one byte", { payload: SIGNED, pieces: [bytes(1)] }],
    ["nothing", { payload: SIGNED_TRAILER, pieces: [], trailers: [[CRC, "AAAAAA=="]] }],
  ])("%s", async (_, given) => {
    const { bytes, fault } = await stored(await upload(given));
    expect(fault).toBeUndefined();
    expect(bytes.equals(Buffer.concat(given.pieces))).toBe(true);
  });

  const digestOf = (checksum: { update(bytes: Uint8Array): void; digest(): Uint8Array }) => {
    checksum.update(whole);
    return Buffer.from(checksum.digest()).toString("base64");
  };
  test.each([
    ["crc32c", () => digestOf(new Crc32c())],
    ["crc64nvme", () => digestOf(new Crc64Nvme())],
    ["sha1", () => createHash("sha1").update(whole).digest("base64")],
    ["sha256", () => createHash("sha256").update(whole).digest("base64")],
  ])("with a trailer of %s", async (name, digest) => {
    const header = `x-amz-checksum-${name}`;
    const good = { payload: SIGNED_TRAILER, pieces, trailers: [[header, digest()]] } satisfies Upload;
    const { bytes, fault } = await stored(await upload(good as Upload));
    expect([fault, bytes.equals(whole)]).toEqual([undefined, true]);
    const other = Buffer.from(digest(), "base64").map((byte) => byte ^ 1);
    const bad = [[header, Buffer.from(other).toString("base64")]] as Upload["trailers"];
    expect(await refusal(upload({ ...good, trailers: bad as never }))).toBe(`invalid-request: ${header}`);
  });

  test("and its framing is not told to anybody", async () => {
    const request = await upload({
      payload: UNSIGNED,
      pieces,
      trailers: [crc],
      headers: { "content-encoding": "aws-chunked, gzip", "x-amz-sdk-checksum-algorithm": "CRC32" },
    });
    const { headers, body } = await verify(request, { host: HOST, service, now: NOW });
    expect(body.length).toBe(whole.length);
    expect(Object.fromEntries(headers)).toEqual({
      "content-encoding": "gzip",
      "content-length": String(whole.length),
      "x-amz-sdk-checksum-algorithm": "CRC32",
    });
    await body.stream?.cancel();
  });
});

describe("a body in chunks is refused, and nothing whole is stored,", () => {
  const signed: Upload = { payload: SIGNED, pieces };
  const trailed: Upload = { payload: SIGNED_TRAILER, pieces, trailers: [crc] };
  const unsigned: Upload = { payload: UNSIGNED, pieces, trailers: [crc] };
  const chunk = ({ chunks }: Frames, i: number) => chunks[i] as Frames["chunks"][number];
  const flip = ({ bytes }: Frames["chunks"][number], at: number) => {
    bytes[at] = (bytes[at] ?? 0) ^ 1;
  };
  const own = (upload: Upload): Upload => ({ ...upload, pieces: pieces.map((piece) => piece.slice()) });
  const cut = (frames: Frames, by: string) => {
    frames.after = by;
  };
  test.each<[string, string, Upload, (frames: Frames) => void]>([
    ["of which a byte is another", "SignatureDoesNotMatch", own(signed), (f) => flip(chunk(f, 1), 9)],
    ["of which the last byte is another", "SignatureDoesNotMatch", own(signed), (f) => flip(chunk(f, 3), 4)],
    [
      "whose chunks change places",
      "SignatureDoesNotMatch",
      signed,
      ({ chunks }) => void chunks.splice(0, 2, chunks[1] as never, chunks[0] as never),
    ],
    [
      "in which a chunk comes twice",
      "SignatureDoesNotMatch",
      signed,
      ({ chunks }) => void chunks.splice(1, 0, chunks[1] as never),
    ],
    [
      "in which one chunk takes another's place",
      "SignatureDoesNotMatch",
      { ...signed, pieces: [pieces[1], bytes(8 * KiB, 9)] as never },
      ({ chunks }) => void chunks.splice(1, 1, chunks[0] as never),
    ],
    ["that lacks a chunk", "SignatureDoesNotMatch", signed, ({ chunks }) => void chunks.splice(2, 1)],
    [
      "that lacks the last chunk with bytes",
      "IncompleteBody",
      signed,
      ({ chunks }) => void chunks.splice(3, 1),
    ],
    ["that lacks its end", "IncompleteBody", signed, ({ chunks }) => void chunks.pop()],
    ["that ends before its last line", "IncompleteBody", signed, (f) => cut(f, "")],
    ["that goes on after its end", "IncompleteBody", signed, (f) => cut(f, "\r\n0")],
    [
      "whose last signature is another",
      "SignatureDoesNotMatch",
      signed,
      (f) => void Object.assign(chunk(f, 4), { signature: "0".repeat(64) }),
    ],
    ["without a chunk's signature", "IncompleteBody", signed, (f) => void delete chunk(f, 1).signature],
    [
      "of small signed chunks",
      "InvalidChunkSizeError",
      { payload: SIGNED, pieces: [bytes(8191), bytes(2)] },
      () => {},
    ],
    [
      "that is signed where the request says that it is not",
      "IncompleteBody",
      unsigned,
      (f) => void Object.assign(chunk(f, 0), { signature: "0".repeat(64) }),
    ],
    [
      "whose checksum is another's",
      "invalid-request: x-amz-checksum-crc32",
      { ...unsigned, trailers: [[CRC, "AAAAAA=="]] },
      () => {},
    ],
    [
      "whose checksum is changed on its way",
      "SignatureDoesNotMatch",
      trailed,
      (f) => void Object.assign(f, { trailers: [[CRC, "AAAAAA=="]] }),
    ],
    [
      "whose checksum is taken away",
      "SignatureDoesNotMatch",
      trailed,
      (f) => void Object.assign(f, { trailers: [] }),
    ],
    [
      "whose unsigned checksum is taken away",
      "invalid-request: x-amz-checksum-crc32",
      unsigned,
      (f) => void Object.assign(f, { trailers: [] }),
    ],
    ["whose trailer is not signed", "MalformedTrailerError", trailed, (f) => void delete f.trailerSignature],
    [
      "whose trailer's signature is another",
      "SignatureDoesNotMatch",
      trailed,
      (f) => void Object.assign(f, { trailerSignature: "0".repeat(64) }),
    ],
    [
      "whose trailer was not announced",
      "invalid-request: x-amz-checksum-sha1",
      unsigned,
      (f) => void f.trailers.push(["x-amz-checksum-sha1", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="]),
    ],
    ["whose trailer comes twice", "MalformedTrailerError", unsigned, (f) => void f.trailers.push(crc)],
    [
      "whose trailer is no line",
      "MalformedTrailerError",
      unsigned,
      (f) => void f.trailers.push(["no name", ""]),
    ],
    ["whose trailer has no end", "IncompleteBody", unsigned, (f) => cut(f, "")],
    [
      "with more in its trailer than anybody sends",
      "IncompleteBody",
      unsigned,
      (f) => void f.trailers.push(["x-amz-a", "a".repeat(2000)]),
    ],
    [
      "that is longer than it says",
      "IncompleteBody",
      { ...unsigned, length: String(whole.length - 1) },
      () => {},
    ],
    [
      "that is shorter than it says",
      "IncompleteBody",
      { ...unsigned, length: String(whole.length + 1) },
      () => {},
    ],
    ["that says nothing of its length", "MissingContentLength", { ...unsigned, length: undefined }, () => {}],
    ["that says of no length", "InvalidArgument", { ...unsigned, length: "-1" }, () => {}],
    [
      "that says of a trailer, and of none",
      "InvalidRequest",
      { ...signed, headers: { "x-amz-trailer": CRC } },
      () => {},
    ],
    [
      "whose trailer would be no checksum",
      "invalid-request: x-amz-meta-a",
      { ...unsigned, trailers: [["x-amz-meta-a", "b"]] },
      () => {},
    ],
    [
      "of a size that is no number",
      "IncompleteBody",
      unsigned,
      (f) => void Object.assign(chunk(f, 0), { signature: "x" }),
    ],
    [
      "signed with chunks of another request",
      "SignatureDoesNotMatch",
      signed,
      (f) => void Object.assign(chunk(f, 0), { signature: "a".repeat(64) }),
    ],
  ])("%s: %s", async (_, code, given, change) => {
    expect(await refusal(upload(given, change))).toBe(code);
  });

  test("empty, that goes on", async () => {
    const request = upload({ payload: SIGNED, pieces: [] }, (frames) => cut(frames, "\r\nmore"));
    expect(await refusal(request)).toBe("IncompleteBody");
  });

  test("whose chunks are those of another request with the same body", async () => {
    const other = await upload({ ...signed, path: "/s3/media/b" });
    const taken = new Uint8Array(await other.arrayBuffer());
    const request = await upload(signed);
    const mixed = new Request(request, { body: taken });
    expect(await refusal(Promise.resolve(mixed))).toBe("SignatureDoesNotMatch");
  });
});

describe("a body in one", () => {
  const put = async (payload: string, body: Uint8Array<ArrayBuffer> | null = Uint8Array.from(whole)) => {
    const signed = await smithy(
      {
        method: "PUT",
        path: "/s3/media/a",
        query: {},
        headers: { "content-length": String(body?.length ?? 0) },
      },
      { ...signing, payload },
    );
    return requestOf(signed, body);
  };
  const sha256 = createHash("sha256").update(whole).digest("hex");

  test("is stored where its hash is what was signed", async () => {
    for (const payload of [sha256, "UNSIGNED-PAYLOAD"]) {
      const { bytes, fault } = await stored(await put(payload));
      expect([fault, bytes.equals(whole)]).toEqual([undefined, true]);
    }
  });

  test("is not stored where its hash is another", async () => {
    const other = createHash("sha256").update("other").digest("hex");
    expect(await refusal(put(other))).toBe("invalid-request: x-amz-content-sha256");
    expect(await refusal(put(other, null))).toBe("invalid-request: x-amz-content-sha256");
  });

  test("is refused where what is signed is no hash", async () => {
    expect(await refusal(put("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"))).toBe("InvalidArgument");
    expect(await refusal(put(sha256.toUpperCase()))).toBe("InvalidArgument");
  });

  test("that is no object is read whole, up to a limit", async () => {
    const { body } = await verify(await put(sha256), { host: HOST, service, now: NOW });
    expect(whole.equals(await body.bytes(whole.length))).toBe(true);
    const again = await verify(await put(sha256), { host: HOST, service, now: NOW });
    await expect(again.body.bytes(whole.length - 1)).rejects.toMatchObject({ code: "MalformedXML" });
    const chunked = await verify(await upload({ payload: SIGNED_TRAILER, pieces, trailers: [crc] }), {
      host: HOST,
      service,
      now: NOW,
    });
    expect(whole.equals(await chunked.body.bytes(whole.length))).toBe(true);
  });
});
