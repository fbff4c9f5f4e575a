/** The document of the API at /docs, in a real browser: it shows what there is, asks nobody else, and breaks no policy. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Local, startLocal } from "../../scripts/local.ts";
import { openapi } from "../../scripts/openapi.ts";
import { launchChromium } from "../support/chromium.ts";

const dir = mkdtempSync(join(tmpdir(), "ssec-docs-"));
let local: Local;
let browser: Browser;

beforeAll(async () => {
  local = await startLocal({ dir });
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await local?.close();
  rmSync(dir, { recursive: true });
});

test("the document is open to every page, and is not sent again to whoever has it", async () => {
  const answer = await fetch(`${local.url}/openapi.json`, {
    headers: { origin: "https://elsewhere.example" },
  });
  expect(answer.headers.get("access-control-allow-origin")).toBe("*");
  expect(await answer.json()).toEqual(openapi());
  const etag = answer.headers.get("etag") ?? "";
  const again = await fetch(`${local.url}/openapi.json`, { headers: { "if-none-match": etag } });
  expect(again.status).toBe(304);
});

test("every operation is shown, and one is tried out, under a policy that nothing breaks", async () => {
  const page = await browser.newPage();
  const asked = new Set<string>();
  const complaints: string[] = [];
  page.on("request", (request) => asked.add(new URL(request.url()).origin));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  const opened = await page.goto(`${local.url}/docs`);
  expect(opened?.headers()["content-security-policy"]).toMatch(/default-src 'none'; script-src 'self'/);
  await page.locator(".opblock").first().waitFor();
  const shown = await page.locator(".opblock").count();
  const { paths } = openapi();
  expect(shown).toBe(Object.values(paths).flatMap((methods) => Object.keys(methods)).length);

  const me = page.locator("#operations-Callers-me");
  await page.getByRole("button", { name: "Authorize" }).first().click();
  await page.locator(".auth-container input").first().fill(local.token);
  await page.locator(".auth-container button.authorize").first().click();
  await page.locator(".modal-ux .btn-done").first().click();
  await me.locator(".opblock-summary-control").click();
  await me.getByRole("button", { name: "Try it out" }).click();
  await me.getByRole("button", { name: "Execute" }).click();
  await me.locator(".live-responses-table").getByText('"caller"').first().waitFor();

  expect([...asked].filter((origin) => origin !== "null")).toEqual([new URL(local.url).origin]);
  expect(complaints).toEqual([]);
});
