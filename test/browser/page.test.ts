/** The page, in a real browser: a file goes up and comes down, and what goes wrong is said. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Local, startLocal } from "../../scripts/local.ts";
import { launchChromium } from "../support/chromium.ts";

const dir = mkdtempSync(join(tmpdir(), "ssec-browser-"));
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

/** The page with the token in it, and what the browser's own dialogs ask. */
async function open(): Promise<{ page: Page; asked: string[]; answer: (accepts: boolean) => void }> {
  const page = await browser.newPage();
  const asked: string[] = [];
  let accepts = false;
  page.on("dialog", (dialog) => {
    asked.push(dialog.message());
    void (accepts ? dialog.accept() : dialog.dismiss());
  });
  await page.goto(local.url);
  await page.getByLabel("Token").fill(local.token);
  return {
    page,
    asked,
    answer: (value) => {
      accepts = value;
    },
  };
}

async function choose(page: Page, name: string, content: string): Promise<void> {
  writeFileSync(join(dir, name), content);
  await page.getByLabel("File", { exact: true }).setInputFiles(join(dir, name));
}

const click = (page: Page, name: string) => page.getByRole("button", { name }).click();

async function stored(key: string): Promise<string> {
  const response = await fetch(`${local.url}/v1/objects/media/${encodeURIComponent(key)}`, {
    headers: { authorization: `Bearer ${local.token}` },
  });
  return response.ok ? response.text() : `${response.status}`;
}

test("one file after another is one object beside another", async () => {
  const { page, asked } = await open();
  for (const name of ["first.txt", "second.txt", "third.txt"]) {
    await choose(page, name, `this is ${name}`);
    await click(page, "Upload");
    await page.getByText(`Uploaded ${name},`).waitFor();
  }
  for (const name of ["first.txt", "second.txt", "third.txt"])
    expect(await stored(name)).toBe(`this is ${name}`);
  expect(asked).toEqual([]);
});

test("a key that was typed is kept for its file, before or after that is chosen, and not for the next", async () => {
  const { page } = await open();
  const key = page.getByLabel("Object key");
  await choose(page, "typed-after.txt", "1");
  await key.fill("folder/one.txt");
  await click(page, "Upload");
  await page.getByText("Uploaded folder/one.txt,").waitFor();
  await choose(page, "next.txt", "2");
  expect(await key.inputValue()).toBe("next.txt");
  await key.fill("folder/two.txt");
  await choose(page, "typed-before.txt", "3");
  expect(await key.inputValue()).toBe("folder/two.txt");
  await click(page, "Upload");
  await page.getByText("Uploaded folder/two.txt,").waitFor();
  // Nor is one that was typed to download.
  await key.fill("folder/one.txt");
  await click(page, "Download");
  await page.getByText("Downloaded folder/one.txt,").waitFor();
  await choose(page, "last.txt", "4");
  expect(await key.inputValue()).toBe("last.txt");
  expect([await stored("folder/one.txt"), await stored("folder/two.txt")]).toEqual(["1", "3"]);
});

test("an object that is there is replaced only by who agrees", async () => {
  const { page, asked, answer } = await open();
  await choose(page, "kept.txt", "old");
  await click(page, "Upload");
  await page.getByText("Uploaded kept.txt,").waitFor();
  await choose(page, "kept.txt", "new");
  await click(page, "Upload");
  await page.getByText("Nothing was uploaded: kept.txt stays as it was.").waitFor();
  expect(asked).toEqual(["There is an object kept.txt already. Replace it?"]);
  expect(await stored("kept.txt")).toBe("old");
  answer(true);
  await click(page, "Upload");
  await page.getByText("Uploaded kept.txt,").waitFor();
  expect(await stored("kept.txt")).toBe("new");
});

test.for([
  ["Upload", "PUT", 307],
  ["Upload", "PUT", 308],
  ["Download", "GET", 302],
  ["Download", "GET", 307],
] as const)("%s follows no redirect: neither a key nor a file goes elsewhere (%s %i)", async ([
  button,
  method,
  status,
]) => {
  const elsewhere: string[] = [];
  const cors = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "*",
    "access-control-allow-methods": "*",
  };
  const target = createServer((request, response) => {
    elsewhere.push(`${request.method} ${request.headers["x-amz-server-side-encryption-customer-key"]}`);
    response.writeHead(200, { ...cors, "x-amz-server-side-encryption-customer-algorithm": "AES256" }).end();
  });
  const redirecting = createServer((request, response) => {
    const location = `${urlOf(target)}/taken`;
    response.writeHead(request.method === "OPTIONS" ? 204 : status, { ...cors, location }).end();
  });
  for (const server of [target, redirecting]) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
  try {
    const { page } = await open();
    await page.route("**/v1/presign", (route) =>
      route.fulfill({
        json: {
          method,
          url: `${urlOf(redirecting)}/object`,
          headers: { "x-amz-server-side-encryption-customer-key": "a key" },
        },
      }),
    );
    await choose(page, "redirected.txt", "a file");
    await click(page, button);
    await page.getByText(/would send this elsewhere/).waitFor();
    expect(elsewhere).toEqual([]);
  } finally {
    target.close();
    redirecting.close();
  }
});

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

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
