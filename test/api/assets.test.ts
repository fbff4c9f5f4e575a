/** What people look at: static assets, at the root and below a path, and where there are none. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type RunningWorker, startWorker } from "../../scripts/worker.ts";

/** Compressed. */
const KIB = 36;

let mounted: RunningWorker;

beforeAll(async () => {
  mounted = await startWorker({
    entrypoint: fileURLToPath(new URL("mounted/worker.ts", import.meta.url)),
    without: ["DB", "QUEUE", "ROTATION_QUEUE", "RATE_LIMIT", "METRICS"],
    env: {},
  });
});
afterAll(() => mounted?.close());

describe.for(["", "/files", "/a/b"])("at %s/", (at) => {
  const get = (path: string, init: RequestInit = {}) =>
    fetch(`${at ? mounted.url : inject("api")}${at}${path}`, { redirect: "manual", ...init });

  test("the page comes with all that it names, and nothing else may run in it", async () => {
    const page = await get("/");
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    const policy = page.headers.get("content-security-policy");
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).not.toContain("unsafe");
    expect(page.headers.get("referrer-policy")).toBe("no-referrer");
    const html = await page.text();
    expect(html).not.toMatch(/<style|<script(?![^>]* src=)|\son\w+=|\sstyle=|https?:\/\//);
    const named = [...html.matchAll(/(?:src|href)="(?!data:|#)([^"]+)"/g)].map(([, path]) => path);
    expect(named.length).toBeGreaterThanOrEqual(2);
    for (const path of named) {
      const part = await get(`/${path}`);
      expect([path, part.status]).toEqual([path, 200]);
      expect(part.headers.get("x-content-type-options")).toBe("nosniff");
      expect(part.headers.get("content-type")).toMatch(/^text\/(javascript|css)/);
    }
  });

  test("a browser that has it is told so; HEAD has no body", async () => {
    const etag = (await get("/")).headers.get("etag") ?? "";
    expect((await get("/", { headers: { "if-none-match": etag } })).status).toBe(304);
    const head = await get("/", { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  test.runIf(at)("without its slash, it leads there", async () => {
    const response = await get("");
    expect([
      response.status,
      new URL(response.headers.get("location") ?? "", mounted.url + at).pathname,
    ]).toEqual([308, `${at}/`]);
  });

  test("what is not there is a problem, and other methods are for other addresses", async () => {
    const missing = await get("/assets/none.js");
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ code: "not-found" });
    for (const path of ["/assets/../../secrets", "/assets/%2e%2e/index.html", "/ssec-edge/index.html"])
      expect((await get(path)).status).toBe(404);
    expect((await get("/", { method: "POST" })).status).toBe(405);
  });
});

test("the page is small, all of it together", () => {
  const folder = fileURLToPath(new URL("../../dist/assets/ssec-edge/", import.meta.url));
  // The document of the API has a page of its own.
  const names = readdirSync(`${folder}assets`).filter((name) => !/^(docs|swagger-ui)/.test(name));
  const files = ["index.html", ...names.map((name) => `assets/${name}`)];
  const sizes = files.map((name) => gzipSync(readFileSync(folder + name), { level: 9 }).length);
  expect(files.length).toBeGreaterThanOrEqual(4);
  expect(sizes.reduce((sum, size) => sum + size) / 1024).toBeLessThan(KIB);
});
