/** The API below a path of another app: every family of routes works there as at the root of a host. */
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningWorker, startWorker } from "../../scripts/worker.ts";
import { type Answer, freshKey, type ProblemBody, send, store } from "../support/client.ts";
import { oneBucket } from "../support/one-bucket.ts";
import { s3Client } from "../support/s3.ts";

const token = randomBytes(24).toString("base64url");
const lines: string[] = [];
let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({
    entrypoint: fileURLToPath(new URL("mounted/worker.ts", import.meta.url)),
    without: ["QUEUE", "RATE_LIMIT", "METRICS"],
    onLog: (line) => lines.push(line),
    env: {
      ...oneBucket(store),
      CALLERS: {
        me: {
          token: "TOKEN",
          grants: [{ bucket: "media", prefix: "", allow: ["read", "write", "delete", "admin"] }],
        },
      },
      ALLOWED_ORIGINS: ["https://app.example.com"],
      TOKEN: token,
    },
  });
});
afterAll(() => worker?.close());

describe.for(["/files", "/a/b"])("below %s", (at) => {
  const call = (path: string, init: RequestInit = {}) =>
    fetch(`${worker.url}${at}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...init.headers },
    });
  const post = (path: string, body: unknown) => call(path, { method: "POST", body: JSON.stringify(body) });
  const json = async <T>(response: Response) => (await response.json()) as T;

  test("S3 is spoken below it", async () => {
    const s3 = s3Client({ url: `${worker.url}${at}/s3`, accessKeyId: "me", secretAccessKey: token });
    const object = { Bucket: "media", Key: freshKey("s3/a b") };
    await s3.send(new PutObjectCommand({ ...object, Body: "hello" }));
    const { Body } = await s3.send(new GetObjectCommand(object));
    expect(await Body?.transformToString()).toBe("hello");
  });

  test("a presigned upload is read, listed, verified and removed through the edge", async () => {
    // What a router would decode, and what looks like the API itself.
    const key = `${freshKey()}/v1/objects/a%2Fb c/ü`;
    const path = `/v1/objects/media/${key.split("/").map(encodeURIComponent).join("/")}`;
    const answer = await json<Answer>(
      await post("/v1/presign", { operation: "PutObject", bucket: "media", key }),
    );
    expect((await send(answer, "hello")).status).toBe(200);
    const batch = await post("/v1/presign/batch", {
      requests: [{ operation: "GetObject", bucket: "media", key }],
    });
    const { results } = await json<{ results: Answer[] }>(batch);
    expect((await send(results[0] ?? {})).text).toBe("hello");
    const link = await json<Answer>(
      await post("/v1/presign", { operation: "GetObject", bucket: "media", key, via: "edge" }),
    );
    expect(link.url.startsWith(`${worker.url}${at}/s3/media/`)).toBe(true);
    expect((await send(link)).text).toBe("hello");
    const got = await call(path);
    expect([got.status, await got.text()]).toEqual([200, "hello"]);
    const head = await call(path, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "5"]);
    const prefix = encodeURIComponent(key);
    expect(await json(await call(`/v1/objects/media?prefix=${prefix}`))).toMatchObject({
      objects: [{ key, size: 5 }],
    });
    expect(await json(await post("/v1/verify", { bucket: "media", key }))).toMatchObject({
      encrypted: true,
      size: 5,
    });
    expect((await call(path, { method: "PUT", body: "again" })).status).toBe(200);
    expect((await call(path, { method: "DELETE" })).status).toBe(204);
    expect((await call(path)).status).toBe(404);
    expect((await call(`/v1/objects/media?key=${prefix}`, { method: "DELETE" })).status).toBe(204);
  });

  test("an upload in parts begins and ends", async () => {
    const begun = await json<object>(
      await post("/v1/multipart", { bucket: "media", key: freshKey(), size: 5 }),
    );
    const { partSize: _, partCount: __, ...upload } = begun as Record<string, unknown>;
    expect((await post("/v1/multipart/sign", { ...upload, partNumbers: [1] })).status).toBe(200);
    expect(await json(await post("/v1/multipart/parts", upload))).toEqual({ parts: [] });
    expect(
      (await post("/v1/multipart/complete", { ...upload, parts: [{ partNumber: 1, etag: "x" }] })).status,
    ).toBe(400);
    expect((await post("/v1/multipart/abort", upload)).status).toBe(204);
  });

  test("what is asked about callers, keys, the trail and health is answered", async () => {
    for (const path of ["/v1/me", "/v1/keys", "/v1/audit", "/v1/audit/summary", "/healthz"]) {
      expect([path, (await call(path)).status]).toEqual([path, 200]);
    }
    expect((await call("/v1/audit/keys/k1/objects")).status).toBe(200);
    const report = { operation: "GetObject", bucket: "media", key: "a", code: "AccessDenied" };
    expect((await post("/v1/reports", report)).status).toBe(204);
  });

  test.for<[string, string, string]>([
    ["DELETE", "/v1/presign", "POST"],
    ["GET", "/v1/presign/batch", "POST"],
    ["HEAD", "/v1/multipart", "POST"],
    ["PUT", "/v1/multipart/sign", "POST"],
    ["PATCH", "/v1/objects/media/a/b", "GET, HEAD, PUT, DELETE"],
    ["PUT", "/v1/objects/media", "GET, HEAD, DELETE"],
    ["POST", "/v1/me", "GET, HEAD"],
    ["POST", "/v1/audit/keys/k1/objects", "GET, HEAD"],
    ["GET", "/v1/verify", "POST"],
    ["POST", "/healthz", "GET, HEAD"],
    ["POST", "/", "GET, HEAD"],
  ])("%s %s is 405, and what is allowed is told", async ([method, path, allow]) => {
    const response = await call(path, { method });
    expect([response.status, response.headers.get("allow")]).toEqual([405, allow]);
  });

  test.for([
    "/v1/nothing",
    "/v1/presign/nothing",
    "/nothing",
    "/v1",
    "/v1/objects",
  ])("%s is a 404 of the API's own", async (path) => {
    const response = await call(path);
    expect(response.status).toBe(404);
    const { code, requestId } = await json<ProblemBody>(response);
    expect({ code, requestId }).toEqual({
      code: "not-found",
      requestId: response.headers.get("x-request-id"),
    });
  });

  test("nobody gets in, and browsers of other origins may ask", async () => {
    const refused = await fetch(`${worker.url}${at}/v1/me`);
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, expect.any(String)]);
    const preflight = await fetch(`${worker.url}${at}/v1/presign`, {
      method: "OPTIONS",
      headers: { origin: "https://app.example.com", "access-control-request-method": "POST" },
    });
    expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([
      204,
      "https://app.example.com",
    ]);
  });

  test("the page and its script are there, also without the slash", async () => {
    const page = await fetch(`${worker.url}${at}`);
    expect(page.url).toBe(`${worker.url}${at}/`);
    const [, script = ""] = /<script src="([^"]+)"/.exec(await page.text()) ?? [];
    const answer = await fetch(new URL(script, page.url));
    expect([answer.status, answer.headers.get("content-type")]).toEqual([
      200,
      "text/javascript; charset=utf-8",
    ]);
    expect(await answer.text()).not.toMatch(/fetch\("\//);
  });
});

test("what is beside it stays the app's own", async () => {
  expect(await (await fetch(worker.url)).text()).toBe("an app of their own");
  const elsewhere = await fetch(`${worker.url}/v1/me`);
  expect([elsewhere.status, await elsewhere.text()]).toEqual([404, "nothing of theirs"]);
});

test("an app may say who calls, and take the events", async () => {
  const url = `${worker.url}/vouched/v1/presign`;
  const body = (key: string) => JSON.stringify({ operation: "GetObject", bucket: "media", key });
  const stranger = await fetch(url, { method: "POST", body: body("a") });
  expect([stranger.status, stranger.headers.get("www-authenticate")]).toEqual([401, expect.any(String)]);
  const withToken = await fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: body("a"),
  });
  expect(withToken.status).toBe(401);
  const headers = { "x-user": "42" };
  expect((await fetch(url, { method: "POST", headers, body: body("users/42/a") })).status).toBe(200);
  expect((await fetch(url, { method: "POST", headers, body: body("users/43/a") })).status).toBe(403);
  const handed = () => lines.filter((line) => line.includes("handed over")).map((line) => JSON.parse(line));
  await expect.poll(() => handed().length).toBe(4);
  expect(handed().slice(-2)).toMatchObject([
    { caller: "app", subject: "42", operation: "GetObject", key: "users/42/a", outcome: "allowed" },
    { caller: "app", subject: "42", key: "users/43/a", outcome: "denied", code: "forbidden" },
  ]);
});
