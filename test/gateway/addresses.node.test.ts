/** Where the gateway is reached, and what becomes of bodies that break off on either side. */
import { randomBytes } from "node:crypto";
import { request as httpRequest } from "node:http";
import { HeadObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { freshKey, store } from "../support/client.ts";
import type { Exchanged } from "../support/exchange.ts";
import { error, type FaultProxy, isGet, isPut, startFaultProxy } from "../support/fault-proxy.ts";
import { oneBucket } from "../support/one-bucket.ts";
import { s3Client } from "../support/s3.ts";
import { type RunningWorker, startTestWorker } from "../support/worker.ts";
import { codeIn, type Raw, raw, signed } from "./client.ts";

const HOST = "s3.example.test";
const ORIGIN = "https://app.example.com";
const secret = randomBytes(24).toString("base64url");
const lines: string[] = [];
let proxy: FaultProxy;
let worker: RunningWorker;

beforeAll(async () => {
  proxy = await startFaultProxy(store.url);
  const allow = ["read", "write", "delete"];
  const { STORES, BUCKETS, ...env } = oneBucket({ ...store, url: proxy.url });
  worker = await startTestWorker({
    env: {
      ...env,
      // To the service another store, which is asked directly.
      STORES: { ...STORES, other: { ...STORES.main, endpoint: store.url } },
      BUCKETS: { ...BUCKETS, beyond: { store: "other", name: "vault", keys: ["k1"] } },
      CALLERS: {
        me: { token: "TOKEN", grants: ["media", "beyond"].map((bucket) => ({ bucket, prefix: "", allow })) },
      },
      TOKEN: secret,
      S3_HOSTS: [HOST],
      ALLOWED_ORIGINS: [ORIGIN],
    },
    without: ["DB", "QUEUE", "RATE_LIMIT"],
    onLog: (line) => lines.push(line),
  });
});
afterEach(() => proxy.break());
afterAll(async () => {
  await worker?.close();
  proxy?.close();
});

const ask = (asked: Raw): Promise<Exchanged> => raw({ caller: "me", secret, url: worker.url, ...asked });
const at = (host: string) => ({ headers: { host } });

test.for([
  ["below /s3", undefined, "/s3/media/"],
  ["path style at a host of its own", HOST, "/media/"],
  ["at the bucket's own host", `media.${HOST}`, "/"],
  ["at a host that is named with the usual port", `media.${HOST}:80`, "/"],
] as const)("an object is reached %s", async ([, host, path]) => {
  const key = `${freshKey("")}a b/ü`;
  const where = `${path}${encodeURI(key)}`;
  const more = host === undefined ? {} : at(host);
  expect((await ask({ method: "PUT", path: where, body: "hello", ...more })).status).toBe(200);
  const got = await ask({ method: "GET", path: where, ...more });
  expect([got.status, got.body.toString()]).toEqual([200, "hello"]);
  expect(got.headers).toMatchObject({
    "content-security-policy": "sandbox",
    "x-content-type-options": "nosniff",
    "x-amz-request-id": expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
  expect(Object.keys(got.headers).filter((name) => name.includes("encryption"))).toEqual([]);
  const elsewhere = await ask({ method: "GET", path: `/s3/media/${encodeURI(key)}` });
  expect(elsewhere.body.toString()).toBe("hello");
});

test("buckets are listed at the root, and lists at a bucket's host", async () => {
  for (const one of [{ path: "/s3" }, { path: "/s3/" }, { path: "/", ...at(HOST) }])
    expect((await ask({ method: "GET", ...one })).body.toString()).toContain("<Name>media</Name>");
  const list = await ask({ method: "GET", path: "/?max-keys=0", ...at(`media.${HOST}`) });
  expect(list.body.toString()).toContain("<MaxKeys>0</MaxKeys>");
  const nobody = await fetch(`${worker.url}/s3`);
  expect([nobody.status, await nobody.text()]).toEqual([
    403,
    expect.stringContaining("<Code>AccessDenied</Code>"),
  ]);
  const head = await ask({ method: "HEAD", path: "/s3/media/nothing-here" });
  expect([head.status, head.body.length]).toEqual([404, 0]);
});

test("a signature for one host or path is none for another", async () => {
  const one = signed({ method: "GET", path: "/s3/media/a", caller: "me", secret, url: worker.url });
  for (const other of ["/s3/media/b", "/s3/media/a?versionId=1", "/s3"]) {
    const answer = await fetch(worker.url + other, { headers: one as Record<string, string> });
    expect([answer.status, await answer.text()]).toEqual([
      403,
      expect.stringContaining("SignatureDoesNotMatch"),
    ]);
  }
});

test("pages of allowed origins may call", async () => {
  const asked = (origin: string) => ({
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "PUT",
      "access-control-request-headers": "authorization",
    },
  });
  const answer = await fetch(`${worker.url}/s3/media/x`, asked(ORIGIN));
  expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([204, ORIGIN]);
  const stranger = await fetch(`${worker.url}/s3/media/x`, asked("https://else.example.com"));
  expect(stranger.headers.get("access-control-allow-origin")).toBeNull();
});

test("an object is copied from one store to another, as it is", async () => {
  const key = `${freshKey("")}ü`;
  const body = randomBytes(300_000);
  const headers = {
    "content-type": "text/x",
    "x-amz-meta-a": "b",
    "x-amz-tagging": "t=1",
    "cache-control": "no-cache",
  };
  await ask({ method: "PUT", path: `/s3/media/${encodeURI(key)}`, body, headers });
  const source = { "x-amz-copy-source": `/media/${encodeURI(key)}` };
  const path = `/s3/beyond/${encodeURI(key)}`;
  const copied = await ask({ method: "PUT", path, headers: source });
  expect([copied.status, copied.body.toString()]).toEqual([
    200,
    expect.stringContaining("<CopyObjectResult"),
  ]);
  const got = await ask({ method: "GET", path });
  expect(got.body.equals(body)).toBe(true);
  expect(got.headers).toMatchObject({
    "content-type": "text/x",
    "x-amz-meta-a": "b",
    "cache-control": "no-cache",
  });
  expect((await ask({ method: "GET", path: `${path}?tagging=` })).body.toString()).toContain("<Key>t</Key>");
  proxy.break({ on: isGet, cutAnswerAfter: 100_000 });
  const broken = await ask({ method: "PUT", path: `${path}2`, headers: source });
  expect(broken.status).toBeGreaterThanOrEqual(400);
  expect((await ask({ method: "HEAD", path: `${path}2` })).status).toBe(404);
});

test("the trail has what was done, and who was refused", async () => {
  const key = freshKey();
  const events = () => lines.filter((line) => line.includes('"audit"')).map((line) => JSON.parse(line));
  await ask({ method: "PUT", path: `/s3/media/${key}`, body: "hello" });
  await ask({
    method: "POST",
    path: "/s3/media?delete=",
    body: `<Delete><Object><Key>${key}</Key></Object></Delete>`,
  });
  await ask({ method: "GET", path: `/s3/media/${key}`, secret: `${secret}x` });
  await vi.waitFor(() => expect(events().filter((event) => event.key === key)).toHaveLength(2), {
    timeout: 20_000,
  });
  expect(events().filter((event) => event.key === key)).toMatchObject([
    {
      via: "s3",
      caller: "me",
      operation: "PutObject",
      bucket: "media",
      keyId: "k1",
      bytes: 5,
      outcome: "allowed",
    },
    { via: "s3", caller: "me", operation: "DeleteObject", bucket: "media", outcome: "allowed" },
  ]);
  await vi.waitFor(
    () =>
      expect(events()).toContainEqual(
        expect.objectContaining({ via: "s3", outcome: "denied", code: "unauthenticated" }),
      ),
    { timeout: 20_000 },
  );
});

describe("a body that breaks off", () => {
  const MiB = 2 ** 20;
  const body = randomBytes(3 * MiB);
  const isThere = (key: string) =>
    s3Client(store)
      .send(new HeadObjectCommand({ Bucket: "media", Key: key }))
      .then(
        () => true,
        ({ $metadata }) => $metadata.httpStatusCode !== 404,
      );

  test("at the store is never a short success", async () => {
    const key = freshKey();
    await ask({ method: "PUT", path: `/s3/media/${key}`, body });
    proxy.break({ on: isGet, cutAnswerAfter: MiB });
    await expect(ask({ method: "GET", path: `/s3/media/${key}` })).rejects.toThrow();
    proxy.break({ on: isPut, cutRequestAfter: MiB });
    const fresh = freshKey();
    expect((await ask({ method: "PUT", path: `/s3/media/${fresh}`, body })).status).toBe(500);
    expect(await isThere(fresh)).toBe(false);
  });

  test("at the client ends the store's side as well", async () => {
    const key = freshKey();
    const path = `/s3/media/${key}`;
    const { hostname, port } = new URL(worker.url);
    const headers = signed({ method: "PUT", path, caller: "me", secret, url: worker.url, body });
    const outgoing = httpRequest({ hostname, port, method: "PUT", path, headers }).on("error", () => {});
    outgoing.write(body.subarray(0, MiB));
    await vi.waitFor(() => expect(proxy.open()).toBe(1), { timeout: 20_000 });
    outgoing.destroy();
    await vi.waitFor(() => expect(proxy.open()).toBe(0), 5000);
    expect(await isThere(key)).toBe(false);
  });

  test.for([
    [500, "InternalError", 500],
    [503, "SlowDown", 503],
    [403, "AccessDenied", 500],
  ] as const)("because the store answers %d %s is %d", async ([status, code, answered]) => {
    proxy.break({ on: isPut, answer: error(status, code) });
    const answer = await ask({ method: "PUT", path: `/s3/media/${freshKey()}`, body: "x" });
    expect(answer.status).toBe(answered);
    expect(codeIn(answer)).toBe(status === 503 ? "SlowDown" : "InternalError");
  });

  test("is waited for by who asks first whether it may come", async () => {
    const path = `/s3/media/${freshKey()}`;
    const { hostname, port } = new URL(worker.url);
    const headers = signed({ method: "PUT", path, caller: "me", secret, url: worker.url, body: "hello" });
    const status = await new Promise((resolve, reject) => {
      const outgoing = httpRequest({
        hostname,
        port,
        method: "PUT",
        path,
        headers: { ...headers, expect: "100-continue" },
      });
      outgoing.on("continue", () => outgoing.end("hello"));
      outgoing.on("response", (answer) => resolve(answer.resume().statusCode));
      outgoing.on("error", reject);
      outgoing.flushHeaders();
    });
    expect(status).toBe(200);
  });
});
