/** Every operation, through a real request to the store. */
import { randomBytes } from "node:crypto";
import { PutBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import {
  ALGORITHM,
  type Answer,
  call,
  freshKey,
  get,
  isCeph,
  presign,
  put,
  rawKeys,
  refused,
  send,
  store,
  xmlValue,
} from "./client.ts";

const KEY = "x-amz-server-side-encryption-customer-key";

/** A copy of an answer with one header taken out or changed. */
const without = ({ headers, ...rest }: Answer, name: string): Answer => {
  const { [name]: _, ...others } = headers;
  return { ...rest, headers: others };
};

describe("an object put with the returned PUT", () => {
  test("comes back byte for byte with the returned GET, with what was said of it", async () => {
    const key = freshKey("cat.jpg");
    const body = randomBytes(100_000);
    const answer = await put("media", key, body, {
      contentType: "image/jpeg",
      contentLength: body.length,
      cacheControl: "max-age=60",
      contentDisposition: 'attachment; filename="cat  two.jpg"',
      contentLanguage: "de",
      metadata: { "Taken-By": "Ada L." },
      tagging: { "a b": "c+d=ü" },
    });
    expect(answer).toMatchObject({
      operation: "PutObject",
      bucket: "media",
      key,
      keyId: "k2",
      method: "PUT",
    });
    expect(Object.keys(answer.headers)).not.toContain("content-length");
    const signed = new URL(answer.url).searchParams.get("X-Amz-SignedHeaders")?.split(";") ?? [];
    const sent = [...Object.keys(answer.headers).map((name) => name.toLowerCase()), "host", "content-length"];
    expect(signed.sort()).toEqual(sent.sort());

    const got = await get("media", key);
    expect(got.body.equals(body)).toBe(true);
    expect(got.headers).toMatchObject({
      "content-type": "image/jpeg",
      "cache-control": "max-age=60",
      "content-disposition": 'attachment; filename="cat  two.jpg"',
      "content-language": "de",
      "x-amz-meta-taken-by": "Ada L.",
      [ALGORITHM]: "AES256",
    });
  });

  test("is in the clear to nobody without the headers", async () => {
    const key = freshKey();
    await put("media", key, "secret");
    const answer = await presign({ operation: "GetObject", bucket: "media", key });
    const other = await presign({ operation: "GetObject", bucket: "media-lost", key, keyId: "k3" });
    const attempts = {
      "no headers": { ...answer, headers: {} },
      "no key": without(answer, KEY),
      "no algorithm": without(answer, ALGORITHM),
      "another key": other,
      "another key's headers": { ...answer, headers: other.headers },
      "tampered URL": { ...answer, url: answer.url.replace("X-Amz-Expires=900", "X-Amz-Expires=901") },
      "another object": { ...answer, url: answer.url.replace("object.bin", "object.bim") },
    };
    for (const [what, attempt] of Object.entries(attempts)) {
      const sent = await send(attempt);
      expect([400, 403], what).toContain(sent.status);
      expect(sent.text, what).not.toContain("secret");
    }
    expect((await send(answer)).text).toBe("secret");
  });

  test("is refused once the URL has expired", async () => {
    const key = freshKey();
    await put("media", key, "x");
    const answer = await presign({ operation: "GetObject", bucket: "media", key, expiresIn: 1 });
    const expires = Date.parse(answer.expiresAt);
    await expect.poll(async () => (await send(answer)).status, { timeout: 10_000 }).toBe(403);
    expect(Date.now()).toBeGreaterThan(expires);
  });

  test("is held to its length, its hashes and its conditions", async () => {
    const key = freshKey();
    const length = await presign({ operation: "PutObject", bucket: "media", key, contentLength: 3 });
    expect((await send(length, "four")).status).toBe(403);
    const body = "checked";
    const sha = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(body));
    const md5 = await crypto.subtle.digest("SHA-256", new Uint8Array());
    expect(md5.byteLength).toBe(32);
    const checked = await presign({
      operation: "PutObject",
      bucket: "media",
      key,
      checksumSHA256: Buffer.from(sha).toString("base64"),
      ...(isCeph ? {} : { ifNoneMatch: "*" }), // RGW 16 does not know conditional writes
    });
    // RGW 16 does not know x-amz-checksum-*, and stores what comes.
    if (!isCeph) expect((await send(checked, "changed")).status).toBe(400);
    expect((await send(checked, body)).status).toBe(200);
    if (!isCeph) expect((await send(checked, body)).status).toBe(412);
  });
});

describe("object keys", () => {
  const keys = [
    "plain",
    "with space and + and %",
    "a#b?c=d&e",
    `quotes '"\`$(x)`,
    "double//slash",
    "/leading",
    "trailing/",
    "emoji 🐈‍⬛",
    "combining é vs é",
    "%2e%2e/%2E",
    "back\\slash",
    "*!'();:@,[]{}|^~<>",
    "...",
    ".hidden/..twice/end.",
    "${filename}",
    "ü".repeat(505),
  ];
  test.for(keys)("%s", async (name) => {
    const key = `k${process.pid}/${name}`;
    const body = randomBytes(20);
    await put("media", key, body);
    expect((await get("media", key)).body.equals(body)).toBe(true);
    expect((await send(await presign({ operation: "HeadObject", bucket: "media", key }))).status).toBe(200);
    expect((await send(await presign({ operation: "DeleteObject", bucket: "media", key }))).status).toBe(204);
  });

  test.for([
    "",
    ".",
    "..",
    "a/../b",
    "a/./b",
    "../x",
    "x/..",
    "nul\0",
    "ü".repeat(513),
    "\ud800",
  ])("%j is refused", async (key) => {
    const problem = await refused({ operation: "GetObject", bucket: "media", key });
    expect(problem).toMatchObject({ status: 400, code: "invalid-request", errors: [{ path: "key" }] });
  });
});

describe("an entry of a name that would be lost on the way is refused", () => {
  test.for(["__proto__", "constructor", "prototype"])("%s", async (name) => {
    for (const field of ["metadata", "tagging"]) {
      const request = { operation: "PutObject", bucket: "media", key: freshKey(), [field]: { [name]: "x" } };
      expect(await refused(request)).toMatchObject({
        status: 400,
        code: "invalid-request",
        errors: [{ path: field }],
      });
    }
  });
});

test("GetObject and HeadObject answer what was asked for instead of what is kept", async () => {
  const key = freshKey();
  await put("media", key, "x", { contentType: "text/plain" });
  const response = {
    contentType: "application/pdf",
    contentDisposition: "attachment",
    cacheControl: "no-cache",
  };
  const got = await get("media", key, { response });
  expect(got.headers).toMatchObject({
    "content-type": "application/pdf",
    "content-disposition": "attachment",
    "cache-control": "no-cache",
  });
  const head = await presign({ operation: "HeadObject", bucket: "media", key });
  expect(head.method).toBe("HEAD");
  expect((await send(head)).headers).toMatchObject({ "content-length": "1", [ALGORITHM]: "AES256" });
});

// The development store keeps one version of an object.
test.runIf(isCeph)("an older version is read and deleted by its id", async () => {
  const { url: endpoint, accessKeyId, secretAccessKey } = store;
  const credentials = { accessKeyId, secretAccessKey };
  const s3 = new S3Client({ endpoint, region: "us-east-1", credentials, forcePathStyle: true });
  const VersioningConfiguration = { Status: "Enabled" as const };
  await s3.send(new PutBucketVersioningCommand({ Bucket: "vault", VersioningConfiguration }));
  const key = freshKey();
  const first = await send(await presign({ operation: "PutObject", bucket: "vault", key }), "first");
  await put("vault", key, "second");
  const versionId = String(first.headers["x-amz-version-id"]);
  expect((await get("vault", key, { versionId })).text).toBe("first");
  expect((await get("vault", key)).text).toBe("second");
  const remove = await presign({ operation: "DeleteObject", bucket: "vault", key, versionId });
  expect((await send(remove)).status).toBe(204);
  expect((await get("vault", key, { versionId })).status).toBe(404);
  expect((await get("vault", key)).text).toBe("second");
});

describe("CopyObject", () => {
  test.skipIf(isCeph)("goes from a bucket under one key to a bucket under another", async () => {
    const [from, to] = [freshKey("a b+ü.txt"), freshKey("copy.txt")];
    await put("media", from, "copied", { contentType: "text/plain" });
    const copy = await presign({
      operation: "CopyObject",
      bucket: "vault",
      key: to,
      source: { bucket: "media", key: from },
    });
    expect(copy.keyId).toBe("k3");
    const sent = await send(copy);
    expect(sent.status, sent.text).toBe(200);
    expect(sent.headers[ALGORITHM]).toBe("AES256");
    const got = await get("vault", to);
    expect(got.text).toBe("copied");
    expect(got.headers["content-type"]).toBe("text/plain");
    expect((await refused({ operation: "GetObject", bucket: "media", key: to })).code).toBe("not-found");
  });

  test.skipIf(isCeph)("re-encrypts in place, and replaces the metadata when told to", async () => {
    const key = freshKey();
    await put("media-old", key, "rotate me");
    const copy = await presign({
      operation: "CopyObject",
      bucket: "media",
      key,
      source: { bucket: "media", key },
      contentType: "text/html",
      metadata: { a: "b" },
      metadataDirective: "REPLACE",
    });
    expect((await send(copy)).status).toBe(200);
    expect(
      (await send(await presign({ operation: "GetObject", bucket: "media-old", key, keyId: "k1" }))).status,
    ).toBe(403);
    const got = await get("media", key, { keyId: "k2" });
    expect(got.text).toBe("rotate me");
    expect(got.headers).toMatchObject({ "content-type": "text/html", "x-amz-meta-a": "b" });
  });

  test.runIf(isCeph)("Ceph's difference: an SSE-C object cannot be copied, 501", async () => {
    const key = freshKey();
    await put("media", key, "x");
    const copy = await presign({
      operation: "CopyObject",
      bucket: "vault",
      key,
      source: { bucket: "media", key },
    });
    expect((await send(copy)).status).toBe(501);
  });

  test("needs read on the source, the same store, and a directive for new metadata", async () => {
    const source = { bucket: "media", key: "other/a" };
    const destination = { operation: "CopyObject", bucket: "media", key: "acme/b", source };
    expect(await refused(destination, "LIMITED_TOKEN")).toMatchObject({ status: 403 });
    expect(await refused({ ...destination, source: { bucket: "elsewhere", key: "a" } })).toMatchObject({
      status: 400,
      errors: [{ path: "source.bucket" }],
    });
    expect(await refused({ ...destination, contentType: "text/plain" })).toMatchObject({
      status: 400,
      errors: [{ path: "metadataDirective" }],
    });
  });
});

describe("a multipart upload", () => {
  const PART = 5 * 2 ** 20;

  async function begin(key: string) {
    const created = await send(
      await presign({
        operation: "CreateMultipartUpload",
        bucket: "media",
        key,
        contentType: "text/x-parts",
      }),
    );
    expect(created.status, created.text).toBe(200);
    return xmlValue(created.text, "UploadId");
  }

  test("is made of parts and copied parts, listed, completed, and read back", async () => {
    const key = freshKey();
    const first = randomBytes(PART);
    const source = freshKey("source");
    await put("media", source, "0123456789");
    const uploadId = await begin(key);
    const upload = { bucket: "media", key, uploadId };

    const one = await send(
      await presign({ operation: "UploadPart", ...upload, partNumber: 1, contentLength: PART }),
      first,
    );
    expect(one.status, one.text).toBe(200);
    expect(one.headers[ALGORITHM]).toBe("AES256");
    const copied = await send(
      await presign({
        operation: "UploadPartCopy",
        ...upload,
        partNumber: 2,
        source: { bucket: "media", key: source },
        sourceRange: "bytes=2-5",
      }),
    );
    expect(copied.status, copied.text).toBe(200);

    const listed = await send(await presign({ operation: "ListParts", ...upload }));
    expect(listed.status, listed.text).toBe(200);
    expect(listed.text.match(/<PartNumber>/g)).toHaveLength(2);

    const etags = [String(one.headers.etag), xmlValue(copied.text, "ETag")];
    const parts = etags
      .map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`)
      .join("");
    const complete = await presign({ operation: "CompleteMultipartUpload", ...upload });
    const done = await send(complete, `<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`);
    expect(done.status, done.text).toBe(200);

    const got = await get("media", key);
    expect(got.body.equals(Buffer.concat([first, Buffer.from("2345")]))).toBe(true);
    expect(got.headers["content-type"]).toBe("text/x-parts");
    if (!isCeph) expect((await get("media", key, { partNumber: 2 })).text).toBe("2345"); // RGW 16 ignores partNumber
  });

  test("refuses a part under another key or none, and is aborted", async () => {
    const key = freshKey();
    const upload = { bucket: "media", key, uploadId: await begin(key) };
    const part = await presign({ operation: "UploadPart", ...upload, partNumber: 1, keyId: "k1" });
    expect(part.keyId).toBe("k1");
    expect([400, 403]).toContain((await send(part, "x")).status);
    const good = await presign({ operation: "UploadPart", ...upload, partNumber: 1 });
    expect((await send({ ...good, headers: {} }, "x")).status).not.toBe(200);
    const abort = await presign({ operation: "AbortMultipartUpload", ...upload });
    expect(abort.headers).toEqual({});
    expect((await send(abort)).status).toBe(204);
    expect((await send(good, "x")).status).toBe(404);
  });
});

describe("PostObject", () => {
  async function submit(
    { url, fields }: Answer,
    content: string,
    fileName = "up load.txt",
  ): Promise<Response> {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", new Blob([content]), fileName);
    return fetch(url, { method: "POST", body: form });
  }

  test("takes a file from a form, under the key, within the range", async () => {
    const key = freshKey("form ü$.txt");
    const form = await presign({
      operation: "PostObject",
      bucket: "media",
      key,
      contentType: "text/plain",
      minBytes: 2,
      maxBytes: 10,
      metadata: { by: "form" },
      successActionStatus: 201,
    });
    expect(form).not.toHaveProperty("headers");
    for (const [file, status] of [
      ["x", 400],
      ["x".repeat(11), 400],
      ["fits", 201],
    ] as const) {
      const response = await submit(form, file);
      expect(response.status, await response.text()).toBe(status);
    }
    const got = await get("media", key);
    expect(got.text).toBe("fits");
    expect(got.headers).toMatchObject({
      "content-type": "text/plain",
      "x-amz-meta-by": "form",
      [ALGORITHM]: "AES256",
    });
  });

  test("takes any name after a prefix, and no other field than was signed", async () => {
    const keyPrefix = freshKey("");
    const form = await presign({ operation: "PostObject", bucket: "media", keyPrefix });
    expect((await submit(form, "named", "cat.txt")).status).toBe(204);
    expect((await get("media", `${keyPrefix}cat.txt`)).text).toBe("named");
    expect((await submit({ ...form, fields: { ...form.fields, key: "elsewhere" } }, "x")).status).toBe(403);
    const { [KEY]: _, ...keyless } = form.fields;
    expect([400, 403]).toContain((await submit({ ...form, fields: keyless }, "x")).status);
  });

  test("is not for a prefix where every object has a key of its own", async () => {
    const problem = await refused({ operation: "PostObject", bucket: "derived", keyPrefix: "a/" });
    expect(problem).toMatchObject({ status: 400, errors: [{ path: "keyPrefix" }] });
    expect(await refused({ operation: "PostObject", bucket: "media" })).toMatchObject({ status: 400 });
    expect(await refused({ operation: "PostObject", bucket: "media", key: "a\nb" })).toMatchObject({
      status: 400,
    });
    expect(await refused({ operation: "PostObject", bucket: "media", key: "a/${filename}" })).toMatchObject({
      status: 400,
    });
  });
});

test("a derived key opens its own object and no other", async () => {
  const [one, other] = [freshKey(), freshKey()];
  const first = await put("derived", one, "one");
  const second = await put("derived", other, "other");
  expect(first.headers[KEY]).not.toBe(second.headers[KEY]);
  expect(first.keyId).toBe("root");
  expect((await get("derived", one)).text).toBe("one");
  const crossed = await presign({ operation: "GetObject", bucket: "derived", key: other });
  expect((await send({ ...crossed, headers: first.headers })).status).toBe(403);
});

test("a thousand requests in one batch answer in order, with the bad ones marked", async () => {
  const requests = Array.from({ length: 1000 }, (_, i) =>
    i % 100 === 7
      ? { operation: "PutObject", bucket: "media", key: ".." }
      : { operation: "PutObject", bucket: "media", key: `batch/${i}` },
  );
  const response = await call("/v1/presign/batch", { method: "POST", body: JSON.stringify({ requests }) });
  expect(response.status).toBe(200);
  const { results } = (await response.json()) as { results: (Answer & { problem?: { code: string } })[] };
  expect(results).toHaveLength(1000);
  results.forEach((result, i) => {
    if (i % 100 === 7) expect(result.problem?.code).toBe("invalid-request");
    else expect(result.key).toBe(`batch/${i}`);
  });
  expect((await send(results[999] as Answer, "last")).status).toBe(200);
  const tooMany = await call("/v1/presign/batch", {
    method: "POST",
    body: JSON.stringify({ requests: [...requests, requests[0]] }),
  });
  expect(tooMany.status).toBe(400);
});

test("no URL, error or policy of any operation holds a key; headers hold only the triples", async () => {
  const source = { bucket: "media", key: "a", keyId: "k1" };
  const upload = { uploadId: "u", partNumber: 1 };
  const more: Record<string, object> = {
    GetObject: { keyId: "k2" },
    HeadObject: { keyId: "k2" },
    CopyObject: { source },
    UploadPart: upload,
    UploadPartCopy: { ...upload, source },
    ListParts: { uploadId: "u" },
    CompleteMultipartUpload: { uploadId: "u" },
    AbortMultipartUpload: { uploadId: "u" },
  };
  const names = [
    "GetObject",
    "HeadObject",
    "PutObject",
    "PostObject",
    "DeleteObject",
    "CopyObject",
    "CreateMultipartUpload",
  ];
  names.push("UploadPart", "UploadPartCopy", "ListParts", "CompleteMultipartUpload", "AbortMultipartUpload");
  for (const operation of names) {
    for (const bucket of ["media", "derived"]) {
      const keyId = bucket === "derived" ? { keyId: "root" } : {};
      const request = { operation, bucket, key: "a", ...more[operation], ...keyId };
      const answer = await presign(request);
      const secretsInHand = [
        ...rawKeys(),
        ...Object.entries(answer.headers ?? answer.fields).flatMap(([name, value]) =>
          name.endsWith("-customer-key") ? [value] : [],
        ),
      ];
      const policy = Buffer.from(answer.fields?.policy ?? "", "base64").toString();
      for (const key of secretsInHand) {
        for (const form of [
          key,
          encodeURIComponent(key),
          Buffer.from(key, "base64").toString("hex"),
          Buffer.from(key).toString("base64"),
        ]) {
          expect(answer.url, operation).not.toContain(form);
          expect(policy, operation).not.toContain(form);
        }
      }
      expect(answer.url.toLowerCase()).not.toMatch(/checksum|[?&]x-amz-(copy-source|server-side)/);
      const problem = JSON.stringify(await refused({ ...request, unknown: rawKeys()[0] }));
      for (const key of rawKeys()) expect(problem).not.toContain(key);
    }
  }
  expect(store.url).toMatch(/^http/);
});
