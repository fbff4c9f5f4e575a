/** The client against a Worker and a store, both real; between client and store stands what breaks. */

import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { CreateBucketCommand, ListMultipartUploadsCommand, PutBucketCorsCommand } from "@aws-sdk/client-s3";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type RunningWorker, startWorker } from "../../scripts/worker.ts";
import { createClient, SsecError } from "../../src/client/index.ts";
import { startStore } from "../../src/dev-store/index.ts";
import { launchChromium } from "../support/chromium.ts";
import { error, type FaultProxy, isGet, isPart, isPut, startFaultProxy } from "../support/fault-proxy.ts";
import { oneBucket } from "../support/one-bucket.ts";
import { s3Client } from "../support/s3.ts";
import { play } from "./scenario.ts";

const MiB = 2 ** 20;
const partSize = 5 * MiB;
const PATIENT = { timeout: 30_000 };
const token = "a-token-that-is-long-enough-for-all";
const data = mkdtempSync(join(tmpdir(), "ssec-client-"));
const files = mkdtempSync(join(tmpdir(), "ssec-client-files-"));
const credentials = { accessKeyId: "id", secretAccessKey: "secret" };
let store: Awaited<ReturnType<typeof startStore>>;
let proxy: FaultProxy;
let worker: RunningWorker;
const access = () => ({ url: store.url, ...credentials });
const client = (more: Partial<Parameters<typeof createClient>[0]> = {}) =>
  createClient({ url: worker.url, token, ...more });

beforeAll(async () => {
  store = await startStore({ data, port: 0, credentials, region: "us-east-1" });
  proxy = await startFaultProxy(store.url);
  const s3 = s3Client(access());
  await s3.send(new CreateBucketCommand({ Bucket: "media" }));
  const rule = {
    AllowedOrigins: ["http://127.0.0.1:*"],
    AllowedMethods: ["GET", "HEAD", "PUT", "POST", "DELETE"],
    AllowedHeaders: ["*"],
    ExposeHeaders: ["ETag", "x-amz-server-side-encryption-customer-algorithm"],
  };
  await s3.send(new PutBucketCorsCommand({ Bucket: "media", CORSConfiguration: { CORSRules: [rule] } }));
  worker = await startWorker({
    onLog: () => {},
    without: ["DB", "QUEUE", "ROTATION_QUEUE", "METRICS", "RATE_LIMIT"],
    env: {
      ...oneBucket({ url: proxy.url, ...credentials }),
      CALLERS: {
        me: { token: "TOKEN", grants: [{ bucket: "media", prefix: "", allow: ["read", "write", "delete"] }] },
      },
      TOKEN: token,
      ALLOWED_ORIGINS: ["http://127.0.0.1:*"],
    },
  });
});
beforeEach(() => proxy.break());
afterAll(async () => {
  await worker?.close();
  proxy?.close();
  await store?.close();
  for (const folder of [data, files]) rmSync(folder, { recursive: true });
});

test("in Node", async () => {
  expect(await play({ url: worker.url, token, prefix: "node/" })).toEqual([]);
});

test("in a Worker", async () => {
  const script = await bundled(
    `import { play } from "./scenario.ts";
     export default { fetch: async (request) => Response.json(await play(await request.json())) };`,
    "esm",
  );
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script,
      compatibilityDate: "2026-10-23",
      telemetry: { enabled: false },
    }),
  );
  try {
    const body = JSON.stringify({ url: worker.url, token, prefix: "workerd/" });
    const answer = await fetch(await runtime.ready, { method: "POST", body });
    expect(await answer.json()).toEqual([]);
  } finally {
    await runtime.dispose();
  }
});

test("in Chromium", async () => {
  await inChromium(`import { play } from "./scenario.ts"; globalThis.play = play;`, async (page) => {
    const scenario = { url: worker.url, token, prefix: "chromium/" };
    const faults = await page.evaluate(
      (given) => (globalThis as never as { play: typeof play }).play(given),
      scenario,
    );
    expect(faults).toEqual([]);
  });
});

test("useUpload() shows what becomes of each file, pauses, goes on and cancels", async () => {
  const contents = `globalThis.service = ${JSON.stringify({ url: worker.url, token })}; import("./uploads.ts");`;
  await inChromium(contents, async (page) => {
    const choose = (name: string, length: number) => {
      const path = join(files, name);
      writeFileSync(path, Buffer.alloc(length, 1));
      return page.getByLabel("Files").setInputFiles(path);
    };
    const click = (name: string) => page.getByRole("button", { name, exact: true }).click();
    await choose("small.txt", 10);
    await page.getByText("react/small.txt done").waitFor();
    await page.getByText("10 of 10").waitFor();

    // The second part is not answered until the upload is paused.
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let parts = 0;
    proxy.break({
      on: (request) => isPart(request) && ++parts === 2,
      times: 1,
      forward: ({ url, headers }) => held.then(() => ({ url, headers })),
    });
    await choose("large.bin", 11 * MiB);
    await expect.poll(() => parts, PATIENT).toBe(2);
    await click("pause react/large.bin");
    await page.getByText("react/large.bin paused").waitFor();
    release();
    await click("resume react/large.bin");
    await page.getByText("react/large.bin done").waitFor();
    // What is done is neither paused nor begun again.
    await click("pause react/large.bin");
    await click("resume react/large.bin");
    await page.getByText("react/large.bin done").waitFor();
    expect(await page.getByText(/react\/large\.bin (paused|waiting|uploading)/).count()).toBe(0);
    expect((await client().head({ bucket: "media", key: "react/large.bin" })).size).toBe(11 * MiB);

    proxy.break({ on: isPart, answer: error(400, "InvalidArgument") });
    await choose("never.bin", 6 * MiB);
    // What has no CORS headers a page cannot read: the error says what the operator would do about that.
    await page.getByText(/react\/never\.bin failed .* `ssec cors media --origin http/).waitFor();
    await click("cancel react/never.bin");
    await expect.poll(uploads, PATIENT).toEqual([]);
    expect(await page.getByText("never.bin").count()).toBe(0);
  });
});

test("it is less than 6 KB, minified and compressed", async () => {
  const { outputFiles } = await build({
    entryPoints: ["src/client/index.ts"],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    // Loaded when a SHA-256 is asked for.
    external: ["./digest.ts"],
    write: false,
  });
  const size = gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length;
  expect(size).toBeGreaterThan(1000);
  expect(size).toBeLessThan(6 * 1024);
});

test.for([
  ["SlowDown", { on: isPart, times: 3, answer: error(503, "SlowDown") }],
  ["a URL that counts no more", { on: isPart, times: 1, answer: error(403, "AccessDenied") }],
  ["a connection that breaks", { on: isPart, times: 2, cutRequestAfter: 100_000 }],
  ["an answer that is lost", { on: isPart, times: 1, cutAnswerAfter: 0 }],
] as const)("parts survive %s", async ([, fault]) => {
  proxy.break({ ...fault });
  const source = new Uint8Array(10 * MiB + 1).fill(7);
  const seen: number[] = [];
  const onProgress = ({ loaded }: { loaded: number }) => seen.push(loaded);
  const { size } = await client().upload(source, { bucket: "media", key: "parts", partSize, onProgress });
  expect(size).toBe(source.length);
  expect(Math.max(...seen)).toBe(source.length);
  const got = await (await client().download({ bucket: "media", key: "parts" })).bytes();
  expect(Buffer.compare(got, source)).toBe(0);
});

test("what cannot go well is not tried again, and what was begun is ended", async () => {
  let asked = 0;
  const on = (request: IncomingMessage) => isPart(request) && ++asked > 0;
  proxy.break({ on, answer: error(400, "InvalidArgument") });
  const uploading = client().upload(new Uint8Array(6 * MiB), {
    bucket: "media",
    key: "never",
    partSize,
    concurrency: 1,
  });
  await expect(uploading).rejects.toMatchObject({ name: "SsecError", code: "store-error", status: 400 });
  expect(asked).toBe(1);
  expect(await uploads()).toEqual([]);
});

test.for([
  ["PUT", isPut, 10],
  ["parts", isPart, 6 * MiB],
] as const)("a store that does not say that it encrypted has not: %s", async ([, on, length]) => {
  proxy.break({
    on,
    headers: (headers) => delete headers["x-amz-server-side-encryption-customer-algorithm"],
  });
  const uploading = client().upload(new Uint8Array(length), { bucket: "media", key: "plain", partSize });
  await expect(uploading).rejects.toMatchObject({ code: "store-error" });
});

test("a download goes on where it broke, and not with another object's bytes", async () => {
  const source = new Uint8Array(3 * MiB).map((_, i) => i % 251);
  await client().upload(source, { bucket: "media", key: "broken" });
  proxy.break({ on: isGet, times: 2, cutAnswerAfter: MiB });
  const got = await client().download({ bucket: "media", key: "broken", sha256: false });
  expect(Buffer.compare(await got.bytes(), source)).toBe(0);

  proxy.break({ on: isGet, times: 1, cutAnswerAfter: MiB });
  const other = await client().download({ bucket: "media", key: "broken" });
  const reader = other.body.getReader();
  await reader.read();
  await client().upload("another", { bucket: "media", key: "broken" });
  const rest = async () => {
    while (!(await reader.read()).done);
  };
  await expect(rest()).rejects.toMatchObject({ code: "conflict" });
});

test("nor with those of an object that takes its place just when the download goes on", async () => {
  const object = { bucket: "media", key: "replaced" };
  await client().upload(new Uint8Array(3 * MiB), object);
  proxy.break(
    { on: isGet, times: 1, cutAnswerAfter: MiB },
    {
      on: isGet,
      times: 1,
      forward: async (request) => {
        await client().upload(new Uint8Array(3 * MiB).fill(1), object);
        return request;
      },
    },
  );
  const got = await client().download(object);
  const told = await got.bytes().then(
    ({ length }) => `${length} bytes`,
    ({ code }: SsecError) => code,
  );
  expect(told).toBe("conflict");
});

test("bytes that are not those that were uploaded are found out", async () => {
  const object = { bucket: "media", key: "proved" };
  await client().upload("hello", { ...object, sha256: true });
  expect(await (await client().download({ ...object, sha256: true })).text()).toBe("hello");
  await client().upload("other", { ...object, metadata: { sha256: "00".repeat(32) } });
  const got = await client().download({ ...object, sha256: true });
  await expect(got.text()).rejects.toMatchObject({ code: "conflict" });
});

/** Those that nobody has ended. */
async function uploads(): Promise<unknown[]> {
  const { Uploads = [] } = await s3Client(access()).send(
    new ListMultipartUploadsCommand({ Bucket: "media" }),
  );
  return Uploads;
}

async function inChromium(contents: string, work: (page: Page) => Promise<void>): Promise<void> {
  const script = (await bundled(contents, "iife")).replaceAll("</", "<\\/");
  const pages = createServer((_, response) => {
    const html = `<!doctype html><meta charset="utf-8"><div id="root"></div><script>${script}</script>`;
    response.setHeader("content-type", "text/html").end(html);
  });
  pages.listen(0, "127.0.0.1");
  await once(pages, "listening");
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}`);
    await work(page);
  } finally {
    await browser.close();
    pages.close();
  }
}

async function bundled(contents: string, format: "esm" | "iife"): Promise<string> {
  const stdin = { contents, resolveDir: import.meta.dirname };
  const { outputFiles } = await build({
    stdin,
    bundle: true,
    format,
    define: { "process.env.NODE_ENV": '"production"' },
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

/** As localStorage, and what was written to it. */
function memory() {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
  };
}

test("an upload that was ended goes on, with the parts that are there; neither key nor URL is kept", async () => {
  const resume = memory();
  const file = new File([new Uint8Array(16 * MiB).map((_, i) => i >> 16)], "a.bin", { lastModified: 5 });
  const ending = new AbortController();
  let parts = 0;
  const on = (request: IncomingMessage) => {
    if (isPart(request) && ++parts === 3) ending.abort();
    return false;
  };
  proxy.break({ on });
  const options = { bucket: "media", key: "resumed", resume, partSize, concurrency: 1 };
  await expect(client().upload(file, { ...options, signal: ending.signal })).rejects.toThrow(/abort/i);
  const [text = ""] = resume.kept.values();
  expect(Object.keys(JSON.parse(text)).sort()).toEqual(["fingerprint", "keyId", "partSize", "uploadId"]);

  parts = 0;
  const { size } = await client().upload(file, options);
  expect(size).toBe(file.size);
  expect(parts).toBe(2);
  expect(resume.kept.size).toBe(0);
  const got = await (await client().download({ bucket: "media", key: "resumed" })).bytes();
  expect(Buffer.compare(got, Buffer.from(await file.arrayBuffer()))).toBe(0);
});

test("another file of the same name begins anew", async () => {
  const resume = memory();
  const options = { bucket: "media", key: "renewed", resume, partSize, concurrency: 1 };
  proxy.break({ on: isPart, answer: error(400, "InvalidArgument") });
  const first = new File([new Uint8Array(6 * MiB)], "a.bin", { lastModified: 1 });
  await expect(client().upload(first, options)).rejects.toBeInstanceOf(SsecError);
  proxy.break();
  const second = new File([new Uint8Array(6 * MiB).fill(1)], "a.bin", { lastModified: 2 });
  await client().upload(second, options);
  const got = await (await client().download({ bucket: "media", key: "renewed" })).bytes();
  expect(got.every((byte) => byte === 1)).toBe(true);
});

test("a stream is not known again", async () => {
  const stream = new Blob([new Uint8Array(6 * MiB)]).stream() as ReadableStream<Uint8Array>;
  const uploading = client().upload(stream, { bucket: "media", key: "stream", partSize, resume: memory() });
  await expect(uploading).rejects.toMatchObject({ code: "invalid-request" });
});

test("where nobody answers, the error names neither token nor path", async () => {
  const nobody = createClient({ url: "http://127.0.0.1:9/files", token });
  const said = await nobody.list({ bucket: "media" }).catch((error: unknown) => error as SsecError);
  expect(said).toMatchObject({ code: "cors-or-network", message: "http://127.0.0.1:9 does not answer" });
});

test.for([
  ["is not set up", undefined, "unavailable", undefined],
  ["asks for more patience than anybody has", "3600", "rate-limited", 3_600_000],
  ["asks for it by a date", "Fri, 31 Dec 9999 23:59:59 GMT", "rate-limited", expect.any(Number)],
] as const)("a service that %s is asked once", async ([, wait, code, retryAfter]) => {
  let asked = 0;
  const fetch = async () => {
    asked++;
    const headers: Record<string, string> = wait === undefined ? {} : { "retry-after": wait };
    return Response.json({ code, detail: "no" }, { status: code === "unavailable" ? 503 : 429, headers });
  };
  const sharing = client({ fetch }).share({ bucket: "media", key: "a" });
  await expect(sharing).rejects.toMatchObject({ name: "SsecError", code, retryAfter });
  expect(asked).toBe(1);
});

test.for([
  ["unavailable", "0.01"],
  ["unavailable", new Date(Date.now() - 60_000).toUTCString()],
  ["rate-limited", "0.01"],
] as const)("a service that is %s until it says is asked again: %s", async ([code, wait]) => {
  let asked = 0;
  const fetch: typeof globalThis.fetch = async () =>
    ++asked < 3
      ? Response.json(
          { code },
          { status: code === "unavailable" ? 503 : 429, headers: { "retry-after": wait } },
        )
      : Response.json({ url: "https://edge.example.com/", expiresAt: "2026-11-23T15:15:00Z" });
  await client({ fetch }).share({ bucket: "media", key: "a" });
  expect(asked).toBe(3);
});

test("a service that goes on being overloaded is not asked six times six times", async () => {
  let asked = 0;
  const fetch = async () => {
    asked++;
    return Response.json({ code: "unavailable" }, { status: 503, headers: { "retry-after": "0.01" } });
  };
  const uploading = client({ fetch }).upload("hello", { bucket: "media", key: "a" });
  await expect(uploading).rejects.toMatchObject({ code: "unavailable" });
  expect(asked).toBe(6);
});
