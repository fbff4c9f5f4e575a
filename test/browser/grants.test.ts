/** The page for who may do less than everything, and where something is not as it should be. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { buildAssets } from "../../scripts/assets.ts";
import { type RunningWorker, startWorker } from "../../scripts/worker.ts";
import { startStore } from "../../src/dev-store/index.ts";
import { launchChromium } from "../support/chromium.ts";
import { DESK, looksGood, PHONE } from "../support/looks.ts";
import { oneBucket } from "../support/one-bucket.ts";
import { s3Client } from "../support/s3.ts";

const dir = mkdtempSync(join(tmpdir(), "ssec-grants-"));
const credentials = { accessKeyId: "id", secretAccessKey: "secret" };
const TOKENS = { admin: "token-of-the-admin", reader: "token-of-the-reader", writer: "token-of-the-writer" };

let store: Awaited<ReturnType<typeof startStore>>;
let worker: RunningWorker;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  store = await startStore({ data: join(dir, "store"), port: 0, credentials, region: "us-east-1" });
  // Without a rule of CORS.
  const s3 = s3Client({ url: store.url, ...credentials });
  await s3.send(new CreateBucketCommand({ Bucket: "media" }));
  const caller = (name: keyof typeof TOKENS, prefix: string, allow: string[]) => ({
    token: name.toUpperCase(),
    grants: [{ bucket: "media", prefix, allow }],
  });
  await buildAssets();
  worker = await startWorker({
    without: ["RATE_LIMIT", "METRICS"],
    onLog: () => {},
    env: {
      ...oneBucket({ url: store.url, ...credentials }),
      CALLERS: {
        admin: caller("admin", "", ["read", "write", "delete", "admin"]),
        reader: caller("reader", "shown/", ["read"]),
        writer: caller("writer", "inbox/", ["write"]),
      },
      ADMIN: TOKENS.admin,
      READER: TOKENS.reader,
      WRITER: TOKENS.writer,
    },
  });
  const headers = { authorization: `Bearer ${TOKENS.admin}` };
  for (const key of ["shown/a folder with a rather long name/a.txt", "shown/b.txt"])
    await fetch(`${worker.url}/v1/objects/media/${encodeURI(key)}`, { method: "PUT", headers, body: "1" });
  browser = await launchChromium();
});
afterEach(() => page?.close());
afterAll(async () => {
  await browser?.close();
  await worker?.close();
  await store?.close();
  rmSync(dir, { recursive: true });
});

async function open(as: keyof typeof TOKENS, viewport = DESK): Promise<void> {
  page = await browser.newPage({ viewport });
  page.setDefaultTimeout(15_000);
  await page.goto(`${worker.url}/#token=${TOKENS[as]}`);
}

function file(name: string): string {
  const path = join(dir, name);
  writeFileSync(path, "");
  return path;
}

async function throughTheEdge(): Promise<void> {
  await page.locator(".account summary").click();
  await page.getByRole("radio", { name: "through the edge" }).check();
  await page.locator(".account summary").click();
}

test("who may only write puts files there, and sees nothing of what is there", async () => {
  await open("writer");
  await page.getByText("You may put files here").waitFor();
  await looksGood(page, "grants-writer");
  await throughTheEdge();
  for (const times of [1, 2]) {
    await page.getByLabel("Files to upload").setInputFiles(file("empty #1 🏖.txt"));
    if (times === 2) await page.getByRole("dialog").getByRole("button", { name: "Replace" }).click();
    await page
      .locator('.transfers [data-state="done"]')
      .nth(times - 1)
      .waitFor({ state: "attached" });
  }
  await page.getByText("You may put files here").waitFor();
  const headers = { authorization: `Bearer ${TOKENS.admin}` };
  const stored = `${worker.url}/v1/objects/media/inbox/${encodeURIComponent("empty #1 🏖.txt")}`;
  expect((await fetch(stored, { method: "HEAD", headers })).headers.get("content-length")).toBe("0");
});

test.for([
  ["desk", DESK],
  ["phone", PHONE],
] as const)("who may only read is offered nothing else, on a %s", async ([device, viewport]) => {
  await open("reader", viewport);
  await page.getByRole("link", { name: "a folder with" }).waitFor();
  await page.getByRole("row").filter({ hasText: "b.txt" }).getByText("k1").waitFor();
  await page.getByText("1 byte", { exact: false }).first().waitFor({ state: "attached" });
  expect(await page.getByRole("button", { name: "Upload" }).count()).toBe(0);
  // A folder's row reaches as far as an object's.
  const widths = await page
    .locator("tbody tr")
    .evaluateAll((rows: { lastElementChild: { getBoundingClientRect(): { right: number } } }[]) =>
      rows.map((row) => Math.round(row.lastElementChild.getBoundingClientRect().right)),
    );
  expect(new Set(widths).size).toBe(1);
  await looksGood(page, `grants-reader-${device}`);
  await page.locator("tbody button.name").click();
  const sheet = page.getByRole("dialog");
  await sheet.getByRole("button", { name: "Download" }).waitFor();
  expect(await sheet.getByRole("button", { name: "Delete" }).count()).toBe(0);
});

test.for([
  ["desk", DESK],
  ["phone", PHONE],
] as const)("a store without CORS: which file, why, and by what command it is mended, on a %s", async ([
  device,
  viewport,
]) => {
  await open("admin", viewport);
  await page.getByRole("button", { name: "Upload files" }).waitFor();
  await page.getByLabel("Files to upload").setInputFiles(file("holiday.txt"));
  const item = page.locator('.transfers [data-state="failed"]');
  await item.getByText("ssec cors media --origin").waitFor({ timeout: 45_000 });
  const [name, reason] = [
    await item.locator(".name").boundingBox(),
    await item.locator(".state").boundingBox(),
  ];
  expect(name?.width).toBeGreaterThan(60);
  expect(reason?.y).toBeGreaterThanOrEqual((name?.y ?? 0) + (name?.height ?? 0));
  await looksGood(page, `grants-no-cors-${device}`);
  await throughTheEdge();
  await item.getByRole("button", { name: "Resume holiday.txt" }).click();
  await page.locator('.transfers [data-state="done"]').waitFor({ state: "attached" });
  // The next device finds it as it was.
  await fetch(`${worker.url}/v1/objects/media/holiday.txt`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${TOKENS.admin}` },
  });
});

test("a token that ends midway is said once, with the way back in", async () => {
  await open("admin", PHONE);
  await page.getByRole("link", { name: "shown/" }).waitFor();
  const refused = { code: "unauthenticated", detail: "The token has expired." };
  await page.route("**/v1/**", (route) =>
    route.fulfill({ status: 401, contentType: "application/problem+json", json: refused }),
  );
  await page.getByLabel("Files to upload").setInputFiles(file("late.txt"));
  await page.getByRole("link", { name: "shown/" }).click();
  const again = page.getByRole("region", { name: "Signing in again" });
  await again.waitFor();
  await page.getByText("The token has expired.").first().waitFor();
  await looksGood(page, "grants-ended");
  await page.unroute("**/v1/**");
  await again.getByRole("button", { name: "Sign in again" }).click();
  await again.waitFor({ state: "detached" });
  await page.getByLabel("Token", { exact: true }).fill(TOKENS.admin);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("link", { name: "shown/" }).waitFor();
  expect(await again.count()).toBe(0);
});

test("a page that is older than the service says so, and how it is renewed", async () => {
  await open("admin");
  await page.route("**/assets/admin-*.js", (route) => route.fulfill({ status: 404 }));
  await page.getByRole("link", { name: "Keys" }).click();
  await page.getByRole("alert").getByText("the service was renewed since").waitFor();
  await looksGood(page, "grants-renewed");
  await page.unroute("**/assets/admin-*.js");
  await page.getByRole("button", { name: "Reload" }).click();
  await page.getByLabel("Token", { exact: true }).waitFor();
});
