/** The page, in a real browser, as somebody uses it: on a desk and on a phone, in light and in dark. */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Local, startLocal } from "../../scripts/local.ts";
import { launchChromium } from "../support/chromium.ts";
import { DESK, looksGood, PHONE } from "../support/looks.ts";

const dir = mkdtempSync(join(tmpdir(), "ssec-browser-"));
const MIB = 2 ** 20;

let local: Local;
let browser: Browser;
const contexts: BrowserContext[] = [];
/** What the page's console and the browser complained of. */
const complaints: string[] = [];

beforeAll(async () => {
  local = await startLocal({ dir: join(dir, "local") });
  browser = await launchChromium();
});
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
});
afterAll(async () => {
  await browser?.close();
  await local?.close();
  rmSync(dir, { recursive: true });
});

interface Look {
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly colorScheme?: "light" | "dark";
}

async function open(
  { viewport = DESK, colorScheme = "light" }: Look = {},
  hash = `#token=${local.token}`,
): Promise<Page> {
  const context = await browser.newContext({ viewport, colorScheme, acceptDownloads: true });
  contexts.push(context);
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on("pageerror", ({ message }) => complaints.push(message));
  page.on("console", (message) => {
    if (/Content Security Policy|TrustedHTML|Refused to/i.test(message.text()))
      complaints.push(message.text());
  });
  await page.goto(`${local.url}/${hash}`);
  return page;
}

function file(name: string, content: string | Buffer): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}

/** Bytes that no two pieces of are alike, a MiB at a time. */
function largeFile(name: string, mib: number): string {
  const path = join(dir, name);
  const block = randomBytes(MIB);
  writeFileSync(path, "");
  for (let i = 0; i < mib; i++) {
    block.writeUInt32BE(i);
    writeFileSync(path, block, { flag: "a" });
  }
  return path;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece);
  return hash.digest("hex");
}

const objectUrl = (key: string) =>
  `${local.url}/v1/objects/media/${key.split("/").map(encodeURIComponent).join("/")}`;
const authorization = () => ({ authorization: `Bearer ${local.token}` });

async function put(key: string, body: string | Buffer, contentType: string): Promise<void> {
  const headers = { ...authorization(), "content-type": contentType };
  const sent = typeof body === "string" ? body : new Uint8Array(body);
  expect((await fetch(objectUrl(key), { method: "PUT", headers, body: sent })).status).toBe(200);
}

async function stored(key: string): Promise<string> {
  const response = await fetch(objectUrl(key), { headers: authorization() });
  return response.ok ? response.text() : `${response.status}`;
}

const upload = (page: Page, paths: string | string[]) =>
  page.getByLabel("Files to upload").setInputFiles(paths);
const row = (page: Page, name: string) => page.getByRole("row").filter({ hasText: name });
const transfer = (page: Page, name: string) => page.locator(".transfers li").filter({ hasText: name });
const finished = (page: Page, name: string) =>
  transfer(page, name)
    .and(page.locator('[data-state="done"]'))
    .waitFor({ state: "attached", timeout: 45_000 });

describe("signing in", () => {
  test("by the link: the token leaves the address at once, and no storage has it", async () => {
    const page = await open();
    await page.getByRole("button", { name: "Upload files" }).waitFor();
    expect(page.url()).not.toContain(local.token);
    expect(
      await page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}, history.length])"),
    ).not.toContain(local.token);
    await page.reload();
    await page.getByLabel("Token").waitFor();
  });

  test("by the token: a wrong one is told, a kept one outlives a reload, signing out forgets it", async () => {
    const page = await open({}, "");
    await page.getByLabel("Token", { exact: true }).fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("The token does not count: it is nobody's.").waitFor();
    await looksGood(page, "sign-in");
    await page.getByLabel("Token", { exact: true }).fill(local.token);
    await page.getByLabel("Stay signed in").check();
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("button", { name: "Upload files" }).waitFor();
    await page.reload();
    await page.getByRole("button", { name: "Upload files" }).waitFor();
    // A link that somebody sends does not sign anybody out, or in as another.
    await page.goto(`${local.url}/#token=another`);
    await page.reload();
    await page.getByRole("button", { name: "Upload files" }).waitFor();
    await page.locator(".account summary").click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token", { exact: true }).waitFor();
    expect(await page.evaluate("sessionStorage.length")).toBe(0);
  });
});

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
  "base64",
);

test(
  "three files go up, one of 200 MiB over a pause and a reload; they are shown, shared, downloaded, deleted",
  { timeout: 240_000 },
  async () => {
    const page = await open();
    await page.getByText("Nothing is here yet").waitFor();
    await looksGood(page, "empty");
    await page.locator(".account summary").click();
    await page.getByLabel("Stay signed in").check();
    await page.locator(".account summary").click();

    const large = largeFile("film.bin", 200);
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("Network.enable");
    const slow = { offline: false, latency: 5, downloadThroughput: -1, uploadThroughput: 24 * MIB };
    await devtools.send("Network.emulateNetworkConditions", slow);
    await upload(page, [file("dot.png", PNG), file("notes.txt", "first line\nsecond <b>line</b>\n"), large]);
    await finished(page, "dot.png");
    await finished(page, "notes.txt");
    const bar = page.getByLabel("Progress of film.bin");
    await expect
      .poll(() => bar.evaluate((bar: unknown) => (bar as { position: number }).position), { timeout: 60_000 })
      .toBeGreaterThan(0.25);
    await looksGood(page, "uploading");
    await page.getByRole("button", { name: "Pause film.bin" }).click();
    await transfer(page, "film.bin").getByText("Paused").waitFor();
    await page.reload();

    await transfer(page, "film.bin").getByText("choose the file again").waitFor();
    const other = file("other.bin", "another");
    await page.getByLabel("File of film.bin").setInputFiles(other);
    await transfer(page, "film.bin").getByText("This is another file").waitFor();
    let parts = 0;
    page.on("request", (request) => {
      if (request.method() === "PUT") parts++;
    });
    await page.getByLabel("File of film.bin").setInputFiles(large);
    await finished(page, "film.bin");
    // Of 25 parts a quarter was there, but for those that were under way.
    expect(parts).toBeGreaterThan(0);
    expect(parts).toBeLessThan(23);

    for (const name of ["dot.png", "notes.txt", "film.bin"]) {
      await row(page, name).waitFor();
      await row(page, name).getByText("k1").waitFor();
    }
    await page.getByRole("button", { name: "Clear" }).click();
    await looksGood(page, "list");

    // Straight from the store with its key, and by a link of the edge.
    const hash = await hashOf(large);
    for (const way of ["straight to the store", "through the edge"]) {
      await page.locator(".account summary").click();
      await page.getByRole("radio", { name: way }).check();
      await page.locator(".account summary").click();
      const downloading = page.waitForEvent("download", { timeout: 60_000 });
      await page.getByRole("button", { name: "Download film.bin" }).click();
      const download = await downloading;
      expect([way, download.suggestedFilename(), await hashOf(await download.path())]).toEqual([
        way,
        "film.bin",
        hash,
      ]);
    }

    await page.getByRole("button", { name: "notes.txt" }).first().click();
    const sheet = page.getByRole("dialog");
    await sheet.getByText("second <b>line</b>").waitFor();
    await sheet.getByRole("button", { name: "Make a link" }).click();
    const link = sheet.getByLabel("Link");
    await expect.poll(() => link.inputValue()).toContain(local.url);
    const shared = await fetch(await link.inputValue());
    expect(await shared.text()).toContain("first line");
    await looksGood(page, "object");
    await sheet.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("heading", { name: "Delete notes.txt?" }).waitFor();
    await looksGood(page, "delete");
    await page.getByRole("button", { name: "Cancel" }).click();
    expect(await stored("notes.txt")).toContain("first line");
    await sheet.getByRole("button", { name: "Delete" }).click();
    await page
      .getByRole("dialog", { name: "Delete notes.txt?" })
      .getByRole("button", { name: "Delete", exact: true })
      .click();
    await row(page, "notes.txt").waitFor({ state: "detached" });
    expect(await stored("notes.txt")).toBe("404");
    expect(complaints).toEqual([]);
  },
);

test("what is there already is replaced only by who agrees, once for all of them", async () => {
  await put("again/kept.txt", "old", "text/plain");
  await put("again/also.txt", "old", "text/plain");
  const page = await open({}, `#token=${local.token}`);
  await page.getByRole("link", { name: "again/" }).click();
  await row(page, "kept.txt").waitFor();
  const paths = [file("kept.txt", "new"), file("also.txt", "new")];
  await upload(page, paths);
  const question = page.getByRole("dialog");
  await question.getByRole("button", { name: "Keep it" }).click();
  await question.getByRole("button", { name: "Keep it" }).click();
  await expect.poll(() => page.locator(".transfers li").count()).toBe(0);
  expect([await stored("again/kept.txt"), await stored("again/also.txt")]).toEqual(["old", "old"]);
  await upload(page, paths);
  await question.getByLabel("The same for all").check();
  await question.getByRole("button", { name: "Replace" }).click();
  await finished(page, "kept.txt");
  await finished(page, "also.txt");
  expect([await stored("again/kept.txt"), await stored("again/also.txt")]).toEqual(["new", "new"]);
});

test("a folder goes up with what is in it, by a drop too; folders, search and the address lead there", async () => {
  const page = await open();
  await page.getByRole("button", { name: "Upload files" }).waitFor();
  mkdirSync(join(dir, "trip/day 1"), { recursive: true });
  file("trip/plan.txt", "plan");
  file("trip/day 1/ü #1.txt", "photo");
  await page.getByLabel("Folder to upload").setInputFiles(join(dir, "trip"));
  await finished(page, "plan.txt");
  await finished(page, "ü #1.txt");
  expect(await stored("trip/day 1/ü #1.txt")).toBe("photo");
  await page.evaluate(`(() => {
    const data = new DataTransfer();
    data.items.add(new File(["dropped"], "dropped.txt", { type: "text/plain" }));
    for (const type of ["dragenter", "dragover", "drop"])
      document.body.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
  })()`);
  await finished(page, "dropped.txt");
  await page.getByRole("link", { name: "trip/" }).click();
  await page.getByRole("link", { name: "day 1/" }).click();
  await row(page, "ü #1.txt").waitFor();
  await page.goBack();
  await row(page, "plan.txt").waitFor();
  await page.getByLabel("Search by the beginning").fill("pl");
  await row(page, "day 1").waitFor({ state: "detached" });
  await row(page, "plan.txt").waitFor();
  await page.getByLabel("Search by the beginning").fill("none");
  await page.getByText("Nothing begins so").waitFor();
});

test("names and contents that look like markup, or turn the text around, are only text", async () => {
  const keys = [
    `<img src=x onerror="document.title='taken'">`,
    `"><svg onload="document.title='taken'">`,
    "javascript:alert(1)",
    "photo\u202egnp.exe",
    "a'b;$(touch x)`.txt",
  ];
  for (const key of keys) await put(`hostile/${key}`, "<script>document.title='taken'</script>", "text/html");
  await put(
    "hostile/picture.svg",
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="parent.document.title=1"><rect width="9" height="9"/></svg>',
    "image/svg+xml",
  );
  const page = await open();
  await page.getByRole("link", { name: "hostile/" }).click();
  await row(page, "javascript:alert(1)").waitFor();
  expect(await page.locator("tbody tr").count()).toBe(keys.length + 1);
  await row(page, "photo\\u{202e}gnp.exe").waitFor();
  for (const name of [...keys.slice(0, 3), "picture.svg"]) {
    await page.locator("tbody button.name").filter({ hasText: name }).click();
    const sheet = page.getByRole("dialog");
    await sheet.locator(".preview > *").waitFor();
    await sheet.getByRole("button", { name: "Close" }).click();
  }
  await expect.poll(() => page.title()).toBe("hostile · ssec-edge");
  expect(await page.locator("main img, main script").count()).toBe(0);
  expect(complaints).toEqual([]);
});

test("what the client sees: a key only straight from the store, and only when it is asked for", async () => {
  await put("see/it's.txt", "seen", "text/plain");
  const page = await open({}, `#token=${local.token}`);
  await page.getByRole("link", { name: "see/" }).click();
  await page.locator("tbody button.name").filter({ hasText: "it's.txt" }).click();
  const sheet = page.getByRole("dialog");
  await sheet.getByText("What a client sees").click();
  const shown = sheet.getByLabel("To copy");
  await shown.getByText("x-amz-server-side-encryption-customer-key: ••••").waitFor();
  const key =
    /"customerKey": "([^"]+)"/.exec(readFileSync(join(dir, "local/secrets.json"), "utf8"))?.[1] ?? "none";
  expect(await page.content()).not.toContain(key);
  await sheet.getByRole("button", { name: "Show the key" }).click();
  await shown.getByText(key).waitFor();
  await looksGood(page, "presigned");
  for (const program of ["curl", "JavaScript"]) {
    await sheet.getByRole("radio", { name: program }).check();
    await shown.getByText("••••").waitFor();
    expect(await page.content()).not.toContain(key);
  }
  await sheet.getByRole("radio", { name: "aws cli" }).check();
  await shown
    .getByText(`aws --endpoint-url ${local.url}/s3 s3 cp 's3://media/see/it'\\''s.txt' './it'\\''s.txt'`)
    .waitFor();
  await sheet.getByRole("radio", { name: "Through the edge" }).check();
  await sheet.getByRole("radio", { name: "Request" }).check();
  await shown.getByText(`GET /s3/media/see/it`).waitFor();
  expect(await shown.textContent()).not.toContain("customer-key");
  await sheet.getByText("No key is in it").waitFor();
});

const BEACH = `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="360"><rect width="640" height="240" fill="#9cc9e3"/>
<rect y="200" width="640" height="60" fill="#2f6f9f"/><rect y="250" width="640" height="110" fill="#ecd9ac"/>
<circle cx="500" cy="90" r="44" fill="#f6e27f"/></svg>`;

test("who can have no links of the edge sees and downloads files through it all the same", async () => {
  await put("linkless/beach.svg", BEACH, "image/svg+xml");
  const page = await open();
  await page.route("**/v1/presign", (route) =>
    route.fulfill({ status: 503, json: { code: "unavailable", detail: "GATEWAY_SECRET is not bound." } }),
  );
  await page.getByRole("link", { name: "linkless/" }).click();
  await page.locator(".account summary").click();
  await page.getByRole("radio", { name: "through the edge" }).check();
  await page.locator(".account summary").click();
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download beach.svg" }).click();
  expect(readFileSync(await (await downloading).path(), "utf8")).toBe(BEACH);
  await finished(page, "beach.svg");
  await page.locator("tbody button.name").click();
  await page.getByRole("img", { name: "Preview of beach.svg" }).waitFor();
  await page.getByRole("button", { name: "Make a link" }).click();
  await page.getByText("the operator binds GATEWAY_SECRET").waitFor();
});

test.for([
  ["PUT", 307],
  ["PUT", 308],
  ["GET", 302],
] as const)("%s follows no redirect: neither a key nor a file goes elsewhere (%i)", async ([
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
    await put("redirected/there.txt", "there", "text/plain");
    const page = await open();
    await page.getByRole("link", { name: "redirected/" }).click();
    await row(page, "there.txt").waitFor();
    await page.route("**/v1/presign", (route) =>
      route.fulfill({
        json: {
          method,
          url: `${urlOf(redirecting)}/object`,
          headers: { "x-amz-server-side-encryption-customer-key": "a key" },
        },
      }),
    );
    if (method === "PUT") await upload(page, file("redirected.txt", "a file"));
    else await page.getByRole("button", { name: "Download there.txt" }).click();
    await page
      .locator(".transfers")
      .getByText(/would send this elsewhere/)
      .waitFor();
    expect(elsewhere).toEqual([]);
  } finally {
    target.close();
    redirecting.close();
  }
});

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe.for([
  ["desk", DESK],
  ["phone", PHONE],
] as const)("on a %s", ([device, viewport]) => {
  test.for([
    "light",
    "dark",
  ] as const)("in %s: files, an object, keys, a rotation, the trail", async (colorScheme) => {
    const shot = (name: string) => `${device}-${colorScheme}-${name}`;
    for (const [key, type] of [
      ["album/2026/beach.svg", "image/svg+xml"],
      ["album/2026/notes with a rather long name that goes on and on.txt", "text/plain"],
      ["album/readme.md", "text/markdown"],
    ] as const)
      await put(key, type === "image/svg+xml" ? BEACH : "# Notes\n\nAs they are.\n", type);
    expect((await fetch(objectUrl("album/none"), { headers: authorization() })).status).toBe(404);
    const page = await open({ viewport, colorScheme });
    await page.getByRole("link", { name: "album/" }).click();
    await page.getByRole("link", { name: "2026/" }).click();
    await row(page, "beach.svg").getByText("k1").waitFor();
    await looksGood(page, shot("files"));
    await page.locator("tbody button.name").filter({ hasText: "beach.svg" }).click();
    await page.getByRole("img", { name: "Preview of beach.svg" }).waitFor();
    await page.getByText("What a client sees").click();
    await page.getByLabel("To copy").getByText("customer-key").waitFor();
    await looksGood(page, shot("object"));
    await page.keyboard.press("Escape");

    await page.getByRole("link", { name: "Rotations" }).click();
    await page.getByRole("button", { name: "Dry run" }).click();
    await page.locator(".card").getByText("done").first().waitFor();
    await looksGood(page, shot("rotations"));
    await page.getByRole("link", { name: "Keys" }).click();
    await page.getByText(/objects? needs? it, as of|objects need it/).waitFor();
    await looksGood(page, shot("keys"));
    await page.getByRole("link", { name: "Trail" }).click();
    await page.getByLabel("Object").fill("album/none");
    await expect
      .poll(
        async () => {
          await page.getByRole("button", { name: "Filter" }).click();
          return page.locator("tbody tr").first().textContent();
        },
        { timeout: 30_000, interval: 1000 },
      )
      .toContain("album/none");
    await page.getByRole("button", { name: "Clear" }).click();
    await page.getByRole("button", { name: "Refresh" }).click();
    await page.locator(".plot rect.failed").first().waitFor({ state: "attached" });
    await looksGood(page, shot("trail"));
    expect(complaints).toEqual([]);
  });
});

test("an object has an address: back closes it, forward, a reload and a link open it", async () => {
  for (const name of ["one # 100%.txt", "two.txt"])
    await put(`linked/${name}`, `this is ${name}`, "text/plain");
  const page = await open();
  const sheet = page.getByRole("dialog");
  await page.locator(".account summary").click();
  await page.getByLabel("Stay signed in").check();
  await page.locator(".account summary").click();
  await page.getByRole("link", { name: "linked/" }).click();
  const chosen = page.locator("tbody button.name").filter({ hasText: "one # 100%.txt" });
  await chosen.click();
  await sheet.getByText("this is one # 100%.txt").waitFor();
  await expect.poll(() => page.title()).toBe("one # 100%.txt · ssec-edge");
  const address = page.url();
  await page.goBack();
  await sheet.waitFor({ state: "detached" });
  await chosen.waitFor();
  await page.goForward();
  await sheet.getByText("this is one # 100%.txt").waitFor();
  await page.goBack();
  await sheet.waitFor({ state: "detached" });
  // Closed by hand it leaves nothing behind to go back through.
  await page.locator("tbody button.name").filter({ hasText: "two.txt" }).click();
  await sheet.getByText("this is two.txt").waitFor();
  await page.keyboard.press("Escape");
  await sheet.waitFor({ state: "detached" });
  await chosen.waitFor();
  await page.goBack();
  await page.getByRole("link", { name: "linked/" }).waitFor();

  await page.goto(address);
  await sheet.getByText("this is one # 100%.txt").waitFor();
  await page.reload();
  await sheet.getByText("this is one # 100%.txt").waitFor();
  await page.keyboard.press("Escape");
  await row(page, "two.txt").waitFor();
  await page.goto(`${local.url}/#object/media/linked/none.txt`);
  await page.getByRole("alert").waitFor();
  expect(complaints).toEqual([]);
});

test("by keyboard alone: in, to a file, and out again", async () => {
  await put("keys/one.txt", "one", "text/plain");
  const page = await open({}, `#token=${local.token}`);
  const link = page.getByRole("link", { name: "keys/" });
  await link.waitFor();
  const tabTo = async (name: string) => {
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press("Tab");
      if (
        (
          await page.evaluate<string>("document.activeElement.textContent + document.activeElement.ariaLabel")
        ).includes(name)
      )
        return;
    }
    throw new Error(`Tab does not reach ${name}`);
  };
  await tabTo("keys/");
  await page.keyboard.press("Enter");
  await row(page, "one.txt").waitFor();
  await tabTo("one.txt");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await expect.poll(() => page.evaluate("document.activeElement.textContent")).toContain("one.txt");
});
