/** The page, in a real browser: a file goes up and comes down, and what goes wrong is said. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Local, startLocal } from "../../scripts/local.ts";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  existsSync,
);
const dir = mkdtempSync(join(tmpdir(), "ssec-browser-"));
let local: Local;
let browser: Browser;

beforeAll(async () => {
  if (executablePath === undefined)
    throw new Error("the browser suite needs Chromium: apt-get install chromium");
  local = await startLocal({ dir });
  const args = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
  ];
  browser = await chromium.launch({ executablePath, args });
});
afterAll(async () => {
  await browser?.close();
  await local?.close();
  rmSync(dir, { recursive: true });
});

test("uploads and downloads a file, and says what is wrong", async () => {
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(local.url);
  const name = "cat ü #1.bin";
  const body = randomBytes(300_000);
  writeFileSync(join(dir, name), body);

  await page.getByLabel("Token").fill("wrong");
  await page.getByLabel("File", { exact: true }).setInputFiles(join(dir, name));
  await page.getByRole("button", { name: "Upload" }).click();
  await page.getByText("The token does not count: it is nobody's.").waitFor();

  await page.getByLabel("Token").fill(local.token);
  await page.getByRole("button", { name: "Upload" }).click();
  await page.getByText(`Uploaded ${name}, 300000 bytes, encrypted.`).waitFor();

  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download" }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toContain("cat");
  expect(readFileSync(await download.path()).equals(body)).toBe(true);
  expect(page.url()).toBe(`${local.url}/`);
  expect(errors).toEqual([]);
  if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
});
