/** `ssec keys`: what still needs a key, and its end once nothing does. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PutBucketVersioningCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Rotating, rotating, s3 } from "../support/rotating.ts";

let media: Rotating;
let url: string;

beforeAll(async () => {
  media = await rotating();
  url = await media.deployed();
});
afterAll(() => media?.close());

const ssec = (...args: string[]) => media.ssec(["--url", url, ...args]);
const edit = (from: string, to: string) => {
  const text = media.read();
  expect(text).toContain(from);
  writeFileSync(media.config, text.replace(from, to));
  return () => writeFileSync(media.config, text);
};
/** Until nobody can have a URL from before. */
const aSecond = () => new Promise((resolve) => setTimeout(resolve, 1100));

test("a scan tells what needs which key; check says it as well", async () => {
  await media.put(["a", "b"], "SSEC_K1");
  await media.put(["c"], "SSEC_K2");
  const before = await ssec("keys");
  expect(before.stdout).toMatch(/^k1 +active +shared +media +\S{8} +not scanned$/m);
  const scan = await ssec("keys", "scan", "media");
  expect(scan.status, scan.stderr).toBe(0);
  expect(scan.stdout).toContain("the dry run is done: 3 objects seen");
  expect(scan.stdout).toMatch(/ {2}k1 is still needed by 2 objects in media \(scan of \d{4}-.* UTC\)/);
  const { stdout } = await ssec("keys");
  expect(stdout).toMatch(/^k1 .* 2 objects +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/m);
  const keys = (await ssec("keys", "--json")).stdout.trimEnd().split("\n");
  expect(keys.map((line) => JSON.parse(line).neededBy.objects).sort()).toEqual([1, 2]);
  const checked = await ssec("check");
  expect(checked.stdout).toMatch(/· KEYS\.k1 is still needed by 2 objects in media \(scan of /);
});

test("retire refuses as long as anything may need the key", async () => {
  const before = media.read();
  const refused = async (reason: RegExp, ...args: string[]) => {
    const { status, stdout, stderr } = await ssec("keys", "retire", ...args);
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: "",
      stderr: expect.stringMatching(reason),
    });
    expect(media.read()).toBe(before);
  };
  await refused(/k1 is still needed by 2 objects in media/, "k1", "--yes");
  await refused(/k2 is still needed by 1 object in media/, "k2", "--yes");
  await refused(/no key "k9" in KEYS \(have: k1, k2\)/, "k9", "--yes");
  // Of the ledger here there was no scan.
  await refused(
    /k1 may still be needed: no bucket of its was scanned\n.*keys scan media --local/,
    "k1",
    "--yes",
    "--local",
  );
  expect(existsSync(join(media.folder, ".ssec"))).toBe(false);
});

test("retire does not go by the word of another Worker", async () => {
  const putBack = edit('keys = ["k2", "k1"] # the newest first', 'keys = ["k1", "k2"]');
  try {
    const { status, stderr } = await ssec("keys", "retire", "k2", "--yes");
    expect(status).toBe(1);
    expect(stderr).toMatch(/has another configuration than|is still needed/);
  } finally {
    putBack();
  }
  const again = edit("[vars.CALLERS.admin]", '[vars.KEYS.k3]\nsecret = "SSEC_K3"\n\n[vars.CALLERS.admin]');
  try {
    const { status, stderr } = await ssec("keys", "retire", "k1", "--yes");
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/has another configuration than .* \(KEYS is another\)/),
    ]);
  } finally {
    again();
  }
});

test("older versions need their key too", { timeout: 60_000 }, async () => {
  const versioned = await rotating();
  try {
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await s3.send(new PutBucketVersioningCommand({ Bucket: versioned.bucket, VersioningConfiguration }));
    await versioned.put(["a"], "SSEC_K1");
    await versioned.put(["a"], "SSEC_K2");
    const scan = await versioned.ssec(["keys", "scan", "media", "--local"]);
    expect(scan.stdout).toMatch(/k1 is still needed by 1 older version in media/);
    const { status, stderr } = await versioned.ssec(["keys", "retire", "k1", "--local", "--yes"]);
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining("k1 is still needed by 1 older version in media"),
    ]);
  } finally {
    await versioned.close();
  }
});

test(
  "once a scan has shown that nothing needs it, retire takes it out and says what is left to do",
  { tags: ["thorough"] },
  async () => {
    expect((await ssec("rotate", "media")).status).toBe(0);
    // Whoever was handed a URL before may have written since the rotation began.
    await aSecond();
    expect((await ssec("keys", "scan", "media")).stdout).toMatch(
      / {2}k1 can be removed: .* keys retire k1$/m,
    );
    expect((await ssec("check")).stdout).toMatch(/! KEYS\.k1 can be removed: .* keys retire k1/);
    expect((await ssec("keys")).stdout).toMatch(/^k1 .* nothing: it can go/m);
    const unasked = await ssec("keys", "retire", "k1");
    expect([unasked.status, unasked.stderr]).toEqual([1, "ssec: nobody is here to be asked: give --yes\n"]);
    const before = media.read();
    const { status, stdout, stderr } = await ssec("keys", "retire", "k1", "--yes");
    expect(status, stderr).toBe(0);
    expect(stdout).toContain('-keys = ["k2", "k1"] # the newest first\n+keys = ["k2"] # the newest first');
    expect(stdout).toMatch(/npx wrangler secret delete SSEC_K1( |$)/m);
    expect(stdout).toMatch(/take the line SSEC_K1= out of .*\.dev\.vars/);
    expect(media.read()).toBe(
      before.replace('[vars.KEYS.k1]\nsecret = "SSEC_K1"\n', "").replace('["k2", "k1"]', '["k2"]'),
    );
    // The secret is its operator's to destroy.
    expect(media.secretsNow().SSEC_K1).toBeTruthy();
    const twice = await ssec("keys", "retire", "k1", "--yes");
    expect([twice.status, twice.stderr]).toEqual([1, expect.stringContaining('no key "k1" in KEYS')]);
    for (const secret of Object.values(media.secretsNow())) expect(stdout + stderr).not.toContain(secret);
    expect(readFileSync(join(media.folder, ".dev.vars"), "utf8")).toContain("SSEC_K1");
  },
);
