/**
 * `ssec rotate --local`: the same without a Worker, whatever happens to the process.
 *
 * @module-tag thorough
 */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { error, isGet, isPut } from "../support/fault-proxy.ts";
import { type Rotating, rotating, s3 } from "../support/rotating.ts";
import { startSsec } from "../support/ssec.ts";

let media: Rotating;

beforeAll(async () => {
  media = await rotating();
});
afterAll(() => media?.close());

const rotate = (...args: string[]) => media.ssec(["rotate", "media", "--local", ...args]);
const keys = (name: string, n: number) => Array.from({ length: n }, (_, i) => `${name}/${i}`);

test("it needs neither Worker nor token, and keeps its ledger to its owner", async () => {
  await media.put(keys("few", 3), "SSEC_K1");
  const before = await rotate("--status");
  expect([before.status, before.stderr]).toEqual([1, "ssec: nothing was rotated in media yet\n"]);
  expect(existsSync(join(media.folder, ".ssec"))).toBe(false);
  const { status, stdout, stderr } = await media.ssec(["rotate", "media", "--local"], { SSEC_TOKEN: "" });
  expect(stdout, stderr).toContain("✓ media: the rotation to k2 is done: 3 rotated");
  expect(status).toBe(0);
  expect(await media.areUnder(keys("few", 3), "SSEC_K2")).toBe(true);
  const folder = join(media.folder, ".ssec");
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  for (const name of ["rotations.sqlite", "rotations.log"])
    expect(statSync(join(folder, name)).mode & 0o777, name).toBe(0o600);
  expect(readFileSync(join(folder, ".gitignore"), "utf8")).toBe("*\n");
  const log = readFileSync(join(folder, "rotations.log"), "utf8");
  expect(log.match(/"event":"rotation"/g)).toHaveLength(3);
  for (const secret of Object.values(media.secretsNow())) expect(log).not.toContain(secret);
  expect((await rotate()).stdout).toContain("0 rotated (0 B), 3 skipped, 0 failed");
});

test("what lies in the clear is encrypted only where that is asked for", async () => {
  await media.put(keys("clear", 2));
  const left = await rotate("--prefix", "clear/");
  expect(left.stdout).toContain("0 rotated (0 B), 0 skipped, 2 failed");
  expect(await media.areUnder(keys("clear", 2), "SSEC_K2")).toBe(false);
  const encrypted = await rotate("--prefix", "clear/", "--encrypt-plain");
  expect(encrypted.stdout, encrypted.stderr).toContain("2 rotated");
  expect(await media.areUnder(keys("clear", 2), "SSEC_K2")).toBe(true);
});

test(
  "keys whose segments HTTP clients take out are rotated as what they are, where the store has them so",
  {
    timeout: 120_000,
  },
  async () => {
    const dotted = ["dots/a/../b", "dots/./b", "dots/c/.."];
    const all = [...dotted, "dots/b", "dots"];
    await media.put(all, "SSEC_K1");
    const done = await rotate("--prefix", "dots");
    expect(done.stdout, done.stderr).toContain("5 rotated");
    expect(await media.areUnder(all, "SSEC_K2")).toBe(true);
    for (const key of all) expect(await media.areUnder([key], "SSEC_K1"), key).toBe(false);

    // Something before the store that takes them out: nothing else is touched for them.
    await media.put(dotted, "SSEC_K1");
    media.proxy.break({
      on: ({ url = "" }) => url.includes("/."),
      forward: async ({ url = "", headers }) => ({
        url: url.replace(/^[^?]*/, (path) => new URL(path, "http://s").pathname),
        headers,
      }),
    });
    const refused = await rotate("--prefix", "dots");
    media.proxy.break();
    expect(refused.stdout, refused.stderr).toContain("0 rotated (0 B), 2 skipped, 3 failed");
    expect(await media.areUnder(dotted, "SSEC_K1")).toBe(true);
    expect(await media.areUnder(["dots/b", "dots"], "SSEC_K2")).toBe(true);
    const left = await s3.send(new ListObjectsV2Command({ Bucket: media.bucket, Prefix: "dots" }));
    expect(left.Contents?.map(({ Key }) => Key)).toEqual(all.toSorted());
  },
);

test(
  "where the store does not copy, an object goes while it comes, and broken off stays the old one",
  { timeout: 60_000 },
  async () => {
    const object = { Bucket: media.bucket, Key: "streamed/big" };
    const Body = randomBytes(6 * 2 ** 20);
    await s3.send(new PutObjectCommand({ ...object, Body, ...media.under("SSEC_K1") }));
    const isBig = ({ url = "" }: IncomingMessage) => url.includes("streamed/big");
    const noCopy = {
      on: ({ headers }: IncomingMessage) => "x-amz-copy-source" in headers,
      answer: error(501, "NotImplemented"),
    };
    const ofBig = (request: IncomingMessage) => isGet(request) && isBig(request);
    const seen = { puts: 0 };
    const puts = (request: IncomingMessage) => {
      if (isPut(request) && isBig(request)) seen.puts++;
      return false;
    };
    // Half of it comes, and then nothing.
    media.proxy.break({ on: puts }, noCopy, { on: ofBig, stallAnswerAfter: Body.length / 2 });
    const first = media.start(["rotate", "media", "--local", "--prefix", "streamed/"]);
    await vi.waitFor(() => expect(seen.puts).toBe(1), { timeout: 20_000 });
    first.child.kill("SIGKILL");
    await first.ended;
    expect(await media.areUnder([object.Key], "SSEC_K1")).toBe(true);

    media.proxy.break({ on: puts }, noCopy, { on: ofBig, cutAnswerAfter: Body.length / 2, times: 1 });
    const { stdout, stderr } = await rotate("--prefix", "streamed/");
    media.proxy.break();
    expect(stdout, stderr).toContain("1 rotated (6.0 MiB), 0 skipped, 0 failed");
    expect(seen.puts).toBe(3);
    const got = await s3.send(new GetObjectCommand({ ...object, ...media.under("SSEC_K2") }));
    expect(Body.equals((await got.Body?.transformToByteArray()) ?? new Uint8Array())).toBe(true);
  },
);

test(
  "killed in the midst, it goes on where it was; two at once are refused",
  { timeout: 120_000 },
  async () => {
    const many = keys("many", 60);
    await media.put(many, "SSEC_K1");
    // Some are done, the others wait.
    const goOn = media.holdUp(({ headers, url = "" }) => {
      return headers["x-amz-copy-source"] !== undefined && /many\/[5-9]\d\?/.test(url);
    });
    const first = media.start(["rotate", "media", "--local", "--prefix", "many/"]);
    await vi.waitFor(async () => expect(await media.areUnder(["many/49"], "SSEC_K2")).toBe(true), {
      timeout: 40_000,
    });
    const second = await rotate("--prefix", "many/");
    expect([second.status, second.stdout]).toEqual([1, ""]);
    expect(second.stderr).toMatch(
      /another process rotates by .*rotations\.sqlite: .*rotate BUCKET --local --status/,
    );
    expect((await rotate("--status")).stdout).toMatch(/media\/many\/: the rotation to k2 of .* runs/);
    first.child.kill("SIGKILL");
    await first.ended;
    goOn();
    const third = await rotate("--prefix", "many/", "--json");
    expect(third.stderr).toMatch(/a rotation to k2 of many\/, begun .*, goes on/);
    const { state, rotated, skipped, failed, listed } = JSON.parse(third.stdout);
    expect({ state, failed, listed, handled: rotated + skipped }).toEqual({
      state: "done",
      failed: 0,
      listed: 60,
      handled: 60,
    });
    expect(await media.areUnder(many, "SSEC_K2")).toBe(true);
  },
);

test(
  "Ctrl-C ends it, the same command goes on, and --cancel ends it from elsewhere",
  { timeout: 120_000 },
  async () => {
    await media.put(keys("few", 3), "SSEC_K1");
    const goOn = media.holdUp();
    const first = media.start(["rotate", "media", "--local", "--versions"]);
    let told = "";
    first.child.stderr.on("data", (chunk) => (told += chunk));
    await vi.waitFor(() => expect(told).toContain("rotating media"), { timeout: 40_000 });
    first.child.kill("SIGINT");
    const { status, stderr } = await first.ended;
    expect(status).toBe(130);
    expect(stderr).toContain("ssec: cut off; the same command goes on");
    expect(stderr).toMatch(/cancel: .*rotate media --local --cancel/);
    for (const more of ["--remove-versions", "--encrypt-plain"]) {
      const other = await rotate("--versions", more);
      expect([other.status, other.stderr], more).toEqual([
        1,
        expect.stringContaining("not what is asked for"),
      ]);
    }
    const second = media.start(["rotate", "media", "--local"]);
    told = "";
    second.child.stderr.on("data", (chunk) => (told += chunk));
    await vi.waitFor(() => expect(told).toContain("goes on"), { timeout: 40_000 });
    const cancelled = await rotate("--cancel");
    expect([cancelled.status, cancelled.stdout]).toEqual([0, expect.stringContaining("was cancelled")]);
    goOn();
    const ended = await second.ended;
    expect([ended.status, ended.stdout]).toEqual([1, expect.stringContaining("was cancelled")]);
    // A look in between is nothing to go on with.
    expect((await media.ssec(["keys", "scan", "media", "--local"])).stdout).toContain("the dry run is done");
    expect((await rotate("--resume")).status).toBe(0);
    expect(await media.areUnder(keys("few", 3), "SSEC_K2")).toBe(true);
  },
);

test("in another folder, or without the secrets, it says what is missing", { timeout: 30_000 }, async () => {
  const elsewhere = await startSsec(["rotate", "media", "--local"], {}, join(media.folder, ".ssec")).ended;
  expect(elsewhere.status).toBe(1);
  expect(elsewhere.stderr).toMatch(/there is no .*wrangler\.toml: go to the Worker's folder/);
  expect((await media.ssec(["rotate", "nowhere", "--local"])).stderr).toMatch(
    /no bucket "nowhere" in BUCKETS/,
  );
  expect((await rotate("--to", "k9")).stderr).toMatch(/to: is none of this bucket's keys/);
});
