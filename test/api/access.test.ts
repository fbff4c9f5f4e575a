/** Who may do what, which key goes with it, and what callers and operators are told when it does not. */
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import {
  api,
  call,
  freshKey,
  get,
  type ProblemBody,
  presign,
  put,
  rawKeys,
  refused,
  secrets,
} from "../support/client.ts";
import { s3 } from "../support/edge.ts";
import { BAD_KEYS } from "../support/environment.ts";

describe("callers", () => {
  test.for([
    undefined,
    "Bearer",
    "Bearer wrong",
    "Basic x",
    "Bearer  ",
    "bearer\tx",
  ])("%s is nobody", async (authorization) => {
    const response = await fetch(`${api}/v1/presign`, {
      method: "POST",
      headers: authorization ? { authorization } : {},
    });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toMatch(/^Bearer realm="ssec-edge"/);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(((await response.json()) as ProblemBody).code).toBe("unauthenticated");
  });

  test("may do what their grants say, on exactly that prefix", async () => {
    const read = { operation: "GetObject", bucket: "media", keyId: "k1" };
    await presign({ ...read, key: "acme/a" }, "LIMITED_TOKEN");
    for (const key of ["acme", "acmé/a", "ACME/a", "/acme/a", "other", "acme%2fa"]) {
      expect((await refused({ ...read, key }, "LIMITED_TOKEN")).code).toBe("forbidden");
    }
    expect((await refused({ operation: "PutObject", bucket: "media", key: "a" }, "READER_TOKEN")).code).toBe(
      "forbidden",
    );
    expect(
      (await refused({ operation: "DeleteObject", bucket: "media", key: "acme/a" }, "LIMITED_TOKEN")).code,
    ).toBe("forbidden");
    expect(
      (await refused({ operation: "PostObject", bucket: "media", keyPrefix: "acm" }, "LIMITED_TOKEN")).code,
    ).toBe("forbidden");
  });

  test("cannot tell a bucket that does not exist from one that is not theirs", async () => {
    const { requestId: a, ...unknown } = await refused(
      { operation: "GetObject", bucket: "nowhere", key: "a" },
      "READER_TOKEN",
    );
    const { requestId: b, ...foreign } = await refused(
      { operation: "GetObject", bucket: "vault", key: "a" },
      "READER_TOKEN",
    );
    expect(unknown).toEqual(foreign);
    expect(a).not.toBe(b);
  });
});

describe("a grant's limits", () => {
  const image = {
    operation: "PutObject",
    bucket: "media",
    key: "acme/a",
    contentType: "image/png",
    contentLength: 1000,
  };
  test.for([
    [{ ...image, expiresIn: 61 }, 400, "invalid-request"],
    [{ ...image, contentLength: undefined }, 411, "length-required"],
    [{ ...image, contentLength: 1001 }, 413, "too-large"],
    [{ ...image, contentType: "text/html" }, 415, "unsupported-type"],
    [{ ...image, contentType: "image/png, text/html" }, 415, "unsupported-type"],
    [{ ...image, contentType: undefined }, 415, "unsupported-type"],
    [
      { ...image, operation: "CreateMultipartUpload", contentLength: undefined, contentType: "text/css" },
      415,
      "unsupported-type",
    ],
    [
      { operation: "UploadPart", bucket: "media", key: "acme/a", uploadId: "u", partNumber: 1 },
      411,
      "length-required",
    ],
    [
      {
        operation: "UploadPart",
        bucket: "media",
        key: "acme/a",
        uploadId: "u",
        partNumber: 1,
        contentLength: 2000,
      },
      413,
      "too-large",
    ],
    [
      { operation: "PostObject", bucket: "media", key: "acme/a", contentType: "image/png", maxBytes: 1001 },
      413,
      "too-large",
    ],
    [
      { operation: "CompleteMultipartUpload", bucket: "media", key: "acme/a", uploadId: "u" },
      403,
      "forbidden",
    ],
  ] as const)("%j: %i %s", async ([request, status, code]) => {
    expect(await refused(request, "LIMITED_TOKEN")).toMatchObject({ status, code });
  });

  test("are kept by what is signed", async () => {
    const answer = await presign({ ...image, contentType: "IMAGE/png; a=b" }, "LIMITED_TOKEN");
    expect(answer.url).toContain("X-Amz-Expires=60&");
    expect(answer.url).toContain("content-length");
    const form = await presign(
      { operation: "PostObject", bucket: "media", key: "acme/a", contentType: "image/png" },
      "LIMITED_TOKEN",
    );
    const policy = JSON.parse(Buffer.from(form.fields.policy ?? "", "base64").toString());
    expect(policy.conditions).toContainEqual(["content-length-range", 0, 1000]);
  });
});

describe("bad input", () => {
  const put = { operation: "PutObject", bucket: "media", key: "a" };
  test.for([
    [{ ...put, expiresIn: 0 }, "expiresIn"],
    [{ ...put, expiresIn: -5 }, "expiresIn"],
    [{ ...put, expiresIn: 1.5 }, "expiresIn"],
    [{ ...put, expiresIn: "900" }, "expiresIn"],
    [{ ...put, expiresIn: 604_801 }, "expiresIn"],
    [{ ...put, contentType: "a\r\nb: c" }, "contentType"],
    [{ ...put, contentType: "é" }, "contentType"],
    [{ ...put, contentType: " text/plain" }, "contentType"],
    [{ ...put, contentDisposition: "attachment; filename=☃" }, "contentDisposition"],
    [{ ...put, metadata: { "a b": "c" } }, "metadata.a b"],
    [{ ...put, metadata: { a: "c\n" } }, "metadata.a"],
    [{ ...put, metadata: { a: "x".repeat(2048) } }, "metadata"],
    [{ ...put, metadata: { a: "1", A: "2" } }, "metadata"],
    [{ ...put, contentMD5: "abc" }, "contentMD5"],
    [{ ...put, contentLength: -1 }, "contentLength"],
    [{ ...put, ifNoneMatch: "etag" }, "ifNoneMatch"],
    [{ ...put, uploadId: "u" }, "uploadId"],
    [{ ...put, operation: "ListBuckets" }, "operation"],
    [{ ...put, operation: "__proto__" }, "operation"],
    [{ ...put, keyId: "k9" }, "keyId"],
    [{ ...put, keyId: "k1" }, "keyId"],
    [{ operation: "UploadPart", bucket: "media", key: "a", uploadId: "u", partNumber: 10_001 }, "partNumber"],
    [{ operation: "UploadPart", bucket: "media", key: "a" }, "uploadId"],
  ] as const)("%j names %s", async ([request, path]) => {
    const problem = await refused(request);
    expect(problem).toMatchObject({ status: 400, code: "invalid-request" });
    expect(problem.errors?.map((error) => error.path)).toContain(path);
  });

  test("that is no JSON, too large, or sent elsewhere, says so", async () => {
    const send = (path: string, init: RequestInit) => call(path, init);
    expect((await send("/v1/presign", { method: "POST", body: "{" })).status).toBe(400);
    expect((await send("/v1/presign", { method: "POST", body: " ".repeat(2 ** 20 + 1) })).status).toBe(413);
    expect((await send("/v1/nothing", {})).status).toBe(404);
    const wrongMethod = await send("/v1/presign", {});
    expect(wrongMethod.status).toBe(405);
    expect(wrongMethod.headers.get("allow")).toBe("POST");
  });
});

describe("what is not a field is refused, not ignored", () => {
  const put = { operation: "PutObject", bucket: "media", key: "a" };
  const upload = { bucket: "media", key: "a", keyId: "k2", uploadId: "u" };
  test.for<[string, string, object?]>([
    // In silence it would begin, and rotate.
    ["POST", "/v1/rotations?dryRun=true", { bucket: "media" }],
    ["GET", "/v1/rotations/x?dryRun=true"],
    ["DELETE", "/v1/rotations/x?dryRun=true"],
    ["POST", "/v1/rotations/x/resume?dryRun=true"],
    ["POST", "/v1/presign?dryRun=true", put],
    ["POST", "/v1/presign/batch?dryRun=true", { requests: [put] }],
    ["POST", "/v1/multipart?dryRun=true", { bucket: "media", key: "a" }],
    ["POST", "/v1/multipart/sign?dryRun=true", { ...upload, partNumbers: [1] }],
    ["POST", "/v1/multipart/abort?dryRun=true", upload],
    ["POST", "/v1/verify?dryRun=true", { bucket: "media", key: "a" }],
    ["POST", "/v1/uppy/media/sign?dryRun=true", { method: "PUT", key: "a" }],
    ["POST", "/v1/reports?dryRun=true", { ...put, code: "AccessDenied" }],
    ["GET", "/v1/keys?dryRun=true"],
    ["GET", "/v1/me?dryRun=true"],
    ["POST", "/v1/rotations/x/resume", { dryRun: true }],
  ])("%s %s %j", async ([method, path, body]) => {
    const response = await call(path, { method, ...(body && { body: JSON.stringify(body) }) }, "ADMIN_TOKEN");
    expect(await response.json()).toMatchObject({
      status: 400,
      code: "invalid-request",
      errors: [{ path: "dryRun", message: "is not a field here" }],
    });
  });
});

describe("which key", () => {
  test("reads find the key that the object lies under", async () => {
    const key = freshKey();
    await put("media-old", key, "old");
    const answer = await presign({ operation: "GetObject", bucket: "media", key });
    expect(answer.keyId).toBe("k1");
    expect((await get("media", key)).text).toBe("old");
    await put("media", key, "new");
    expect((await presign({ operation: "GetObject", bucket: "media", key })).keyId).toBe("k2");
    expect((await get("media", key)).text).toBe("new");
  });

  test("an object that is missing, under another key, or in the clear, is said to be so", async () => {
    const key = freshKey();
    expect(await refused({ operation: "GetObject", bucket: "media", key })).toMatchObject({
      status: 404,
      code: "not-found",
    });
    await put("vault", key, "x");
    const foreign = freshKey();
    const lost = await presign({ operation: "PutObject", bucket: "media-lost", key: foreign });
    expect((await fetch(lost.url, { method: "PUT", headers: lost.headers, body: "x" })).status).toBe(200);
    expect(await refused({ operation: "GetObject", bucket: "media", key: foreign })).toMatchObject({
      status: 409,
      code: "key-unknown",
    });

    const plain = freshKey();
    await s3.send(new PutObjectCommand({ Bucket: "media", Key: plain, Body: "in the clear" }));
    expect(await refused({ operation: "GetObject", bucket: "media", key: plain })).toMatchObject({
      status: 409,
      code: "not-encrypted",
    });
  });

  test("one broken key does not disable the others", async () => {
    const key = freshKey();
    await put("media-old", key, "x");
    expect((await presign({ operation: "GetObject", bucket: "media-both", key })).keyId).toBe("k1");
    expect((await refused({ operation: "GetObject", bucket: "media-both", key: freshKey() })).code).toBe(
      "not-found",
    );
    expect((await refused({ operation: "PutObject", bucket: "media-both", key })).code).toBe("key-invalid");
  });

  test("keys write only between their dates", async () => {
    const problem = await refused({ operation: "PutObject", bucket: "read-only", key: "a" });
    expect(problem).toMatchObject({ status: 409, code: "no-writable-key" });
    await presign({ operation: "GetObject", bucket: "read-only", key: "a", keyId: "expired" });
  });

  test("a store that says nothing is waited for as long as its timeLimit says", async () => {
    const started = Date.now();
    const problem = await refused({ operation: "GetObject", bucket: "silent", key: "a" });
    expect(problem).toMatchObject({ status: 504, code: "store-timeout" });
    expect(Date.now() - started).toBeLessThan(5_000);
  });
});

describe("GET /v1/keys", () => {
  test("tells the operator every state and every reason, and never a key", async () => {
    const response = await call("/v1/keys", {}, "ADMIN_TOKEN");
    expect(response.status).toBe(200);
    const body = await response.text();
    const keys = new Map(
      (JSON.parse(body) as { keys: { id: string; reason?: string }[] }).keys.map((key) => [key.id, key]),
    );
    for (const [name, { reason }] of Object.entries(BAD_KEYS)) {
      expect(keys.get(`bad-${name}`)).toMatchObject({ state: "invalid" });
      expect(keys.get(`bad-${name}`)?.reason).toMatch(reason);
    }
    expect(keys.get("k2")).toMatchObject({
      state: "active",
      mode: "shared",
      buckets: ["media", "silent"],
      notBefore: "2026-01-01T00:00:00.000Z",
    });
    expect(keys.get("root")).toMatchObject({ state: "active", mode: "derived" });
    expect(keys.get("root")).not.toHaveProperty("md5");
    expect(keys.get("expired")).toMatchObject({ state: "readable" });
    expect(keys.get("pending")).toMatchObject({ state: "pending" });
    for (const secret of [...rawKeys(), ...Object.values(BAD_KEYS).map(({ value }) => value)]) {
      if (secret) expect(body).not.toContain(secret.trim());
    }
  });

  test.for(Object.keys(BAD_KEYS))("callers learn only that the key is invalid: %s", async (name) => {
    const problem = await refused({ operation: "PutObject", bucket: `bad-${name}`, key: "a" });
    expect(problem).toMatchObject({ status: 500, code: "key-invalid" });
    expect(problem.detail).not.toMatch(/newline|base64|hex|bytes|bound|empty|BAD_/i);
  });

  test("is for admins", async () => {
    expect((await call("/v1/keys")).status).toBe(403);
    expect((await call("/v1/keys", { method: "POST" }, "ADMIN_TOKEN")).status).toBe(405);
  });
});

test("GET /healthz is 503 while a secret cannot be used, and names nothing", async () => {
  const response = await fetch(`${api}/healthz`);
  expect(response.status).toBe(503);
  const { requestId, ...told } = (await response.json()) as Record<string, string>;
  expect(requestId).toBeDefined();
  expect(JSON.stringify(told)).not.toMatch(/KEY|TOKEN|bad-/);
  expect(Object.keys(secrets)).toContain("KEY_1");
});
