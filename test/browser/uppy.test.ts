/** Others' upload libraries in a real browser, unmodified, on the pages of docs/browser-uploads.md. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { CreateBucketCommand, ListMultipartUploadsCommand, PutBucketCorsCommand } from "@aws-sdk/client-s3";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type RunningWorker, startWorker } from "../../scripts/worker.ts";
import { startStore } from "../../src/dev-store/index.ts";
import { launchChromium } from "../support/chromium.ts";
import { codeBlocks } from "../support/documented.ts";
import { type FaultProxy, isPart, startFaultProxy } from "../support/fault-proxy.ts";
import { oneBucket } from "../support/one-bucket.ts";
import { s3Client } from "../support/s3.ts";

const MiB = 2 ** 20;
const PATIENT = { timeout: 30_000 };
const token = randomBytes(24).toString("base64url");
const adminToken = randomBytes(24).toString("base64url");
const limitedToken = randomBytes(24).toString("base64url");
const dir = mkdtempSync(join(tmpdir(), "ssec-uppy-"));
const credentials = { accessKeyId: "id", secretAccessKey: "secret" };
const [uppyPage = "", uppyLimited = "", filePondPage = "", betterUploadRoute = "", betterUploadPage = ""] =
  codeBlocks("docs/browser-uploads.md", "js");
const KEY_2 = randomBytes(32).toString("base64");

/** The key that new objects are under. */
let writing = "k1";
let store: Awaited<ReturnType<typeof startStore>>;
let proxy: FaultProxy;
let worker: RunningWorker;
let env: ReturnType<typeof environment>;
let browser: Browser;
const pages = new Map<string, string>();
const server = createServer(async (request, response) => {
  if (request.method === "POST") {
    const { POST } = await routeOf(betterUploadRoute);
    const answer = await POST(new Request("http://page", { method: "POST", body: await text(request) }));
    response.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text());
    return;
  }
  response.setHeader("content-type", "text/html; charset=utf-8").end(pages.get(request.url ?? ""));
});

beforeAll(async () => {
  store = await startStore({ data: join(dir, "store"), port: 0, credentials, region: "us-east-1" });
  proxy = await startFaultProxy(store.url);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const s3 = s3Client({ url: store.url, ...credentials });
  await s3.send(new CreateBucketCommand({ Bucket: "media" }));
  const rule = {
    AllowedOrigins: [originOf()],
    AllowedMethods: ["GET", "HEAD", "PUT", "POST", "DELETE"],
    AllowedHeaders: ["*"],
    ExposeHeaders: ["ETag", "x-amz-server-side-encryption-customer-algorithm"],
  };
  await s3.send(new PutBucketCorsCommand({ Bucket: "media", CORSConfiguration: { CORSRules: [rule] } }));
  env = environment();
  worker = await started(0);
  browser = await launchChromium();
});
beforeEach(() => proxy.break());
afterAll(async () => {
  await browser?.close();
  await worker?.close();
  server.close();
  proxy?.close();
  await store?.close();
  rmSync(dir, { recursive: true });
});

const originOf = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

function environment() {
  return {
    ...oneBucket({ url: proxy.url, ...credentials }),
    CALLERS: {
      page: {
        token: "TOKEN",
        grants: [{ bucket: "media", prefix: "", allow: ["read", "write"] }],
      },
      limited: {
        token: "LIMITED_TOKEN",
        grants: [
          {
            bucket: "media",
            prefix: "limited/",
            allow: ["write"],
            maxBytes: 12 * MiB,
            contentTypes: ["image/*"],
          },
        ],
      },
    },
    TOKEN: token,
    LIMITED_TOKEN: limitedToken,
    // This page's, and nobody else's.
    ALLOWED_ORIGINS: [originOf()],
  };
}

function started(port: number, more: object = {}, isWhole = false): Promise<RunningWorker> {
  const without = isWhole ? [] : (["DB", "QUEUE", "ROTATION_QUEUE", "METRICS", "RATE_LIMIT"] as const);
  return startWorker({ port, without, env: { ...env, ...more }, onLog: () => {} });
}

/** A page as its developer bundles it, opened. */
async function open(contents: string, withToken = token): Promise<Page> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: process.cwd() },
    bundle: true,
    format: "esm",
    alias: { "ssec-edge/client": "./src/client/index.ts" },
    define: { "process.env.NODE_ENV": '"production"' },
    outdir: dir,
    write: false,
  });
  const [script = "", style = ""] = [".js", ".css"].map(
    (end) => outputFiles.find(({ path }) => path.endsWith(end))?.text,
  );
  const given = `const url = ${JSON.stringify(worker.url)}, token = ${JSON.stringify(withToken)};`;
  const path = `/${pages.size}`;
  pages.set(
    path,
    `<!doctype html><title>a page</title><style>${style}</style><div id="uploads"></div>
     <script>${given}</script><script type="module">${script.replaceAll("</", "<\\/")}</script>`,
  );
  const page = await browser.newPage();
  await page.goto(originOf() + path);
  return page;
}

/** The first page with the options of the second. */
const limitedPage = () => `${uppyPage.split("uppy.use(AwsS3")[0]}${uppyLimited}`;

function file(name: string, size: number): { path: string; bytes: Buffer } {
  const path = join(dir, name);
  const bytes = randomBytes(size);
  writeFileSync(path, bytes);
  return { path, bytes };
}

const choose = (page: Page, ...paths: string[]) =>
  page.locator(".uppy-Dashboard-input").first().setInputFiles(paths);
const click = (page: Page, name: string | RegExp) => page.getByRole("button", { name }).first().click();
const isComplete = (page: Page) => page.locator(".uppy-StatusBar.is-complete").waitFor(PATIENT);

/** What lies there, once it is proved that it is encrypted. */
async function stored(key: string, keyId = writing): Promise<Buffer> {
  const headers = { authorization: `Bearer ${token}` };
  const body = JSON.stringify({ bucket: "media", key });
  const proof = await fetch(`${worker.url}/v1/verify`, { method: "POST", headers, body });
  expect(await proof.json(), key).toMatchObject({ encrypted: true, keyId });
  const path = key.split("/").map(encodeURIComponent).join("/");
  const got = await fetch(`${worker.url}/v1/objects/media/${path}`, { headers });
  return Buffer.from(await got.arrayBuffer());
}

async function keysBelow(prefix: string): Promise<string[]> {
  const headers = { authorization: `Bearer ${token}` };
  const listed = await fetch(`${worker.url}/v1/objects/media?prefix=${prefix}`, { headers });
  return ((await listed.json()) as { objects: { key: string }[] }).objects.map(({ key }) => key);
}

/** From here on the store takes no second part, until it is let go; which parts come. */
function holdUpSecondPart() {
  const sent: (string | null)[] = [];
  let isHeld = true;
  const on = (request: IncomingMessage) => {
    // A rotation copies parts, and looks with some of its own what the store can do.
    const { url = "", headers } = request;
    if (!isPart(request) || headers["x-amz-copy-source"] !== undefined || url.includes(".ssec-rotation-"))
      return false;
    sent.push(new URL(url, store.url).searchParams.get("partNumber"));
    return isHeld && sent.at(-1) === "2";
  };
  proxy.break({ on, forward: () => new Promise(() => {}) });
  return {
    sent,
    letGo: () => {
      isHeld = false;
    },
  };
}

/** An upload in three parts, of which the first is in the store and the second on its way. */
async function pausedAtSecondPart(name: string) {
  const page = await open(limitedPage(), limitedToken);
  const { path, bytes } = file(name, 11 * MiB);
  const { sent, letGo } = holdUpSecondPart();
  await choose(page, path);
  await click(page, /^Upload 1 file/);
  await expect.poll(() => sent, PATIENT).toEqual(["1", "2"]);
  await click(page, "Pause");
  return { page, bytes, sent, letGo };
}

async function unfinished(): Promise<number> {
  const s3 = s3Client({ url: store.url, ...credentials });
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: "media" }));
  return Uploads.length;
}

test("Uppy sends files in one piece", async () => {
  const page = await open(uppyPage);
  const files = [file("a b ü+%.png", 1000), file("empty.txt", 0)];
  await choose(page, ...files.map(({ path }) => path));
  await click(page, /^Upload 2 files/);
  await isComplete(page);
  expect((await stored("uploads/a b ü+%.png")).equals(files[0]?.bytes as Buffer)).toBe(true);
  expect(await stored("uploads/empty.txt")).toHaveLength(0);
});

test("Uppy pauses and goes on, and a newer key in between changes nothing", async () => {
  const { page, bytes, sent, letGo } = await pausedAtSecondPart("large.png");
  const { port } = new URL(worker.url);
  await worker.close();
  const rotated = { KEYS: { k2: { secret: "KEY_2" }, k1: { secret: "KEY_1" } }, KEY_2 };
  worker = await started(Number(port), {
    ...rotated,
    BUCKETS: { media: { store: "main", keys: ["k2", "k1"] } },
  });
  writing = "k2";
  letGo();
  await click(page, "Resume");
  await isComplete(page);
  expect(sent).toEqual(["1", "2", "2", "3"]);
  const [key = ""] = await keysBelow("limited/");
  expect((await stored(key, "k1")).equals(bytes)).toBe(true);
  expect(await unfinished()).toBe(0);

  const next = await open(uppyPage);
  await choose(next, file("next.png", 10).path);
  await click(next, /^Upload 1 file/);
  await isComplete(next);
  await stored("uploads/next.png");
});

test("a rotation in the middle of an upload leaves what Uppy makes whole, under the newer key", async () => {
  // Under the older key everything begins; an admin then makes the newer one write, and starts a rotation.
  const { port } = new URL(worker.url);
  const keys = { KEYS: { k2: { secret: "KEY_2" }, k1: { secret: "KEY_1" } }, KEY_2 };
  const callers = {
    ...env.CALLERS,
    admin: {
      token: "ADMIN_TOKEN",
      grants: [{ bucket: "media", prefix: "", allow: ["read", "write", "admin"] }],
    },
  };
  const more = { ...keys, CALLERS: callers, ADMIN_TOKEN: adminToken };
  const restart = async (order: string[]) => {
    await worker.close();
    worker = await started(
      Number(port),
      { ...more, BUCKETS: { media: { store: "main", keys: order } } },
      true,
    );
    writing = order[0] ?? "";
  };
  await restart(["k1", "k2"]);
  const earlier = randomBytes(1000);
  const authorization = { authorization: `Bearer ${token}` };
  await fetch(`${worker.url}/v1/objects/media/limited/earlier`, {
    ...{ method: "PUT", headers: { ...authorization, "content-type": "image/png" }, body: earlier },
  });
  const { page, bytes, sent, letGo } = await pausedAtSecondPart("rotated.png");
  await restart(["k2", "k1"]);
  const first = await rotated();
  expect(first).toMatchObject({ state: "done", to: "k2", failed: 0 });
  expect((await stored("limited/earlier", "k2")).equals(earlier)).toBe(true);

  letGo();
  await click(page, "Resume");
  await isComplete(page);
  expect(sent).toEqual(["1", "2", "2", "3"]);
  const key = (await keysBelow("limited/")).find((name) => name.endsWith("rotated.png")) ?? "";
  // Its parts are under the key that it was begun with; the next rotation finds it.
  expect((await stored(key, "k1")).equals(bytes)).toBe(true);
  expect(await rotated()).toMatchObject({ state: "done", rotated: 1, failed: 0 });
  expect((await stored(key, "k2")).equals(bytes)).toBe(true);
  expect(await unfinished()).toBe(0);
});

/** A rotation, from its start to its end. */
async function rotated(): Promise<{ state: string }> {
  const headers = { authorization: `Bearer ${adminToken}` };
  const body = JSON.stringify({ bucket: "media", prefix: "limited/" });
  const started = await fetch(`${worker.url}/v1/rotations`, { method: "POST", headers, body });
  expect(started.status).toBe(202);
  const { id } = (await started.json()) as { id: string };
  const report = async () =>
    (await (await fetch(`${worker.url}/v1/rotations/${id}`, { headers })).json()) as { state: string };
  await expect.poll(async () => (await report()).state, PATIENT).not.toBe("running");
  return report();
}

/** What the browser keeps for a page; of a file not what is in it. */
const KEPT = `(async () => {
  const asked = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const kept = [{ ...localStorage }];
  for (const { name } of await indexedDB.databases()) {
    const database = await asked(indexedDB.open(name));
    for (const store of database.objectStoreNames)
      kept.push(await asked(database.transaction(store).objectStore(store).getAll()));
    database.close();
  }
  return JSON.stringify(kept);
})()`;

test("Uppy goes on after a reload with @uppy/golden-retriever", async () => {
  const page = await open(
    `import GoldenRetriever from "@uppy/golden-retriever"; ${limitedPage()} uppy.use(GoldenRetriever);`,
    limitedToken,
  );
  const { path, bytes } = file("reload.png", 9 * MiB);
  const { sent, letGo } = holdUpSecondPart();
  await choose(page, path);
  await click(page, /^Upload 1 file/);
  await expect.poll(() => sent, PATIENT).toEqual(["1", "2"]);
  const kept = () => page.evaluate<string>(KEPT);
  await expect.poll(kept, PATIENT).toContain("uploadId");
  expect(await kept()).not.toContain(env.KEY_1);
  letGo();
  await page.reload();
  await click(page, /^Upload 1 file/);
  await isComplete(page);
  expect(sent).toEqual(["1", "2", "2"]);
  const [key = ""] = (await keysBelow("limited/")).filter((name) => name.endsWith("reload.png"));
  expect((await stored(key)).equals(bytes)).toBe(true);
});

test.for([
  ["much.png", 12 * MiB + 1, /may have at most 12582912 bytes/],
  ["page.html", 10, /must have a contentType of image\/\*/],
] as const)("Uppy says what the caller's grant has against %s", async ([name, size, words]) => {
  const page = await open(limitedPage(), limitedToken);
  await choose(page, file(name, size).path);
  await click(page, /^Upload 1 file/);
  await page.getByLabel(words).first().waitFor(PATIENT);
  expect((await keysBelow("limited/")).filter((key) => key.endsWith(name))).toEqual([]);
  expect(await unfinished()).toBe(0);
});

test("what is cancelled is ended at the store", async () => {
  const page = await open(limitedPage(), limitedToken);
  let parts = 0;
  proxy.break({ on: (request) => isPart(request) && ++parts > 0, forward: () => new Promise(() => {}) });
  await choose(page, file("never.png", 6 * MiB).path);
  await click(page, /^Upload 1 file/);
  await expect.poll(() => parts, PATIENT).toBe(1);
  expect(await unfinished()).toBe(1);
  await click(page, "Cancel");
  await expect.poll(unfinished, PATIENT).toBe(0);
});

test("FilePond uploads by its process function", async () => {
  const page = await open(filePondPage);
  const { path, bytes } = file("pond.bin", 9 * MiB);
  await page.locator("input[type=file]").setInputFiles(path);
  await page.getByText("Upload complete", { exact: true }).waitFor(PATIENT);
  expect((await stored("uploads/pond.bin")).equals(bytes)).toBe(true);
});

test("better-upload sends files in one piece, by a route of one's own", async () => {
  const page = await open(`
    const input = document.querySelector("#uploads").appendChild(document.createElement("input"));
    Object.assign(input, { type: "file", multiple: true });
    input.onchange = async () => {
      ${betterUploadPage.replace(/^import.*$/m, "")}
      document.title = "failed: " + failedFiles.length;
    };
    import { uploadFiles } from "@better-upload/client";`);
  const files = [file("better.png", 1000), file("better", 10)];
  await page.locator("input[type=file]").setInputFiles(files.map(({ path }) => path));
  await expect.poll(() => page.title(), PATIENT).toBe("failed: 0");
  expect((await stored("uploads/better.png")).equals(files[0]?.bytes as Buffer)).toBe(true);
  expect((await stored("uploads/better")).equals(files[1]?.bytes as Buffer)).toBe(true);
});

function routeOf(code: string): Promise<{ POST: (request: Request) => Promise<Response> }> {
  const given = `const url = ${JSON.stringify(worker.url)}, token = ${JSON.stringify(token)};`;
  return import(`data:text/javascript,${encodeURIComponent(given + code)}`);
}
