/** The operator's commands, run as an operator runs them. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { codeBlocks } from "../support/documented.ts";
import { runHere, ssecHere } from "../support/ssec.ts";
import { openTerminal } from "../support/terminal.ts";
import { isSkipped, SCRIPT } from "../support/tools.ts";

const dir = mkdtempSync(join(tmpdir(), "ssec-cli-"));
afterAll(() => rmSync(dir, { recursive: true }));

const ssec = (...args: string[]) =>
  spawnSync(process.execPath, ["src/cli/ssec.ts", ...args], { encoding: "utf8" });

test("keygen gives 32 fresh bytes to a pipe, and says how to bind them", { tags: ["thorough"] }, () => {
  const { status, stdout, stderr } = ssec("keygen", "k2");
  expect(status).toBe(0);
  const raw = Buffer.from(stdout, "base64");
  expect(raw.toString("base64")).toBe(stdout);
  expect(raw).toHaveLength(32);
  expect(stderr).toContain(`MD5 ${createHash("md5").update(raw).digest("base64")}`);
  expect(stderr).toContain("wrangler secret put SSEC_K2");
  expect(stderr).not.toContain(stdout);
  expect(ssec("keygen").stdout).not.toBe(stdout);
});

const hasPython = process.env.CI || spawnSync("python3", ["--version"]).status === 0;

test("a key is written to a file of one's own, and over nothing", { timeout: 180_000 }, async () => {
  const config = configWithRoot(randomBytes(32).toString("base64"));
  for (const [i, command] of [
    ["keygen", "k2"],
    ["--config", config, "derive", "root", "media", "x"],
  ].entries()) {
    const out = join(dir, `${i}.key`);
    const { status, stdout, stderr } = await ssecHere([...command, "--out", out]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
    const key = readFileSync(out, "utf8");
    expect(Buffer.from(key, "base64").toString("base64")).toBe(key);
    expect(Buffer.from(key, "base64")).toHaveLength(32);
    expect(statSync(out).mode & 0o777).toBe(0o600);
    expect(stderr).toContain(`The key is in ${out}`);
    expect(stderr).not.toContain(key);

    const again = await ssecHere([...command, "--out", out, "--json"]);
    expect(again).toMatchObject({ status: 1, stdout: "" });
    expect(again.stderr).toContain("never written over anything");
    const link = join(dir, `${i}.link`);
    symlinkSync(join(dir, "elsewhere"), link);
    expect((await ssecHere([...command, "--out", link])).status).toBe(1);
    expect(existsSync(join(dir, "elsewhere"))).toBe(false);
    expect(readFileSync(out, "utf8")).toBe(key);
    expect((await ssecHere([...command, "--out", out, "--show"])).status).toBe(2);
  }
  // What a shell makes for it is for all to read.
  const redirected = openSync(join(dir, "redirected"), "w", 0o644);
  const warned = spawnSync(process.execPath, ["src/cli/ssec.ts", "keygen"], {
    stdio: ["ignore", redirected, "pipe"],
    encoding: "utf8",
  });
  closeSync(redirected);
  expect(warned.stderr).toContain("a file that others can read");
});

test.skipIf(isSkipped(SCRIPT))(
  "a terminal sees an object's key only when it asks",
  { tags: ["thorough"], timeout: 180_000 },
  async () => {
    const config = configWithRoot(randomBytes(32).toString("base64"));
    const command = ["src/cli/ssec.ts", "--config", config, "derive", "root", "media", "users/42/cat.jpg"];
    const unasked = openTerminal(command);
    expect(await unasked.ended()).toBe(2);
    expect(unasked.screen).toContain("derive root media users/42/cat.jpg --out FILE");
    expect(unasked.screen).not.toMatch(/[A-Za-z0-9+/]{43}=/);
    const asked = openTerminal([...command, "--show"]);
    expect(await asked.ended()).toBe(0);
    expect(asked.screen).toMatch(/[A-Za-z0-9+/]{43}=/);
  },
);

function configWithRoot(root: string): string {
  const config = join(dir, "wrangler.toml");
  writeFileSync(
    config,
    `name = "x"
[vars.STORES.cw]
endpoint = "https://cwobject.com"
region = "R"
accessKeyId = "ID"
secretAccessKey = "SECRET"
[vars.KEYS.root]
secret = "ROOT"
derive = true
[vars.KEYS.k1]
secret = "K1"
[vars.BUCKETS.media]
store = "cw"
name = "acme-media"
keys = ["root", "k1"]
`,
  );
  writeFileSync(join(dir, ".dev.vars"), `ROOT="${root}"\n`);
  return config;
}

test.skipIf(!hasPython)("derive recovers an object's key as the documented Python does", async () => {
  const root = randomBytes(32).toString("base64");
  const config = configWithRoot(root);
  const key = "users/42/ü ☃.jpg";
  const { status, stdout, stderr } = await ssecHere(["--config", config, "derive", "root", "media", key]);
  expect(stderr).toMatch(/^MD5 /);
  expect(status).toBe(0);
  const [python = ""] = codeBlocks("docs/keys.md", "python");
  const env = { ...process.env, ROOT: root };
  const ours = execFileSync("python3", ["-c", python, "acme-media", key], { env, encoding: "utf8" });
  expect(stdout).toBe(ours);
  const json = JSON.parse(
    (await ssecHere(["--config", config, "derive", "root", "media", key, "--json"])).stdout,
  );
  expect(json).toMatchObject({ keyId: "root", bucket: "media", key, customerKey: ours.trim() });

  expect((await ssecHere(["--config", config, "derive", "k1", "media", key])).stderr).toContain(
    "is shared by all objects",
  );
  expect((await ssecHere(["--config", config, "derive", "k9", "media", key])).stderr).toContain(
    'no key "k9" in KEYS (have: root, k1)',
  );
  expect((await ssecHere(["--config", join(dir, "none.toml"), "derive", "root", "media", key])).status).toBe(
    1,
  );
});

test("check says what is wrong, and what is off for want of a binding", async () => {
  const config = join(dir, "check.toml");
  const write = (more: string) =>
    writeFileSync(
      config,
      `name = "x"
[vars.STORES.cw]
endpoint = "https://cwobject.com"
region = "R"
accessKeyId = "ID"
secretAccessKey = "SECRET"
[vars.KEYS.k1]
secret = "K1"
[vars.BUCKETS.media]
store = "cw"
keys = ["k1"]
${more}`,
    );
  write("");
  const key = randomBytes(32).toString("base64");
  writeFileSync(join(dir, ".dev.vars"), `ID="a"\nSECRET="b"\nK1="${key}"`);
  const good = await runHere(["--config", config, "check"]);
  expect(good.status).toBe(0);
  expect(good.stdout).toMatch(/✓ .*check\.toml: the configuration is valid/);
  expect(good.stdout).toMatch(/✓ KEYS\.k1 is a key with MD5 .{24}, active/);
  for (const name of ["DB", "QUEUE", "ROTATION_QUEUE", "RATE_LIMIT", "METRICS", "ASSETS"]) {
    expect(good.stdout).toContain(`· ${name} is not bound, which leaves off`);
  }
  expect(good.stdout).not.toContain(key);

  write('[[ratelimits]]\nname = "RATE_LIMIT"\nnamespace_id = "1"\nsimple = { limit = 1, period = 10 }');
  expect((await runHere(["--config", config, "check"])).stdout).toContain("✓ RATE_LIMIT is bound");

  write(`[[queues.producers]]
binding = "ROTATION_QUEUE"
queue = "q"
[assets]
directory = "pages"
binding = "ASSETS"`);
  const { stdout: bound } = await runHere(["--config", config, "check"]);
  expect(bound).toContain("✓ ROTATION_QUEUE is bound");
  expect(bound).toContain("✓ ASSETS is bound");

  writeFileSync(join(dir, ".dev.vars"), `ID="a"\nSECRET="b"`);
  write('[[secrets_store_secrets]]\nbinding = "K1"\nstore_id = "s"\nsecret_name = "k1"');
  const stored = await runHere(["--config", config, "check"]);
  expect(stored.status).toBe(0);
  expect(stored.stdout).toContain("· KEYS.k1: secret K1 is bound from a Secrets Store");

  writeFileSync(join(dir, ".dev.vars"), `ID="a"\nK1="${key}x"`);
  const bad = await runHere(["--config", config, "check"]);
  expect(bad.status).toBe(1);
  expect(bad.stdout).toMatch(/✗ secret SECRET is not bound: wrangler secret put SECRET/);
  expect(bad.stdout).toMatch(/✗ KEYS\.k1: secret K1 /);

  writeFileSync(join(dir, ".dev.vars"), `ID="a\n"\nSECRET="b"\nK1="${key}"\nTOKEN="guess"`);
  write(`[vars.CALLERS.you]
token = "TOKEN"
grants = [{ bucket = "media", prefix = "", allow = ["read"] }]
[vars.KEYS.unused]
secret = "K1"
[vars.BUCKETS.cw-media]
store = "cw"
keys = ["k1"]
[vars.STORES.path]
endpoint = "https://cwobject.com"
region = "us-east-04a"
addressing = "path"
accessKeyId = "ID"
secretAccessKey = "SECRET"
[vars]
ALLOWED_ORIGINS = ["http://app.example.com", "http://localhost:3000"]`);
  const doubtful = await runHere(["--config", config, "check", "--json"]);
  expect(doubtful.status).toBe(1);
  const lines = doubtful.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { verdict: string; what: string });
  const of = (wanted: string) => lines.filter(({ verdict }) => verdict === wanted).map(({ what }) => what);
  expect(of("bad")).toEqual([
    "secret ID holds white space: bind it without, as `printf %s` does and `echo` does not",
    expect.stringMatching(
      /^secret TOKEN is a token of 5 characters, which can be guessed, and does not count/,
    ),
    "STORES.path: CoreWeave refuses path addressing: leave addressing out",
    'STORES.path: CoreWeave\'s regions are its zones, as "US-EAST-04A"',
    "BUCKETS.cw-media: CoreWeave allows no bucket name that begins with cw-",
  ]);
  expect(of("warn")).toEqual([
    expect.stringMatching(/^ALLOWED_ORIGINS: http:\/\/app\.example\.com is plain http/),
  ]);
  expect(of("off")).toContain("KEYS.unused is in no bucket's keys: name it there, or take it out");

  write('[vars.BUCKETS.other]\nstore = "none"\nkeys = ["k1"]');
  const wrong = await runHere(["--config", config, "check"]);
  expect(wrong.status).toBe(1);
  expect(wrong.stdout).toContain('✗ BUCKETS.other.store: no store "none" in STORES (have: cw)');
});
