/**
 * Every header that S3 or HTTP gives a meaning to is carried out or refused by its name, on every route; what clients,
 * browsers and proxies send beside passes.
 */
import { createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import { GetObjectTaggingCommand, ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { Crc32c, Crc64Nvme } from "../../src/hash/crc.ts";
import { call, freshKey, isCeph, type ProblemBody } from "../support/client.ts";
import { edge, MiB, path, problem, s3 } from "../support/edge.ts";
import { testSampled } from "../support/sampled.ts";

const LONG_AGO = "Sun, 06 Nov 1994 08:49:37 GMT";
const KEY = randomBytes(32).toString("base64");

/** What no route at the edge carries out. */
const NOWHERE: Record<string, string> = {
  "content-range": "bytes 0-1/4",
  digest: "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
  "upload-offset": "2",
  "upload-complete": "?0",
  "if-schedule-tag-match": '"x"',
  if: "(<urn:uuid:1>)",
  "x-amz-acl": "public-read",
  "x-amz-grant-read": "uri=http://acs.amazonaws.com/groups/global/AllUsers",
  "x-amz-grant-full-control": "id=1",
  "x-amz-copy-source": "/media/other",
  "x-amz-copy-source-if-match": '"x"',
  "x-amz-copy-source-range": "bytes=0-1",
  "x-amz-copy-source-server-side-encryption-customer-key": KEY,
  "x-amz-metadata-directive": "REPLACE",
  "x-amz-tagging-directive": "REPLACE",
  "x-amz-server-side-encryption": "AES256",
  "x-amz-server-side-encryption-aws-kms-key-id": "1",
  "x-amz-server-side-encryption-bucket-key-enabled": "true",
  "x-amz-server-side-encryption-context": "e30=",
  "x-amz-server-side-encryption-customer-algorithm": "AES256",
  "x-amz-server-side-encryption-customer-key": KEY,
  "x-amz-server-side-encryption-customer-key-md5": createHash("md5").update(KEY, "base64").digest("base64"),
  "x-amz-trailer": "x-amz-checksum-crc32",
  "x-amz-decoded-content-length": "4",
  "x-amz-checksum-algorithm": "SHA256",
  "x-amz-checksum-type": "FULL_OBJECT",
  "x-amz-checksum-md5": "1B2M2Y8AsgTpgAmY7PhCfg==",
  "x-amz-write-offset-bytes": "4",
  "x-amz-mfa": "1 123456",
  "x-amz-request-payer": "requester",
  "x-amz-expected-bucket-owner": "123456789012",
  "x-amz-source-expected-bucket-owner": "123456789012",
  "x-amz-bypass-governance-retention": "true",
  "x-amz-if-match-size": "3",
  "x-amz-if-match-last-modified-time": LONG_AGO,
  "x-amz-date": "20130524T000000Z",
  "x-amz-security-token": "token",
  "x-amz-object-attributes": "ETag",
  "x-amz-max-parts": "1",
  "x-amz-anything-new": "1",
};
/** What belongs to an upload alone. */
const OF_UPLOADS: Record<string, string> = {
  "x-amz-meta-who": "me",
  "x-amz-tagging": "a=1",
  "x-amz-storage-class": "STANDARD",
  "x-amz-website-redirect-location": "/elsewhere",
  "x-amz-object-lock-mode": "GOVERNANCE",
  "x-amz-object-lock-retain-until-date": "2100-01-01T00:00:00Z",
  "x-amz-object-lock-legal-hold": "ON",
  "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
  "x-amz-sdk-checksum-algorithm": "CRC32",
  "x-amz-checksum-crc32": "AAAAAA==",
  "x-amz-checksum-crc32c": "AAAAAA==",
  "x-amz-checksum-crc64nvme": "AAAAAAAAAAA=",
  "x-amz-checksum-sha1": "2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
  "x-amz-checksum-sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
  "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==",
  "content-digest": "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
  "repr-digest": "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
};
const OF_READS: Record<string, string> = {
  range: "bytes=0-1",
  "if-range": '"x"',
  "if-modified-since": LONG_AGO,
  "x-amz-checksum-mode": "ENABLED",
};
const OF_CONDITIONS: Record<string, string> = {
  "if-match": '"x"',
  "if-none-match": '"x"',
  "if-unmodified-since": LONG_AGO,
};

/** What means nothing, from clients of every kind and what stands between. */
const ORDINARY: Record<string, string> = {
  accept: "*/*",
  "accept-language": "de",
  "accept-charset": "utf-8",
  "user-agent": "curl/8",
  cookie: "a=b",
  referer: "https://app.example.com/",
  origin: "https://app.example.com",
  dnt: "1",
  priority: "u=1, i",
  pragma: "no-cache",
  "cache-control": "no-cache",
  "content-type": "text/plain",
  "sec-fetch-mode": "cors",
  "sec-ch-ua": '"Chromium";v="156"',
  "x-requested-with": "XMLHttpRequest",
  "x-forwarded-for": "192.0.2.1",
  "x-forwarded-proto": "https",
  "x-real-ip": "192.0.2.1",
  forwarded: "for=192.0.2.1",
  via: "1.1 proxy",
  "cf-ray": "1",
  "cdn-loop": "cloudflare",
  traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  tracestate: "a=b",
  baggage: "a=b",
  "x-request-id": "my-own",
  "x-amzn-trace-id": "Root=1-67891233-abcdef012345678912345678",
  "x-amz-cf-id": "abc",
  "x-amz-user-agent": "aws-sdk-js/3",
  "x-ms-client-request-id": "1",
  "want-content-digest": "sha-256=1",
  "upload-complete": "?1",
  te: "trailers",
  from: "me@example.com",
  "idempotency-key": "1",
};

const body = Buffer.from("new!");

async function expectRefused(
  answered: Promise<{ status: number; body: Buffer }>,
  header: string,
): Promise<void> {
  const { status, body } = await answered;
  expect([header, status, body.toString().slice(0, 300)]).toEqual([header, 400, expect.any(String)]);
  if (body.length > 0) {
    const { code, errors } = JSON.parse(body.toString()) as ProblemBody;
    expect({ code, errors }).toMatchObject({ code: "invalid-request", errors: [{ path: header }] });
  }
}

describe("PUT", () => {
  test("refuses by name what it does not carry out, and changes nothing", async () => {
    const key = freshKey();
    await edge("PUT", path("media", key), { body: Buffer.from("old!") });
    for (const [header, value] of Object.entries({
      ...NOWHERE,
      range: "bytes=0-1",
      "if-range": '"x"',
      "if-modified-since": LONG_AGO,
      "x-amz-checksum-mode": "ENABLED",
      "content-encoding": "aws-chunked",
      "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
      "x-amz-sdk-checksum-algorithm": "SHA256",
    })) {
      for (const given of [body, [body.subarray(0, 2), body.subarray(2)]]) {
        const headers = { [header]: value };
        await expectRefused(edge("PUT", path("media", key), { headers, body: given }), header);
      }
    }
    for (const encoding of ["gzip,aws-chunked", "AWS-Chunked, gzip", "aws-chunked"]) {
      const headers = { "content-encoding": encoding };
      await expectRefused(edge("PUT", path("media", key), { headers, body }), "content-encoding");
    }
    expect((await edge("GET", path("media", key))).body.toString()).toBe("old!");
  });

  test("names all of them at once, and a field by its header", async () => {
    const headers = { "x-amz-acl": "private", "content-range": "bytes 0-1/2" };
    const { errors = [] } = problem(await edge("PUT", path("media", freshKey()), { headers, body }));
    expect(errors.map(({ path }) => path).sort()).toEqual(["content-range", "x-amz-acl"]);
    for (const [header, value] of Object.entries({
      "content-md5": "x",
      "x-amz-checksum-crc32c": "AAAA",
      "x-amz-storage-class": "no such",
      "x-amz-tagging": "a=1&a=2",
      "x-amz-object-lock-mode": "SOMETIMES",
      expires: "soon",
      "x-amz-meta-long": "x".repeat(3000),
    })) {
      const answer = await edge("PUT", path("media", freshKey()), { headers: { [header]: value }, body });
      expect(answer.status).toBe(400);
      expect(problem(answer).errors?.[0]?.path).toBe(header === "x-amz-meta-long" ? "metadata" : header);
    }
  });

  test("names what does not go together", async () => {
    const until = "x-amz-object-lock-retain-until-date";
    for (const [headers, name] of [
      [{ "x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-crc32c": "AAAAAA==" }, "x-amz-checksum-crc32c"],
      [{ "x-amz-object-lock-mode": "GOVERNANCE" }, until],
      [{ [until]: "2100-01-01T00:00:00Z" }, "x-amz-object-lock-mode"],
    ] as const) {
      const answer = await edge("PUT", path("media", freshKey()), { headers: { ...headers }, body });
      expect(answer.status).toBe(400);
      expect(problem(answer).errors?.map(({ path }) => path)).toEqual([name]);
    }
  });

  test("takes what clients, browsers and proxies send", async () => {
    const key = freshKey();
    const answer = await edge("PUT", path("media", key), { headers: ORDINARY, body });
    expect(answer.status, answer.body.toString()).toBe(200);
    for (const method of ["GET", "HEAD", "DELETE"]) {
      const headers = { ...ORDINARY, expires: "0", "content-language": "de" };
      expect((await edge(method, path("media", key), { headers })).status).toBeLessThan(300);
    }
    const request = { method: "POST", body: JSON.stringify({ bucket: "media", key }), headers: ORDINARY };
    expect((await call("/v1/verify", request)).status).toBe(404);
  });
});

test.for<[string, Record<string, string>]>([
  ["GET", { ...NOWHERE, ...OF_UPLOADS }],
  ["HEAD", { ...NOWHERE, ...OF_UPLOADS }],
  ["DELETE", { ...NOWHERE, ...OF_UPLOADS, ...OF_READS }],
])("%s refuses by name what it does not carry out", async ([method, headers]) => {
  const key = freshKey();
  await edge("PUT", path("media", key), { body });
  for (const [header, value] of Object.entries(headers)) {
    await expectRefused(edge(method, path("media", key), { headers: { [header]: value } }), header);
  }
  expect((await edge("GET", path("media", key))).status).toBe(200);
});

type Asked = readonly [method: string, path: string, body: object | undefined];
testSampled<Asked>(
  [
    ["POST", "/v1/presign", { operation: "GetObject", bucket: "media", key: "a" }],
    ["POST", "/v1/presign/batch", { requests: [] }],
    ["POST", "/v1/multipart/sign", { bucket: "media", key: "a" }],
    ["POST", "/v1/multipart/abort", { bucket: "media", key: "a", uploadId: "a" }],
    ["POST", "/v1/verify", { bucket: "media", key: "a" }],
    ["GET", "/v1/objects/media", undefined],
  ],
  3,
  "%s %s refuses by name what S3 gives a meaning to",
  async ([method, address, request]) => {
    const sent = request && Buffer.from(JSON.stringify(request));
    for (const [header, value] of Object.entries({
      ...NOWHERE,
      ...OF_UPLOADS,
      ...OF_READS,
      ...OF_CONDITIONS,
    })) {
      await expectRefused(
        edge(method, address, { headers: { [header]: value }, ...(sent && { body: sent }) }),
        header,
      );
    }
  },
);

const large = randomBytes(9 * MiB);
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const of = (checksum: Crc32c | Crc64Nvme, bytes: Buffer) => {
  checksum.update(bytes);
  return base64(checksum.digest());
};
const hash = (name: string, bytes: Buffer) => createHash(name).update(bytes).digest("base64");
const DIGESTS: Record<string, (bytes: Buffer) => string> = {
  "content-md5": (bytes) => hash("md5", bytes),
  "x-amz-checksum-crc32": (bytes) => {
    const word = Buffer.alloc(4);
    word.writeUInt32BE(crc32(bytes));
    return base64(word);
  },
  "x-amz-checksum-crc32c": (bytes) => of(new Crc32c(), bytes),
  "x-amz-checksum-crc64nvme": (bytes) => of(new Crc64Nvme(), bytes),
  "x-amz-checksum-sha1": (bytes) => hash("sha1", bytes),
  "x-amz-checksum-sha256": (bytes) => hash("sha256", bytes),
  "x-amz-content-sha256": (bytes) => createHash("sha256").update(bytes).digest("hex"),
  "content-digest": (bytes) => `sha-256=:${hash("sha256", bytes)}:`,
  "repr-digest": (bytes) => `sha-512=:${hash("sha512", bytes)}:`,
};

type Framed = readonly [framing: string, bytes: Buffer, isChunked: boolean];
const TAKEN = "of a body with %s: the right one is taken, a wrong one never becomes an object";

describe.each(Object.entries(DIGESTS))("%s", (header, digest) => {
  const isTakenWhereRight = async ([, bytes, isChunked]: Framed) => {
    const key = freshKey();
    const put = (value: string) =>
      edge("PUT", path("media", key), {
        headers: { [header]: value },
        body: isChunked ? [bytes.subarray(0, 1), bytes.subarray(1)] : bytes,
      });
    await expectRefused(put(digest(Buffer.from("another body"))), header);
    expect((await edge("HEAD", path("media", key))).status).toBe(404);
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: "media", Prefix: key }));
    expect(Uploads).toEqual([]);
    const right = await put(digest(bytes));
    expect(right.status, right.body.toString()).toBe(200);
    const down = await edge("GET", path("media", key), { headers: { "x-amz-checksum-mode": "ENABLED" } });
    expect(down.body.equals(bytes)).toBe(true);
  };

  testSampled<Framed>(
    [
      ["nothing", Buffer.alloc(0), false],
      ["a length", body, false],
      ["a length, long", large.subarray(0, 300_000), false],
      ["chunks, small", body, true],
    ],
    2,
    TAKEN,
    isTakenWhereRight,
  );

  test.for<Framed>([["chunks, large", large, true]])(TAKEN, { tags: ["thorough"] }, isTakenWhereRight);
});

describe("what the store is asked to keep beside the bytes", () => {
  testSampled<readonly [how: string, given: Buffer | readonly Buffer[]]>(
    [
      ["with a length", body],
      ["in chunks", [body]],
      ["in parts", [large.subarray(0, 1), large.subarray(1)]],
    ],
    3,
    "tags of an upload %s",
    async ([, given]) => {
      const key = freshKey();
      const headers = { "x-amz-tagging": "who=me&a%20b=c%2Bd%40e" };
      const up = await edge("PUT", path("media", key), { headers, body: given });
      expect(up.status, up.body.toString()).toBe(200);
      const { TagSet = [] } = await s3.send(new GetObjectTaggingCommand({ Bucket: "media", Key: key }));
      expect(TagSet.sort((a, b) => String(a.Key).localeCompare(String(b.Key)))).toEqual([
        { Key: "a b", Value: "c+d@e" },
        { Key: "who", Value: "me" },
      ]);
      expect((await edge("HEAD", path("media", key))).headers["x-amz-tagging-count"]).toBe("2");
    },
  );

  testSampled<readonly [how: string, given: Buffer | readonly Buffer[]]>(
    [
      ["with a length", body],
      ["in parts", [large.subarray(0, 1), large.subarray(1)]],
    ],
    2,
    "of an upload %s is there, or said not to be",
    async ([, given]) => {
      for (const [header, value] of [
        ["expires", LONG_AGO],
        ["x-amz-website-redirect-location", "/elsewhere"],
        ["x-amz-storage-class", "STANDARD"],
        ["x-amz-storage-class", "NO_SUCH_CLASS"],
        ["x-amz-object-lock-mode", "GOVERNANCE"],
      ] as const) {
        const key = freshKey();
        const until = header.endsWith("mode") && {
          "x-amz-object-lock-retain-until-date": "2100-01-01T00:00:00.000Z",
        };
        const up = await edge("PUT", path("media", key), {
          headers: { [header]: value, ...until },
          body: given,
        });
        expect(up.status, up.body.toString()).toBeLessThan(500);
        if (up.status !== 200) {
          expect(["invalid-request", "conflict"]).toContain(problem(up).code);
          continue;
        }
        const kept = (await edge("HEAD", path("media", key))).headers[header];
        expect(kept ?? "STANDARD").toBe(value);
      }
    },
  );
});

test.runIf(isCeph)("a store that knows no parts says so", async () => {
  const key = freshKey();
  await edge("PUT", path("media", key), { body: [large.subarray(0, 1), large.subarray(1)] });
  for (const number of [1, 2]) {
    const part = await edge("GET", path("media", key, `?partNumber=${number}`));
    expect(part.status).toBe(400);
    expect(problem(part)).toMatchObject({ errors: [{ path: "partNumber" }] });
  }
});

test("a part of an object is that part, or refused", async () => {
  const key = freshKey();
  await edge("PUT", path("media", key), { body });
  const one = await edge("GET", path("media", key, "?partNumber=1"));
  expect([200, 206]).toContain(one.status);
  expect(one.body.equals(body)).toBe(true);
  const two = await edge("GET", path("media", key, "?partNumber=2"));
  expect([400, 416]).toContain(two.status);
  const both = await edge("GET", path("media", key, "?partNumber=1"), { headers: { range: "bytes=0-1" } });
  expect([both.status, problem(both).errors?.[0]?.path]).toEqual([400, "range"]);
});

test.for([
  "GET",
  "HEAD",
  "DELETE",
])("%s of a version that is none is the caller's mistake", async (method) => {
  const key = freshKey();
  await edge("PUT", path("media", key), { body });
  for (const versionId of ["none", "3HL4kqtJvjVBH40Nrjfkd", "00000000-0000-0000-0000-000000000000"]) {
    const answer = await edge(method, path("media", key, `?versionId=${versionId}`));
    expect(answer.status, answer.body.toString()).toBeGreaterThanOrEqual(method === "DELETE" ? 204 : 400);
    expect(answer.status).toBeLessThan(500);
  }
  expect((await edge("GET", path("media", key))).body.equals(body)).toBe(true);
});

test.for([
  ["GET", "/v1/objects/%ED%A0%80/a"],
  ["GET", "/v1/objects/media/%ED%A0%80"],
  ["PUT", "/v1/objects/media/a%ED%BF%BFb"],
  ["DELETE", "/v1/objects/%ff/a"],
  ["GET", "/v1/objects/media?prefix=%ED%A0%80"],
  ["GET", "/v1/objects/media/a?versionId=%ff"],
  ["GET", "/v1/objects/media/a?%ff=1"],
  ["GET", "/v1/objects/media/a?keyId=k1&keyId=k2"],
] as const)("%s %s is the caller's mistake", async ([method, address]) => {
  expect((await edge(method, address)).status).toBe(400);
});

test.for([
  "x-amz-meta-a",
  "content-type",
  "content-disposition",
  "if-match",
  "x-amz-tagging",
])("bytes that are no text in %s are the caller's mistake", async (header) => {
  const headers = { [header]: Buffer.from([0x61, 0xff, 0xed, 0xa0, 0x80]).toString("latin1") };
  const answer = await edge("PUT", path("media", freshKey()), { headers, body });
  expect([400, 412]).toContain(answer.status);
});
