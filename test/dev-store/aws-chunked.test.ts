/** aws-chunked bodies: every chunk's signature, the trailer and its own, the lengths. */
import { createHash, createHmac, randomBytes } from "node:crypto";
import aws4 from "aws4";
import { beforeAll, describe, expect, test } from "vitest";
import { newDigest } from "../../src/dev-store/checksums.ts";
import { credentials, testStore } from "./started.ts";

const dev = testStore();
let bucket = "";
beforeAll(async () => {
  bucket = await dev.bucket();
});

const sha256 = (text: string | Buffer) => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();

interface Made {
  readonly mode: string;
  readonly chunks: readonly Buffer[];
  readonly trailer?: Readonly<Record<string, string>>;
  /** Changes the body on its way. */
  readonly damage?: (body: string) => string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends a body framed and signed by the words of AWS's documentation. */
async function put(key: string, { mode, chunks, trailer, damage = (body) => body, headers = {} }: Made) {
  const path = `/${bucket}/${key}`;
  const isSigned = mode.startsWith("STREAMING-AWS4");
  const length = chunks.reduce((sum, { length }) => sum + length, 0);
  const all = {
    "x-amz-content-sha256": mode,
    "x-amz-decoded-content-length": String(length),
    "content-encoding": "aws-chunked",
    ...(trailer && { "x-amz-trailer": Object.keys(trailer).join(",") }),
    ...headers,
  };
  const request = {
    host: new URL(dev.store.url).host,
    method: "PUT",
    path,
    service: "s3",
    region: "us-east-1",
  };
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const signed = aws4.sign({ ...request, headers: { ...all, "x-amz-date": date } }, credentials);
  let previous = /Signature=(\w+)/.exec(signed.headers.Authorization ?? "")?.[1] ?? "";
  const scope = `${date.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const signingKey = scope
    .split("/")
    .reduce<Buffer>((k, part) => hmac(k, part), Buffer.from(`AWS4${credentials.secretAccessKey}`));
  const sign = (kind: string, ...hashes: string[]) => {
    previous = hmac(
      signingKey,
      [`AWS4-HMAC-SHA256-${kind}`, date, scope, previous, ...hashes].join("\n"),
    ).toString("hex");
    return previous;
  };
  let body = "";
  for (const chunk of [...chunks, Buffer.alloc(0)]) {
    const signature = isSigned ? `;chunk-signature=${sign("PAYLOAD", sha256(""), sha256(chunk))}` : "";
    body += `${chunk.length.toString(16)}${signature}\r\n${chunk.toString("latin1")}${chunk.length > 0 ? "\r\n" : ""}`;
  }
  const lines = Object.entries(trailer ?? {}).map(([name, value]) => `${name}:${value}`);
  for (const line of lines) body += `${line}\r\n`;
  if (trailer && isSigned)
    body += `x-amz-trailer-signature:${sign("TRAILER", sha256(lines.map((line) => `${line}\n`).join("")))}\r\n`;
  body = damage(`${body}\r\n`);
  const response = await fetch(`${dev.store.url}${path}`, {
    method: "PUT",
    headers: { ...all, "x-amz-date": date, authorization: signed.headers.Authorization ?? "" },
    body: Buffer.from(body, "latin1"),
  });
  const text = await response.text();
  return {
    status: response.status,
    code: /<Code>(\w+)</.exec(text)?.[1] ?? String(response.status),
    headers: response.headers,
  };
}

const CHUNKS = [randomBytes(8192), randomBytes(70_000), randomBytes(10)];
const WHOLE = Buffer.concat(CHUNKS);
function sum(bytes: Buffer): Record<string, string> {
  const digest = newDigest("CRC64NVME");
  digest.update(bytes);
  return { "x-amz-checksum-crc64nvme": digest.base64() };
}

const MODES = [
  ["STREAMING-UNSIGNED-PAYLOAD-TRAILER", sum(WHOLE)],
  ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", undefined],
  ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", sum(WHOLE)],
] as const;

describe.for([...MODES])("%s", ([mode, trailer]) => {
  const made = { mode, chunks: CHUNKS, ...(trailer && { trailer }) };
  const isSigned = mode.startsWith("STREAMING-AWS4");

  test("is taken, and kept without its framing", async () => {
    const answer = await put("whole", { ...made, headers: { "content-encoding": "gzip,aws-chunked" } });
    expect(answer.code).toBe("200");
    const got = await dev.send({ path: `/${bucket}/whole` });
    expect([got.headers["content-length"], got.headers["content-encoding"]]).toEqual([
      String(WHOLE.length),
      "gzip",
    ]);
    expect(got.headers.etag).toBe(`"${createHash("md5").update(WHOLE).digest("hex")}"`);
    if (trailer)
      expect(answer.headers.get("x-amz-checksum-crc64nvme")).toBe(trailer["x-amz-checksum-crc64nvme"]);
    expect(
      (await put("empty", { ...made, chunks: [], ...(trailer && { trailer: sum(Buffer.alloc(0)) }) })).code,
    ).toBe("200");
  });

  test.for([
    ["is cut off", (body: string) => body.slice(0, -40), "IncompleteBody"],
    ["has something after its end", (body: string) => `${body}0\r\n\r\n`, "IncompleteBody"],
    ["has no sizes", (body: string) => `zz${body}`, "IncompleteBody"],
    [
      "is one byte off",
      (body: string) => body.replace(/(?<=\r\n)./s, (byte) => String.fromCharCode(byte.charCodeAt(0) ^ 1)),
      isSigned ? "SignatureDoesNotMatch" : "BadDigest",
    ],
  ] as const)("refused when it %s", async ([name, damage, code]) => {
    const key = name.replaceAll(" ", "-");
    expect((await put(key, { ...made, damage })).code).toBe(code);
    expect((await dev.send({ path: `/${bucket}/${key}` })).status).toBe(404);
  });

  test("refused when its length is another than was said, or was not said", async () => {
    expect((await put("length", { ...made, headers: { "x-amz-decoded-content-length": "5" } })).code).toBe(
      "IncompleteBody",
    );
    expect(
      (await put("length", { ...made, headers: { "x-amz-decoded-content-length": "999999" } })).code,
    ).toBe("IncompleteBody");
    const { code } = await dev.send({
      method: "PUT",
      path: `/${bucket}/length`,
      body: "0\r\n\r\n",
      headers: { "x-amz-content-sha256": mode },
    });
    expect(code).toBe("MissingContentLength");
  });

  test("refused in chunks that are too small", async () => {
    const chunks = [randomBytes(100), randomBytes(100)];
    const small = { ...made, chunks, ...(trailer && { trailer: sum(Buffer.concat(chunks)) }) };
    expect((await put("small", small)).code).toBe("InvalidChunkSizeError");
  });
});

test.for([
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
])("%s: a trailer that is wrong, missing, another or twice", async (mode) => {
  const chunks = [Buffer.from("x")];
  const trailer = sum(Buffer.from("x"));
  expect((await put("trailer", { mode, chunks, trailer: sum(Buffer.from("y")) })).code).toBe("BadDigest");
  expect((await put("trailer", { mode, chunks, trailer: { "x-amz-checksum-crc32": "AAA=" } })).code).toBe(
    "BadDigest",
  );
  expect(
    (await put("trailer", { mode, chunks, trailer, headers: { "x-amz-trailer": "x-amz-checksum-sha256" } }))
      .code,
  ).toBe("MalformedTrailerError");
  expect((await put("trailer", { mode, chunks })).code).toBe("MalformedTrailerError");
  expect((await put("trailer", { mode, chunks, trailer, headers: trailer })).code).toBe("InvalidRequest");
  expect((await dev.send({ path: `/${bucket}/trailer` })).status).toBe(404);
});

test("a mode that there is not is refused", async () => {
  const { code } = await dev.send({
    method: "PUT",
    path: `/${bucket}/k`,
    body: "x",
    headers: { "x-amz-content-sha256": "STREAMING-ELSE" },
  });
  expect(code).toBe("InvalidArgument");
});
