/** Links of the edge in a real browser, on a page of somebody else's: an address and nothing beside it. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Local, startLocal } from "../../scripts/local.ts";
import { launchChromium } from "../support/chromium.ts";

const dir = mkdtempSync(join(tmpdir(), "ssec-links-"));
const server = createServer((_, response) => {
  response.setHeader("content-type", "text/html").end("<!doctype html><title>somebody's</title>");
});
let local: Local;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  local = await startLocal({ dir });
  await once(server.listen(0, "127.0.0.1"), "listening");
  browser = await launchChromium();
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});
afterAll(async () => {
  await browser?.close();
  await local?.close();
  server.close();
  rmSync(dir, { recursive: true });
});

async function link(request: object): Promise<string> {
  const response = await fetch(`${local.url}/v1/presign`, {
    method: "POST",
    headers: { authorization: `Bearer ${local.token}` },
    body: JSON.stringify({ bucket: "media", via: "edge", ...request }),
  });
  const { url, headers } = (await response.json()) as { url: string; headers: object };
  expect(headers).toEqual({});
  expect(url.startsWith(local.url)).toBe(true);
  return url;
}

async function put(key: string, contentType: string, body: Buffer): Promise<void> {
  const response = await fetch(`${local.url}/v1/objects/media/${key}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${local.token}`, "content-type": contentType },
    body: new Uint8Array(body),
  });
  expect(response.status).toBe(200);
}

/** A film of three seconds, as the browser itself records it. */
const RECORD = `(async () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 160, height: 120 });
  const context = canvas.getContext("2d");
  let frame = 0;
  const drawing = setInterval(() => {
    context.fillStyle = "hsl(" + (frame++ * 7 % 360) + " 90% 50%)";
    context.fillRect(0, 0, 160, 120);
  }, 40);
  const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: "video/webm;codecs=vp8" });
  const pieces = [];
  recorder.ondataavailable = ({ data }) => pieces.push(data);
  const stopped = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.start();
  await new Promise((resolve) => setTimeout(resolve, 3000));
  recorder.stop();
  await stopped;
  clearInterval(drawing);
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
})()`;

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
  "base64",
);

test("as <img>", async () => {
  await put("dot.png", "image/png", PNG);
  const src = await link({ operation: "GetObject", key: "dot.png" });
  const shown = await page.evaluate(
    `new Promise((resolve, reject) => {
      const image = document.body.appendChild(new Image());
      image.onload = () => resolve([image.naturalWidth, image.naturalHeight]);
      image.onerror = () => reject(new Error("it is not shown"));
      image.src = ${JSON.stringify(src)};
    })`,
  );
  expect(shown).toEqual([1, 1]);
});

test("as <video> that goes to another place when it is asked to", async () => {
  await put("film.webm", "video/webm", Buffer.from(await page.evaluate<string>(RECORD), "base64"));
  const src = await link({ operation: "GetObject", key: "film.webm" });
  const ranges: number[] = [];
  page.on("response", (response) => {
    if (response.url() === src) ranges.push(response.status());
  });
  const seen = await page.evaluate<number[]>(
    `new Promise((resolve, reject) => {
      const video = Object.assign(document.createElement("video"), { muted: true, preload: "auto" });
      video.onerror = () => reject(new Error("it does not play: " + video.error.message));
      video.onloadeddata = () => {
        video.onseeked = () => {
          const forward = video.currentTime;
          video.onseeked = () => resolve([video.videoWidth, forward, video.currentTime]);
          video.currentTime = 0.5;
        };
        video.currentTime = 2;
      };
      document.body.append(video);
      video.src = ${JSON.stringify(src)};
    })`,
  );
  expect(seen).toEqual([160, 2, 0.5]);
  expect(ranges).toContain(206);
});

test("in the address bar, and as no other object", async () => {
  await put("note.txt", "text/plain", Buffer.from("for you"));
  const tab = await browser.newPage();
  const src = await link({ operation: "GetObject", key: "note.txt" });
  await tab.goto(src);
  expect(await tab.textContent("body")).toBe("for you");
  const other = await tab.goto(src.replace("note.txt", "dot.png"));
  expect(other?.status()).toBe(403);
});
