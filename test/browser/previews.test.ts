/** What the page shows of an object, in a real browser: every kind that it can show, and how little is allowed to what is shown. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Locator, Page, Response } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Local, startLocal } from "../../scripts/local.ts";
import { launchChromium } from "../support/chromium.ts";

const dir = mkdtempSync(join(tmpdir(), "ssec-previews-"));
let local: Local;
let browser: Browser;
let page: Page;
/** What the browser did not let the page do. */
const complaints: string[] = [];

beforeAll(async () => {
  local = await startLocal({ dir });
  browser = await launchChromium();
  page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  await page.addInitScript(NOTE_COPIES);
  page.on("pageerror", ({ message }) => complaints.push(message));
  page.on("console", (message) => {
    if (/Content Security Policy|Refused to/i.test(message.text())) complaints.push(message.text());
  });
});
afterAll(async () => {
  await browser?.close();
  await local?.close();
  rmSync(dir, { recursive: true });
});

/** Which copies in memory the page made: its own policy lets nobody fetch them. */
const NOTE_COPIES = `
  const made = (globalThis.made = new Map()), make = URL.createObjectURL;
  URL.createObjectURL = (copy) => {
    const url = make(copy);
    made.set(url, copy);
    return url;
  };`;

/** Puts an object there and opens it on the page. */
async function shown(name: string, body: string | Buffer, contentType: string): Promise<Locator> {
  const headers = { authorization: `Bearer ${local.token}`, "content-type": contentType };
  const sent = typeof body === "string" ? body : new Uint8Array(body);
  const put = await fetch(`${local.url}/v1/objects/media/${name}`, { method: "PUT", headers, body: sent });
  expect(put.status).toBe(200);
  // A page that is at this address already would not be loaded again.
  await page.goto("about:blank");
  await page.goto(`${local.url}/#token=${local.token}`);
  await page.locator("tbody button.name").filter({ hasText: name }).click();
  return page.getByRole("dialog").locator(".preview > *").first();
}

/** The edge's answer to the link that is shown. */
const answerFor = (name: string): Promise<Response> =>
  page.waitForResponse((response) => response.url().includes(`/s3/media/${name}`));

/** Only what it is may be made of it, and nothing in it runs. */
async function isConfined(answer: Response, contentType: string): Promise<void> {
  expect(await answer.allHeaders()).toMatchObject({
    "content-type": contentType,
    "content-security-policy": "sandbox",
    "x-content-type-options": "nosniff",
  });
  expect(answer.url()).not.toContain("customer-key");
}

const evaluated = <T>(element: Locator, code: string) =>
  element.evaluate(new Function("element", `return (${code})(element)`) as (element: Element) => Promise<T>);

test("an image", async () => {
  const png = Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "base64",
  );
  const answering = answerFor("dot.png");
  const image = await shown("dot.png", png, "image/png");
  await image.and(page.getByRole("img", { name: "Preview of dot.png" })).waitFor();
  await isConfined(await answering, "image/png");
  expect(
    await evaluated(image, "async (image) => { await image.decode(); return image.naturalWidth; }"),
  ).toBe(1);
});

/** Two seconds, the first red and the second blue. */
const RECORDED = `(async () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 160, height: 120 });
  const context = canvas.getContext("2d");
  const recorder = new MediaRecorder(canvas.captureStream(15), { mimeType: "video/webm;codecs=vp8" });
  const pieces = [];
  recorder.ondataavailable = ({ data }) => pieces.push(data);
  const ended = new Promise((resolve) => { recorder.onstop = resolve; });
  const start = performance.now();
  recorder.start();
  const drawing = setInterval(() => {
    context.fillStyle = performance.now() - start < 1000 ? "red" : "blue";
    context.fillRect(0, 0, 160, 120);
  }, 30);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  clearInterval(drawing);
  recorder.stop();
  await ended;
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
})()`;

/** Goes there, and tells the colour that is shown. */
const seek = (seconds: number) => `async (video) => {
  const moved = new Promise((resolve) => { video.onseeked = resolve; });
  video.currentTime = ${seconds};
  await moved;
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 1, 1);
  const [red, , blue] = context.getImageData(0, 0, 1, 1).data;
  return red > 150 && blue < 100 ? "red" : blue > 150 && red < 100 ? "blue" : red + " " + blue;
}`;

test("a video, which plays from anywhere", async () => {
  await page.goto(local.url);
  const video = Buffer.from(await page.evaluate<string>(RECORDED), "base64");
  const answering = answerFor("colours.webm");
  const player = await shown("colours.webm", video, "video/webm");
  await player.and(page.locator("video[controls][aria-label='Preview of colours.webm']")).waitFor();
  const answer = await answering;
  await isConfined(answer, "video/webm");
  expect(answer.status()).toBe(206);
  expect(await evaluated(player, seek(2))).toBe("blue");
  expect(await evaluated(player, seek(0.3))).toBe("red");
  const plays = "async (video) => { video.muted = true; await video.play(); return video.videoWidth; }";
  expect(await evaluated(player, plays)).toBe(160);
});

/** A tone of a second, 8 bits a sample. */
function wav(): Buffer {
  const rate = 8000;
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + rate, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write("data", 36);
  head.writeUInt32LE(rate, 40);
  return Buffer.concat([
    head,
    Buffer.from(Uint8Array.from({ length: rate }, (_, i) => 128 + 60 * Math.sin(i / 3))),
  ]);
}

test("a sound, by its name where its type was not kept", async () => {
  const answering = answerFor("tone.wav");
  const player = await shown("tone.wav", wav(), "application/octet-stream");
  await player.and(page.locator("audio[controls]")).waitFor();
  await isConfined(await answering, "audio/wav");
  await expect.poll(() => evaluated(player, "async (audio) => audio.duration")).toBeCloseTo(1, 1);
});

/** One page, on which "seen" stands. */
function pdf(): Buffer {
  const content = "BT /F1 24 Tf 20 50 Td (seen) Tj ET";
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
  ];
  let text = "%PDF-1.4\n";
  const places = objects.map((object, i) => {
    const place = text.length;
    text += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return place;
  });
  const rows = places.map((place) => `${String(place).padStart(10, "0")} 00000 n \n`).join("");
  const count = objects.length + 1;
  return Buffer.from(
    `${text}xref\n0 ${count}\n0000000000 65535 f \n${rows}trailer\n<< /Size ${count} /Root 1 0 R >>\nstartxref\n${text.length}\n%%EOF\n`,
  );
}

test("a PDF, as a copy in memory for the browser's own viewer", async () => {
  const document = pdf();
  const frame = await shown("page.pdf", document, "application/pdf");
  await frame.and(page.locator("iframe[title='Preview of page.pdf']")).waitFor();
  expect(await frame.getAttribute("src")).toMatch(new RegExp(`^blob:${local.url}/[\\w-]+#navpanes=0$`));
  // Whether there is a viewer is the browser's affair: what it is given is the document, and is called one.
  const given = `async ({ src }) => {
    const copy = made.get(src.split("#")[0]);
    return [copy.type, await copy.text()];
  }`;
  expect(await evaluated(frame, given)).toEqual(["application/pdf", document.toString()]);
  expect(complaints).toEqual([]);
});

test("a text, in whatever script", async () => {
  const words = "Grüße, 世界, مرحبا, 🌊";
  const text = await shown("words.txt", words, "text/plain");
  expect(await text.locator("pre").textContent()).toBe(words);
  const long = await shown("long.log", "ü".repeat(100_000), "");
  await long.getByText("The first 64.0 KiB of").waitFor();
  expect(await long.locator("pre").textContent()).toBe("ü".repeat(32 * 1024));
});

const TAKEN = "document.title = top.document.title = 'taken'";

test("markup and pictures that would run something run nothing", async () => {
  const answering = answerFor("run.svg");
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="${TAKEN}"><script>${TAKEN}</script></svg>`;
  const image = await shown("run.svg", svg, "image/svg+xml");
  await image.and(page.locator("img")).waitFor();
  const link = (await answering).url();
  await isConfined(await answering, "image/svg+xml");
  expect(await page.title()).not.toBe("taken");

  const html = `<script>${TAKEN}</script><img src=x onerror="${TAKEN}">`;
  const text = await shown("run.html", html, "text/html");
  expect(await text.locator("pre").textContent()).toBe(html);
  expect(await page.title()).not.toBe("taken");
  expect(complaints).toEqual([]);

  // Opened by itself, as from an e-mail, it has no more rights.
  const alone = await browser.newPage();
  await alone.goto(link);
  expect(await alone.title()).not.toBe("taken");
  await alone.close();
});
