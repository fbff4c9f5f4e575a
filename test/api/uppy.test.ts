/** What Uppy's `signRequest` is answered, used as Uppy uses it. */
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import {
  ALGORITHM,
  call,
  freshKey,
  get,
  type ProblemBody,
  presign,
  rawKeys,
  type Sent,
  send,
  xmlValue,
} from "../support/client.ts";

const MiB = 2 ** 20;
const ORIGIN = "https://app.example.com";

type Token = Parameters<typeof call>[2];
interface Asked {
  bucket?: string;
  token?: Token;
  body?: string | Buffer;
  headers?: Record<string, string>;
}
interface Request {
  method: string;
}
interface Signed {
  url: string;
  headers: Record<string, string>;
}

async function ask(request: object, { bucket = "media", token }: Asked = {}): Promise<Response> {
  return call(`/v1/uppy/${bucket}/sign`, { method: "POST", body: JSON.stringify(request) }, token);
}

async function sign(request: object, asked: Asked = {}): Promise<Signed> {
  const response = await ask(request, asked);
  const answer = (await response.json()) as Signed;
  expect(response.status, JSON.stringify(answer)).toBe(200);
  expect(Object.keys(answer).sort()).toEqual(["headers", "url"]);
  return answer;
}

async function refused(
  request: object,
  asked: Asked = {},
): Promise<[code: string, path: string | undefined]> {
  const response = await ask(request, asked);
  const { code, errors } = (await response.json()) as ProblemBody;
  return [code, errors?.[0]?.path];
}

/** As S3mini of Uppy does: signed, then sent with the headers that it was given. */
async function uppy(request: Request & Record<string, unknown>, asked: Asked = {}): Promise<Sent> {
  const { url, headers } = await sign(request, asked);
  return send(
    { method: request.method, url, headers: { ...asked.headers, ...headers, origin: ORIGIN } },
    asked.body,
  );
}

async function create(key: string, asked: Asked = {}, more: object = {}): Promise<string> {
  const created = await uppy(
    { method: "POST", key, ...more },
    { ...asked, headers: { "content-type": "image/png" } },
  );
  expect(created.status, created.text).toBe(200);
  expect(created.headers["access-control-allow-origin"]).toBe(ORIGIN);
  return xmlValue(created.text, "UploadId");
}

const etagOf = ({ headers: { etag } }: Sent) => String(etag);

const document = (etags: readonly string[]) =>
  `<CompleteMultipartUpload>${etags
    .map(
      (etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag.replaceAll('"', "")}</ETag></Part>`,
    )
    .join("")}</CompleteMultipartUpload>`;

async function proof(key: string): Promise<object> {
  const response = await call("/v1/verify", {
    method: "POST",
    body: JSON.stringify({ bucket: "media", key }),
  });
  return (await response.json()) as object;
}

test("a file in one piece goes to the store, with its type and length signed", async () => {
  const key = freshKey("a b/ü+%?.png");
  const request = { method: "PUT", key, contentType: "image/png", size: 5 };
  const { url, headers } = await sign(request);
  expect(headers).toMatchObject({ "content-type": "image/png", [ALGORITHM]: "AES256" });
  expect(url).toContain("content-length");
  const put = await uppy(request, { body: "hello" });
  expect([put.status, put.headers[ALGORITHM]]).toEqual([200, "AES256"]);
  expect((await uppy(request, { body: "hello!" })).status).toBe(403);
  expect((await get("media", key)).text).toBe("hello");
  expect((await uppy({ method: "DELETE", key })).status).toBe(204);
  expect(await proof(key)).toMatchObject({ code: "not-found" });
});

test("an upload in parts goes on under the key that it was begun with, and its parts go to the store", async () => {
  const key = freshKey("large.png");
  const parts = [randomBytes(5 * MiB), randomBytes(7)];
  const size = 5 * MiB + 7;
  // Begun before there was a newer key.
  const uploadId = await create(key, { bucket: "media-old" }, { size });
  const first = { method: "PUT", key, uploadId, partNumber: 1, size };
  const { url, headers } = await sign(first);
  const { url: created } = await sign({ method: "POST", key });
  expect(new URL(url).origin).not.toBe(new URL(created).origin);
  expect(headers).toHaveProperty(ALGORITHM);
  const sent = [
    await uppy(first, { body: parts[0] as Buffer }),
    await uppy({ ...first, partNumber: 2 }, { body: parts[1] as Buffer }),
  ];
  expect(sent.map(({ status, text }) => [status, text])).toEqual([
    [200, ""],
    [200, ""],
  ]);
  expect((await uppy({ ...first, partNumber: 2 }, { body: "longer than it" })).status).toBe(403);

  const listed = await uppy({ method: "GET", key, uploadId });
  expect(listed.status).toBe(200);
  // Uppy asks for one page.
  expect(xmlValue(listed.text, "MaxParts")).toBe("10000");
  expect([...listed.text.matchAll(/<Size>(\d+)</g)].map(([, length]) => length)).toEqual([
    String(5 * MiB),
    "7",
  ]);

  const body = document(sent.map(etagOf));
  const end = { method: "POST", key, uploadId };
  expect((await uppy({ ...end, size: size + 1 }, { body })).text).toContain(`The parts have ${size} bytes`);
  const done = await uppy({ ...end, size }, { body, headers: { "content-type": "application/xml" } });
  expect(done.status, done.text).toBe(200);
  expect([xmlValue(done.text, "Key"), xmlValue(done.text, "Location")]).toEqual([
    key,
    expect.stringContaining("large.png"),
  ]);
  // An answer that was lost is given again.
  expect((await uppy(end, { body })).status).toBe(200);
  expect(await proof(key)).toMatchObject({ encrypted: true, keyId: "k1", size });
  const got = await get("media", key);
  expect(got.body.equals(Buffer.concat(parts))).toBe(true);
  expect(got.headers["content-type"]).toBe("image/png");
});

test("what the service answers itself shows no key, also where all of it goes through the edge", async () => {
  const key = freshKey("at-the-edge.png");
  const uploadId = await create(key);
  const first = { method: "PUT", key, uploadId, partNumber: 1, size: 3, via: "edge" };
  const { url, headers } = await sign(first);
  expect(headers).toEqual({});
  for (const secret of rawKeys()) expect(url).not.toContain(secret);
  const part = await uppy(first, { body: "abc" });
  expect(part.status, part.text).toBe(200);
  expect(part.headers["access-control-expose-headers"]).toMatch(/\betag\b/i);
  const done = await uppy({ method: "POST", key, uploadId }, { body: document([etagOf(part)]) });
  expect(done.status, done.text).toBe(200);
  const put = { method: "PUT", key, contentType: "text/plain", size: 5, via: "edge" };
  expect((await sign(put)).headers).toEqual({ "content-type": "text/plain" });
  expect((await uppy(put, { body: "hello" })).status).toBe(200);
  expect(await proof(key)).toMatchObject({ encrypted: true, keyId: "k2", size: 5 });
});

test("an upload that is aborted is gone", async () => {
  const key = freshKey();
  const uploadId = await create(key);
  expect((await uppy({ method: "DELETE", key, uploadId })).status).toBe(204);
  const listed = await uppy({ method: "GET", key, uploadId });
  expect([listed.status, xmlValue(listed.text, "Code")]).toEqual([404, "NoSuchUpload"]);
  expect(listed.headers["access-control-allow-origin"]).toBe(ORIGIN);
});

test("the grants hold: when it is signed what is known then, and the rest when it is sent", async () => {
  const limited = { token: "LIMITED_TOKEN" } as const;
  const key = `acme/${freshKey("cat.png")}`;
  const png = { key, contentType: "image/png", size: 1000 };
  const uploadId = await create(key, limited, { size: 1000, contentType: "image/png" });
  const part = { method: "PUT", key, uploadId, partNumber: 1 };
  for (const request of [{ method: "PUT", ...png }, { method: "POST", ...png }, part]) {
    expect(await refused({ ...request, size: undefined }, limited)).toEqual(["length-required", "size"]);
    expect(await refused({ ...request, size: 1001 }, limited)).toEqual(["too-large", "size"]);
    expect(await refused({ ...request, size: 1, expiresIn: 61 }, limited)).toEqual([
      "invalid-request",
      "expiresIn",
    ]);
  }
  for (const method of ["PUT", "POST"])
    expect(await refused({ method, ...png, contentType: "text/html" }, limited)).toEqual([
      "unsupported-type",
      "contentType",
    ]);
  expect(await refused({ method: "PUT", ...png, key: freshKey() }, limited)).toEqual([
    "forbidden",
    undefined,
  ]);
  expect(await refused({ method: "DELETE", key }, limited)).toEqual(["forbidden", undefined]);
  expect(await refused({ method: "PUT", ...png }, { bucket: "no-such-bucket" })).toEqual([
    "forbidden",
    undefined,
  ]);

  // Uppy itself does not say the type when it begins.
  const page = await uppy(
    { method: "POST", key, size: 1 },
    { ...limited, headers: { "content-type": "text/html" } },
  );
  expect([page.status, xmlValue(page.text, "Code")]).toEqual([403, "AccessDenied"]);
  expect(page.text).toContain("image/*");
  // Each part is as long as it says, and together they are more than is allowed.
  const etags: string[] = [];
  for (const partNumber of [1, 2]) {
    const given = { operation: "UploadPart", bucket: "media", key, uploadId, partNumber, contentLength: 600 };
    const sent = await send(await presign(given, "LIMITED_TOKEN"), Buffer.alloc(600));
    expect(sent.status, sent.text).toBe(200);
    etags.push(etagOf(sent));
  }
  const longer = { ...part, size: 600 };
  expect((await uppy(longer, { ...limited, body: Buffer.alloc(601) })).status).toBe(403);
  const done = await uppy({ method: "POST", key, uploadId }, { ...limited, body: document(etags) });
  expect([done.status, xmlValue(done.text, "Code")]).toEqual([400, "EntityTooLarge"]);
  expect(await proof(key)).toMatchObject({ code: "not-found" });
});

test("what Uppy never asks is refused by name", async () => {
  const key = freshKey();
  const uploadId = await create(key);
  const cases: [object, string | undefined][] = [
    [{ method: "PATCH", key }, "method"],
    [{ method: "PUT" }, "key"],
    [{ method: "PUT", key: "a/../b" }, "key"],
    [{ method: "PUT", key, metadata: {} }, "metadata"],
    [{ method: "PUT", key, via: "elsewhere" }, "via"],
    [{ method: "PUT", key, contentType: "a list, of/two" }, "contentType"],
    [{ method: "PUT", key, size: -1 }, "size"],
    [{ method: "PUT", key, size: 5 * 2 ** 30 + 1 }, "size"],
    [{ method: "GET", key }, "uploadId"],
    // Taken for a whole object it would replace it by a part.
    [{ method: "PUT", key, partNumber: 1 }, "uploadId"],
    [{ method: "PUT", key, uploadId }, "partNumber"],
    [{ method: "POST", key, uploadId, partNumber: 1 }, "partNumber"],
    [{ method: "PUT", key, uploadId, partNumber: 10_001 }, "partNumber"],
    [{ method: "PUT", key, uploadId, partNumber: 2, size: 5 * MiB }, "partNumber"],
    [{ method: "PUT", key, uploadId, partNumber: 1, partSize: 6 * MiB }, "size"],
  ];
  for (const [request, path] of cases)
    expect(await refused(request), JSON.stringify(request)).toEqual(["invalid-request", path]);
  expect(await refused({ method: "PUT", key: `${key}2`, uploadId, partNumber: 1 })).toEqual([
    "not-found",
    undefined,
  ]);
  const wrong = await call("/v1/uppy/media/sign");
  expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "POST"]);
});

test("a file has as many parts as Uppy cuts it into", async () => {
  const key = freshKey();
  const uploadId = await create(key);
  const GiB = 2 ** 30;
  for (const [size, last, partSize] of [
    [0, 1],
    [5 * MiB, 1],
    [5 * MiB + 1, 2],
    [50_000 * MiB + 1, 10_000],
    [20 * MiB, 2, 10 * MiB],
    [20 * MiB, 4, 1],
    [100 * GiB, 10_000, 6 * MiB],
  ] as const) {
    const part = { method: "PUT", key, uploadId, size, partSize };
    await sign({ ...part, partNumber: last });
    expect(await refused({ ...part, partNumber: last + 1 })).toEqual(["invalid-request", "partNumber"]);
  }
});
