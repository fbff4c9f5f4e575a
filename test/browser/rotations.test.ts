/** What an admin does on the page when a key is to be followed by another. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateBucketCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { buildAssets } from "../../scripts/assets.ts";
import { type RunningWorker, startWorker } from "../../scripts/worker.ts";
import { startStore } from "../../src/dev-store/index.ts";
import { launchChromium } from "../support/chromium.ts";
import { type FaultProxy, isCopy, startFaultProxy } from "../support/fault-proxy.ts";
import { DESK, looksGood, PHONE } from "../support/looks.ts";
import { oneBucket } from "../support/one-bucket.ts";
import { s3Client, triple } from "../support/s3.ts";

const dir = mkdtempSync(join(tmpdir(), "ssec-rotations-"));
const credentials = { accessKeyId: "id", secretAccessKey: "secret" };
const keys = { KEY_1: randomBytes(32).toString("base64"), KEY_2: randomBytes(32).toString("base64") };
const token = randomBytes(24).toString("base64url");
const part = randomBytes(24).toString("base64url");
const OLD = ["letters/one.txt", "letters/two.txt", "photo.jpg"];
const PLAIN = "in the clear/notes.txt";

let store: Awaited<ReturnType<typeof startStore>>;
let proxy: FaultProxy;
let worker: RunningWorker;
let browser: Browser;
/** What the page's console and the browser complained of. */
const complaints: string[] = [];

beforeAll(async () => {
  store = await startStore({ data: join(dir, "store"), port: 0, credentials, region: "us-east-1" });
  proxy = await startFaultProxy(store.url);
  const client = s3();
  await client.send(new CreateBucketCommand({ Bucket: "media" }));
  for (const Key of OLD)
    await client.send(
      new PutObjectCommand({ Bucket: "media", Key, Body: `the object ${Key}`, ...under("KEY_1") }),
    );
  await client.send(new PutObjectCommand({ Bucket: "media", Key: PLAIN, Body: "for all to read" }));
  await client.send(new CreateBucketCommand({ Bucket: "archive" }));
  const VersioningConfiguration = { Status: "Enabled" } as const;
  await client.send(new PutBucketVersioningCommand({ Bucket: "archive", VersioningConfiguration }));
  for (const Body of ["first", "second", "third"])
    await client.send(
      new PutObjectCommand({ Bucket: "archive", Key: "report.txt", Body, ...under("KEY_1") }),
    );
  await client.send(new PutObjectCommand({ Bucket: "archive", Key: "plain.txt", Body: "for all to read" }));
  await client.send(new CreateBucketCommand({ Bucket: "single" }));
  const grant = (prefix: string, bucket = "media") => ({ bucket, prefix, allow: ["read", "admin"] });
  await buildAssets();
  worker = await startWorker({
    without: ["RATE_LIMIT", "METRICS"],
    onLog: () => {},
    env: {
      ...oneBucket({ url: proxy.url, ...credentials }),
      KEYS: { k1: { secret: "KEY_1" }, k2: { secret: "KEY_2" } },
      BUCKETS: {
        media: { store: "main", keys: ["k2", "k1"] },
        archive: { store: "main", keys: ["k2", "k1"] },
        single: { store: "main", keys: ["k2"] },
      },
      CALLERS: {
        admin: { token: "TOKEN", grants: [grant(""), grant("", "archive"), grant("", "single")] },
        part: { token: "PART", grants: [grant("letters/")] },
      },
      TOKEN: token,
      PART: part,
      ...keys,
    },
  });
  browser = await launchChromium();
});
afterEach(() => proxy.break());
afterAll(async () => {
  await browser?.close();
  await worker?.close();
  proxy?.close();
  await store?.close();
  rmSync(dir, { recursive: true });
});

const s3 = () => s3Client({ url: store.url, ...credentials });

const under = (name: keyof typeof keys) => triple(Buffer.from(keys[name], "base64"));

/** Those of the old objects that open under a key. */
async function areUnder(name: keyof typeof keys): Promise<string[]> {
  const heads = await Promise.allSettled(
    OLD.map((Key) => s3().send(new HeadObjectCommand({ Bucket: "media", Key, ...under(name) }))),
  );
  return OLD.filter((_, i) => heads[i]?.status === "fulfilled");
}

async function rotations(): Promise<{ dryRun: boolean; state: string; bucket: string }[]> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${worker.url}/v1/rotations`, { headers });
  return ((await answer.json()) as { rotations: never[] }).rotations;
}

/** A dry run, to its end. */
async function counted(bucket: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const body = JSON.stringify({ bucket, dryRun: true });
  const begun = await fetch(`${worker.url}/v1/rotations`, { method: "POST", headers, body });
  expect(begun.status).toBe(202);
  await expect.poll(async () => (await rotations())[0]?.state).toBe("done");
}

async function open(look: object = { viewport: DESK }, as = token): Promise<Page> {
  const page = await browser.newPage(look);
  page.setDefaultTimeout(15_000);
  page.on("pageerror", ({ message }) => complaints.push(message));
  page.on("console", (message) => {
    if (/Content Security Policy|Refused to/i.test(message.text())) complaints.push(message.text());
  });
  await page.goto(`${worker.url}/#token=${as}`);
  await page.getByRole("link", { name: "Rotations" }).click();
  return page;
}

const card = (page: Page, title: string) =>
  page.getByRole("article").filter({ has: page.getByRole("heading", { name: title, exact: true }) });

test("a dry run, its errors, a rotation that is asked about, cancelled and gone on with, by keyboard", async () => {
  const page = await open();
  const form = page.getByRole("form", { name: "Begin a rotation" });
  await form.waitFor();
  expect(await form.getByLabel("To").locator("option:checked").textContent()).toBe("k2, which writes now");
  await looksGood(page, "rotations-none");

  // What would be done.
  await form.getByLabel("Objects that begin with").press("Enter");
  const counted = card(page, "media, dry run");
  await counted.getByText("done").waitFor();
  await counted.getByText("4 of 4 objects · 3 to rotate, 1 failed").waitFor();
  await counted.getByText("3 under k1 · 1 in the clear").waitFor();
  await counted.getByRole("button", { name: "Show 1 error" }).press("Enter");
  const errors = page.getByRole("dialog", { name: "Errors of media" });
  await errors.getByText(PLAIN).waitFor();
  await errors.getByText("not-encrypted").waitFor();
  await looksGood(page, "rotations-errors");
  await page.keyboard.press("Escape");
  await errors.waitFor({ state: "detached" });
  expect(await areUnder("KEY_1")).toEqual(OLD);

  // The question says what happens; Escape is no.
  await counted.getByRole("button", { name: "Rotate to k2…" }).press("Enter");
  const question = page.getByRole("dialog", { name: "Rotate media to k2?" });
  await question.getByText(/: 3 objects, as the dry run found/).waitFor();
  await question.getByText("ETag and Last-Modified change").waitFor();
  await looksGood(page, "rotations-question");
  await page.keyboard.press("Escape");
  await question.waitFor({ state: "detached" });
  expect((await rotations()).map(({ dryRun }) => dryRun)).toEqual([true]);

  const goOn = proxy.holdUp(isCopy);
  await counted.getByRole("button", { name: "Rotate to k2…" }).press("Enter");
  await question.getByRole("button", { name: "Rotate", exact: true }).press("Enter");
  const rotation = card(page, "media to k2");
  await rotation.getByText("running").waitFor();
  // A second one of the same bucket is refused, and the page says so.
  await form.getByRole("button", { name: "Dry run" }).press("Enter");
  await form.getByRole("alert").waitFor();
  await looksGood(page, "rotations-running");

  // Looks in between leave the focus where it is.
  const cancel = rotation.getByRole("button", { name: "Cancel" });
  await cancel.focus();
  await page.waitForResponse((response) => response.url().includes("/v1/rotations?"));
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").getByRole("button", { name: "Let it run" }).press("Enter");
  expect((await rotations())[0]?.state).toBe("running");
  await cancel.press("Enter");
  await page.getByRole("dialog").getByRole("button", { name: "Cancel the rotation" }).press("Enter");
  await rotation.getByText("cancelled").waitFor();
  await expect.poll(() => page.evaluate("document.activeElement.textContent")).toBe("Resume");
  goOn();
  await page.keyboard.press("Enter");
  await rotation.getByText("done").waitFor({ timeout: 60_000 });
  await rotation.getByRole("button", { name: "Show 1 error" }).waitFor();
  expect(await areUnder("KEY_2")).toEqual(OLD);
  expect(await areUnder("KEY_1")).toEqual([]);
  expect(complaints).toEqual([]);
  await page.close();
}, 120_000);

test("who administers a part begins there, from a key and to one that they choose", async () => {
  const page = await open({ viewport: PHONE }, part);
  const form = page.getByRole("form", { name: "Begin a rotation" });
  await form.getByLabel("From").selectOption("k2");
  await form.getByLabel("To").selectOption("k1");
  expect(await form.getByLabel("Objects that begin with").inputValue()).toBe("letters/");
  await form.getByRole("button", { name: "Rotate…" }).click();
  const question = page.getByRole("dialog", { name: "Rotate media/letters/ to k1?" });
  await question.getByText("under k2").waitFor();
  await looksGood(page, "rotations-part");
  await question.getByRole("button", { name: "Rotate", exact: true }).click();
  await card(page, "media/letters/ to k1").getByText("done").waitFor({ timeout: 60_000 });
  expect(await areUnder("KEY_1")).toEqual(["letters/one.txt", "letters/two.txt"]);
  await page.close();
}, 90_000);

test("what is in the clear and older versions too, once the question was read, by keyboard", async () => {
  const page = await open();
  const form = page.getByRole("form", { name: "Begin a rotation" });
  await form.getByLabel("Bucket").selectOption("single");
  await form.getByText("there is no other to rotate from").waitFor();
  expect(await form.getByRole("button", { name: "Rotate…" }).isDisabled()).toBe(true);
  await form.getByLabel("Encrypt what is in the clear").press("Space");
  expect(await form.getByRole("button", { name: "Rotate…" }).isDisabled()).toBe(false);

  await form.getByLabel("Bucket").selectOption("archive");
  const remove = form.getByLabel("Remove the versions that were copied");
  expect(await remove.isDisabled()).toBe(true);
  const copy = form.getByLabel("Copy older versions");
  await copy.press("Space");
  await remove.press("Space");
  // What does not go without the other goes with it.
  await copy.press("Space");
  expect(await remove.isChecked()).toBe(false);
  await copy.press("Space");
  await remove.press("Space");
  await looksGood(page, "rotations-ticks");

  await form.getByRole("button", { name: "Dry run" }).press("Enter");
  const counted = card(page, "archive, dry run");
  await counted.getByText("2 of 2 objects · 2 to rotate").waitFor();
  await counted.getByText("what is in the clear, older versions, which are removed once").waitFor();
  await counted.getByText("2 older versions under other keys").waitFor();
  await counted.getByRole("button", { name: "Rotate to k2…" }).press("Enter");
  const question = page.getByRole("dialog", { name: "Rotate archive to k2?" });
  await question.getByText("2 objects and 2 older versions, as the dry run found").waitFor();
  await question.getByText("removed for good").waitFor();
  await looksGood(page, "rotations-grave");
  // Enter at once is no yes: the focus is not there.
  await page.keyboard.press("Enter");
  await question.waitFor({ state: "detached" });
  expect((await rotations()).filter(({ dryRun, bucket }) => !dryRun && bucket === "archive")).toEqual([]);
  await counted.getByRole("button", { name: "Rotate to k2…" }).press("Enter");
  await question.getByRole("button", { name: "Rotate, and remove versions" }).press("Enter");
  const rotation = card(page, "archive to k2");
  await rotation.getByText("done").waitFor({ timeout: 60_000 });
  await rotation.getByText(/^2 copied, \d removed, 0 failed$/).waitFor();
  const { Versions = [] } = await s3().send(
    new ListObjectVersionsCommand({ Bucket: "archive", Prefix: "report.txt" }),
  );
  expect(Versions.length).toBeGreaterThanOrEqual(3);
  for (const { Key, VersionId } of Versions)
    await s3().send(new HeadObjectCommand({ Bucket: "archive", Key, VersionId, ...under("KEY_2") }));
  await s3().send(new HeadObjectCommand({ Bucket: "archive", Key: "plain.txt", ...under("KEY_2") }));
  expect(complaints).toEqual([]);
  await page.close();
}, 120_000);

test("the list goes on where it is long, and looks in between take nothing of it back", async () => {
  for (let i = 0; i < 4; i++) await counted("single");
  const page = await browser.newPage({ viewport: DESK });
  page.setDefaultTimeout(15_000);
  // Pages of two are as long for four as pages of twenty are for forty.
  await page.route("**/v1/rotations?*", (route) =>
    route.continue({ url: route.request().url().replace("limit=20", "limit=2") }),
  );
  await page.goto(`${worker.url}/#token=${token}`);
  await page.getByRole("link", { name: "Rotations" }).click();
  const cards = page.getByRole("article");
  const all = (await rotations()).length;
  await expect.poll(() => cards.count()).toBe(2);
  const more = page.getByRole("button", { name: "Show more" });
  await more.press("Enter");
  await expect.poll(() => cards.count()).toBe(4);
  await page.getByRole("button", { name: "Refresh" }).click();
  const form = page.getByRole("form", { name: "Begin a rotation" });
  await form.getByRole("button", { name: "Dry run" }).press("Enter");
  await expect.poll(() => cards.count()).toBe(5);
  await cards.first().getByText("done").waitFor();
  // A full page may be the last one: then there is nothing more behind it.
  const goOn = async () => {
    if (await more.isVisible()) await more.press("Enter", { timeout: 1000 });
    return [await cards.count(), await more.isVisible()];
  };
  await expect.poll(goOn).toEqual([all + 1, false]);
  const titles = await cards.getByRole("heading").allTextContents();
  expect(titles[0]).toBe("media, dry run");
  expect(titles.slice(1, 5)).toEqual(Array(4).fill("single, dry run"));
  await page.close();
}, 120_000);

test.for([
  ["desk", "light", DESK],
  ["desk", "dark", DESK],
  ["phone", "light", PHONE],
  ["phone", "dark", PHONE],
] as const)("on a %s, in %s", async ([device, colorScheme, viewport]) => {
  const page = await open({ viewport, colorScheme });
  await card(page, "media to k2").waitFor();
  await looksGood(page, `${device}-${colorScheme}-rotations-begin`);
  await page.getByRole("button", { name: "Show 1 error" }).first().click();
  await page.getByText(PLAIN).waitFor();
  await looksGood(page, `${device}-${colorScheme}-rotations-errors`);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Rotate…" }).click();
  await looksGood(page, `${device}-${colorScheme}-rotations-question`);
  expect(complaints).toEqual([]);
  await page.close();
});
