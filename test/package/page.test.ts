/**
 * A web developer's first five minutes: `npm start` in a clone, and beside it a folder of their own with the package and the
 * page of docs/client.md, opened in Chromium.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, resolve } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchChromium } from "../support/chromium.ts";
import { codeBlocks } from "../support/documented.ts";
import { freshFolder, User } from "./user.ts";

/** What is not of the repository, or would be too much to copy. */
const NOT_COPIED = ["node_modules", ".git", ".ssec", ".wrangler", "dist"];
/** Where the page calls. Another port may be what is free here. */
const DOCUMENTED = "http://127.0.0.1:8787";
const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript" };

const operator = new User(freshFolder("clone"));
const developer = new User(freshFolder("page"));
/** Any server for files. */
const server = createServer((request, response) => {
  const path = join(developer.folder, request.url === "/" ? "index.html" : (request.url ?? ""));
  if (!existsSync(path) || !statSync(path).isFile()) response.writeHead(404).end();
  else response.setHeader("content-type", TYPES[extname(path)] ?? "").end(readFileSync(path));
});
let url: string;
let browser: Browser;

beforeAll(async () => {
  for (const name of readdirSync(".").filter((entry) => !NOT_COPIED.includes(entry)))
    cpSync(name, join(operator.folder, name), { recursive: true });
  symlinkSync(resolve("node_modules"), join(operator.folder, "node_modules"));
  await operator.succeed("npm", ["run", "build"]);
  await operator.succeed("npm", ["pack", "--ignore-scripts", "--pack-destination", developer.folder]);
  const { match } = await operator.start("npm", ["start"], /page +(\S+)\/.*Ctrl-C ends it/s);
  url = match[1] ?? "";
  await once(server.listen(0, "127.0.0.1"), "listening");
  browser = await launchChromium();
}, 600_000);

afterAll(async () => {
  await browser?.close();
  server.close();
  await operator.stopAll();
  for (const { folder } of [operator, developer]) rmSync(folder, { recursive: true, force: true });
});

test("the page of docs/client.md uploads a file, shows how far it is, and a link that opens it", async () => {
  const [tarball = ""] = readdirSync(developer.folder).filter((name) => name.endsWith(".tgz"));
  developer.write("package.json", JSON.stringify({ name: "page", private: true }));
  await developer.succeed("npm", ["install", "--no-audit", "--no-fund", `./${tarball}`]);
  const [html = ""] = codeBlocks("docs/client.md", "html");
  expect(html).toContain(DOCUMENTED);
  developer.write("index.html", html.replace(DOCUMENTED, url));
  const token = readFileSync(join(operator.folder, ".ssec/token"), "utf8").trim();

  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const buffer = randomBytes(9 * 2 ** 20);
  const choose = () =>
    page.getByLabel("File").setInputFiles({ name: "a ü.txt", mimeType: "text/plain", buffer });
  await choose();
  await page.getByText("Authorization: Bearer TOKEN").waitFor();

  await page.getByLabel("Token").fill(token);
  await choose();
  await page.getByText("a ü.txt is there, encrypted.").waitFor({ timeout: 60_000 });
  const bar = page.locator("progress");
  expect(await bar.evaluate((bar: unknown) => (bar as { position: number }).position)).toBe(1);
  const href = await page.getByRole("link", { name: "Open" }).getAttribute("href");
  const got = await fetch(href ?? "");
  expect(Buffer.from(await got.arrayBuffer()).equals(buffer)).toBe(true);
  const proof = await fetch(`${url}/v1/verify`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ bucket: "media", key: "uploads/a ü.txt" }),
  });
  expect(await proof.json()).toMatchObject({ encrypted: true, size: buffer.length });
}, 300_000);
