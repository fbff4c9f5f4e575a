/** `ssec init`, by flags and at a real terminal. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { CreateBucketCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { decodeCustomerKey } from "../../src/keys/customer-key.ts";
import { isCeph, store } from "../support/client.ts";
import { s3 } from "../support/edge.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { takingAdded } from "../support/lenient.ts";
import { runHere } from "../support/ssec.ts";
import { CTRL_C, DOWN, ENTER, openTerminal, type Terminal } from "../support/terminal.ts";
import { isSkipped, SCRIPT } from "../support/tools.ts";

let dir: string;
let config: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "ssec-init-test-"));
  config = join(dir, "wrangler.toml");
  copyFileSync("wrangler.toml", config);
});
afterEach(() => rmSync(dir, { recursive: true }));

const CREDENTIALS = { CW_ACCESS_KEY_ID: "CWEXAMPLE", CW_SECRET_ACCESS_KEY: "made/for+this" };
const read = (name: string) => readFileSync(join(dir, name), "utf8");
const devVars = () => parseEnv(read(".dev.vars")) as Record<string, string>;

const init = (args: string[], env: Record<string, string> = CREDENTIALS) =>
  runHere(["--config", config, ...args], env);

const COREWEAVE = ["init", "--store", "coreweave", "--bucket", "acme-photos", "--caller", "acme", "--yes"];

test("flags alone set it all up, and the check is green", { timeout: 60_000 }, async () => {
  const { status, stdout } = await init([...COREWEAVE, "--prefix", "a/", "--origin", "https://a.example"]);
  expect(stdout).toContain("✓ KEYS.k1 is a key with MD5");
  expect(status).toBe(0);

  const secrets = devVars();
  expect(secrets).toMatchObject(CREDENTIALS);
  expect(decodeCustomerKey(secrets.SSEC_K1 ?? "")).toHaveLength(32);
  expect(Buffer.from(secrets.ACME_TOKEN ?? "", "base64url")).toHaveLength(32);
  expect(statSync(join(dir, ".dev.vars")).mode & 0o777).toBe(0o600);
  for (const secret of Object.values(secrets)) {
    expect(stdout).not.toContain(secret);
    expect(read("wrangler.toml")).not.toContain(secret);
  }
  expect(read("wrangler.toml")).toContain(`[vars]
ALLOWED_ORIGINS = ["https://a.example"]

[vars.STORES.coreweave]
endpoint = "https://cwobject.com"
region = "US-EAST-04A"
addressing = "virtual"
accessKeyId = "CW_ACCESS_KEY_ID"
secretAccessKey = "CW_SECRET_ACCESS_KEY"

[vars.KEYS.k1]
secret = "SSEC_K1"

[vars.BUCKETS.acme-photos]
store = "coreweave"
keys = ["k1"]

[vars.CALLERS.acme]
token = "ACME_TOKEN"
[[vars.CALLERS.acme.grants]]
bucket = "acme-photos"
prefix = "a/"
allow = ["read", "write", "delete"]
`);
  // All that is not ours is as it was, comments included.
  const outside = (text: string) => text.split("\n").filter((line) => /^(#|\[(?!vars)|\w+ = .*#)/.test(line));
  expect(outside(read("wrangler.toml"))).toEqual(outside(readFileSync("wrangler.toml", "utf8")));
});

const MINIO = ["init", "--store", "minio", "--endpoint", "https://minio.invalid", "--bucket", "b.c"];
const OTHER = { MINIO_ACCESS_KEY_ID: "m", MINIO_SECRET_ACCESS_KEY: "n" };

test("a second time only adds, and no key or token is another", { timeout: 60_000 }, async () => {
  writeFileSync(join(dir, ".dev.vars"), "# mine\nOTHER='x'\nCW_ACCESS_KEY_ID=old", { mode: 0o644 });
  await init([...COREWEAVE, "--origin", "https://a.example"]);
  const first = read(".dev.vars");
  expect(first).toMatch(/^# mine\nOTHER='x'\nCW_ACCESS_KEY_ID=old\n/);
  expect(statSync(join(dir, ".dev.vars")).mode & 0o777).toBe(0o600);
  const before = read("wrangler.toml");

  // The same again is nothing.
  const same = await init([...COREWEAVE, "--origin", "https://a.example"]);
  expect(same).toMatchObject({ status: 0, stdout: expect.stringContaining("nothing is added") });
  expect([read("wrangler.toml"), read(".dev.vars")]).toEqual([before, first]);

  const again = await init([...MINIO, "--caller", "acme", "--origin", "https://b.example", "--yes"], OTHER);
  expect(again.stdout).toContain("there already, and kept: KEYS.k1, CALLERS.acme");
  expect(again.status).toBe(0);
  expect(read(".dev.vars")).toBe(`${first}MINIO_ACCESS_KEY_ID="m"\nMINIO_SECRET_ACCESS_KEY="n"\n`);
  const lines = read("wrangler.toml").split("\n");
  const gone = before.split("\n").filter((line) => !lines.includes(line));
  expect(gone).toEqual(['ALLOWED_ORIGINS = ["https://a.example"]']);
  const text = read("wrangler.toml").split("[env.production]")[0] ?? "";
  expect(text).toContain('[vars]\nALLOWED_ORIGINS = ["https://a.example", "https://b.example"]\n');
  expect(text).toContain('[vars.BUCKETS."b.c"]\nstore = "minio"\nkeys = ["k1"]\n');
  expect(text.match(/\[\[vars\.CALLERS\.acme\.grants\]\]\nbucket = "(acme-photos|b\.c)"/g)).toHaveLength(2);

  // Another caller beside the first, and another prefix of the first.
  const more = (caller: string, prefix: string) =>
    init(
      ["init", "--store", "coreweave", "--bucket", "acme-photos"].concat([
        ...["--caller", caller, "--prefix", prefix, "--yes"],
      ]),
    );
  expect((await more("other", "o/")).status).toBe(0);
  expect((await more("acme", "p/")).status).toBe(0);
  const secrets = devVars();
  expect(secrets.ACME_TOKEN).toBe(parseEnv(first).ACME_TOKEN);
  expect(secrets.SSEC_K1).toBe(parseEnv(first).SSEC_K1);
  expect(secrets.OTHER_TOKEN).toMatch(/^[\w-]{43}$/);
  expect(read("wrangler.toml").match(/^\[\[?vars\.CALLERS\..*/gm)).toEqual([
    "[vars.CALLERS.acme]",
    ...Array(2).fill("[[vars.CALLERS.acme.grants]]"),
    "[vars.CALLERS.other]",
    "[[vars.CALLERS.other.grants]]",
    "[[vars.CALLERS.acme.grants]]",
  ]);
});

test(
  "a store or bucket of that name that says something else needs --force",
  { timeout: 60_000 },
  async () => {
    await init(COREWEAVE);
    const before = [read("wrangler.toml"), read(".dev.vars")];
    const elsewhere = [...COREWEAVE, "--region", "US-WEST-01A"];
    expect(await init(elsewhere)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("STORES.coreweave has another region. Nothing was changed"),
    });
    const moved = await init([...MINIO.slice(0, -1), "acme-photos", "--yes"], OTHER);
    expect(moved.stderr).toContain("BUCKETS.acme-photos has another store. Nothing was changed");
    expect([read("wrangler.toml"), read(".dev.vars")]).toEqual(before);

    expect((await init([...elsewhere, "--force"])).status).toBe(0);
    expect(read("wrangler.toml")).toContain('region = "US-WEST-01A"');
    expect(read("wrangler.toml").match(/^\[vars\.KEYS/gm)).toHaveLength(1);
    expect(read(".dev.vars")).toBe(before[1]);
  },
);

test("a key that is bound elsewhere is not made a second time", { timeout: 60_000 }, async () => {
  await init(COREWEAVE);
  rmSync(join(dir, ".dev.vars"));
  const { status, stdout } = await init(COREWEAVE);
  expect(status).toBe(1);
  expect(stdout).toMatch(/^✗ KEYS\.k1: secret SSEC_K1 is not bound/m);
  expect(Object.keys(devVars())).toEqual(Object.keys(CREDENTIALS));
});

test("names that every object has are names as any", { timeout: 60_000 }, async () => {
  const names = ["--store", "coreweave", "--bucket", "constructor", "--caller", "toString", "--yes"];
  expect(await init(["init", ...names])).toMatchObject({ status: 0, stderr: "" });
  expect(read("wrangler.toml")).toContain("[vars.BUCKETS.constructor]");
  expect(devVars().TOSTRING_TOKEN).toBeDefined();
});

test("an environment has a key and a token of its own", { timeout: 60_000 }, async () => {
  await init(COREWEAVE);
  const development = read(".dev.vars");
  const { status, stdout } = await init(["--env", "production", ...COREWEAVE]);
  expect(status).toBe(0);
  expect(stdout).toMatch(
    /wrangler secret bulk \S+\.dev\.vars\.production --config \S+wrangler\.toml --env production$/m,
  );
  const production = parseEnv(read(".dev.vars.production"));
  expect(statSync(join(dir, ".dev.vars.production")).mode & 0o777).toBe(0o600);
  expect(decodeCustomerKey(production.SSEC_K1 ?? "")).toHaveLength(32);
  for (const name of ["SSEC_K1", "ACME_TOKEN"]) expect(production[name]).not.toBe(devVars()[name]);
  expect(read(".dev.vars")).toBe(development);
  const [before = "", after = ""] = read("wrangler.toml").split("[env.production]");
  expect(before).toContain("[vars.BUCKETS.acme-photos]");
  expect(after).toContain("[env.production.vars.BUCKETS.acme-photos]");
  expect(after).not.toContain("acme-media");

  // One that there is not yet comes to be, and another is not touched by it.
  expect((await init(["--env", "staging", ...COREWEAVE])).status).toBe(0);
  expect(read("wrangler.toml")).toContain(`[env.production]${after.trimEnd()}`);
  expect(parseEnv(read(".dev.vars.staging")).SSEC_K1).not.toBe(production.SSEC_K1);
});

test("what comes between leaves both files as they were", { timeout: 60_000 }, async () => {
  const before = read("wrangler.toml");
  mkdirSync(join(dir, ".dev.vars"));
  expect(await init(COREWEAVE)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("is no plain file"),
  });
  rmdirSync(join(dir, ".dev.vars"));
  // What is behind a link is edited, and the link stays.
  renameSync(config, join(dir, "real.toml"));
  symlinkSync("real.toml", config);
  expect((await init(COREWEAVE)).status).toBe(0);
  expect(lstatSync(config).isSymbolicLink()).toBe(true);
  expect(read("real.toml")).not.toBe(before);
  expect(readdirSync(dir).sort()).toEqual([".dev.vars", "real.toml", "wrangler.toml"]);
});

describe("of a store that may take headers which nobody signed", () => {
  const ceph = (endpoint: string) =>
    init(["init", "--store", "ceph", "--endpoint", endpoint, "--bucket", "media", "--yes"], {
      CEPH_ACCESS_KEY_ID: store.accessKeyId,
      CEPH_SECRET_ACCESS_KEY: store.secretAccessKey,
    });

  test.skipIf(isCeph)(
    "nothing is presigned, unless it was seen to be strict",
    { timeout: 120_000 },
    async () => {
      const proxy = await startFaultProxy(store.url);
      onTestFinished(() => proxy.close());
      const example = read("wrangler.toml");
      const strict = await ceph(proxy.url);
      expect(strict.stdout).toContain("the store was seen to refuse headers that nobody signed");
      expect(read("wrangler.toml")).not.toContain("presignedUploads");

      proxy.break(takingAdded(store));
      writeFileSync(config, example);
      const lax = await ceph(proxy.url);
      expect(lax.stdout).toContain(
        "presignedUploads = false: the store was seen to take headers that nobody signed",
      );
      expect(read("wrangler.toml")).toMatch(
        /^# It takes x-amz-\* headers that nobody signed.*\npresignedUploads = false$/m,
      );
    },
  );

  test("which is not there, nothing is presigned until it is tried", { timeout: 120_000 }, async () => {
    const { stdout } = await ceph("http://127.0.0.1:9");
    expect(stdout).toMatch(/presignedUploads = false: there are versions of Ceph .* it does not answer/);
    expect(read("wrangler.toml")).toContain("\npresignedUploads = false\n");
  });
});

test("a first upload proves what was set up, and is removed", async () => {
  const Bucket = `init-${randomBytes(4).toString("hex")}`;
  await s3.send(new CreateBucketCommand({ Bucket }));
  const args = ["init", "--store", "minio", "--endpoint", store.url, "--bucket", Bucket, "--yes", "--derive"];
  const env = { MINIO_ACCESS_KEY_ID: store.accessKeyId, MINIO_SECRET_ACCESS_KEY: store.secretAccessKey };
  const { status, stdout } = await init([...args, "--first-upload"], env);
  expect(stdout).toMatch(
    RegExp(`^✓ a first upload to ${Bucket} went up under k1 and came back; without the key .* refuses`, "m"),
  );
  expect(status).toBe(0);
  expect((await s3.send(new ListObjectsV2Command({ Bucket }))).Contents).toBeUndefined();
  // The command that reads the token does.
  const reading = /export SSEC_TOKEN="\$\((.*)\)"/.exec(stdout)?.[1] ?? "";
  expect(execFileSync("bash", ["-c", reading], { encoding: "utf8" })).toBe(`${devVars().APP_TOKEN}\n`);

  writeFileSync(join(dir, ".dev.vars"), read(".dev.vars").replace(store.secretAccessKey, "another"));
  const refused = await init([...args, "--first-upload"], env);
  expect(refused.stdout).toMatch(/^✗ the first upload to .*: the store refuses it \(403/m);
  expect(refused.status).toBe(1);
});

test("the example gives way only as long as it is the example", { timeout: 60_000 }, async () => {
  writeFileSync(config, read("wrangler.toml").replace('prefix = ""', 'prefix = "acme/"'));
  await init([...COREWEAVE.slice(0, -2), "other", "--yes"]);
  const text = read("wrangler.toml").split("[env.production]")[0];
  expect(text).toContain('name = "acme-media"');
  expect(text).toContain("[vars.CALLERS.acme]");
  expect(text).toContain("[vars.CALLERS.other]");
  expect(text?.match(/^\[vars\.KEYS/gm)).toHaveLength(1);
});

test("what cannot be done is said, and changes nothing", { timeout: 60_000 }, async () => {
  const before = read("wrangler.toml");
  const refused = async (args: string[], status: number, message: string | RegExp, env = CREDENTIALS) => {
    const run = await init(args, env);
    expect(run).toMatchObject({ status, stderr: expect.stringMatching(message) });
    expect(readdirSync(dir)).toEqual(["wrangler.toml"]);
    return run;
  };
  await refused(["init", "--yes"], 2, /say which store it is: --store/);
  await refused(["init", "--store", "gcs", "--yes"], 2, /Allowed choices are coreweave, aws, r2/);
  await refused(
    ["init", "--store", "ceph", "--yes"],
    2,
    /--endpoint must not be empty\n--bucket must not be empty/,
  );
  await refused(
    ["init", "--store", "coreweave", "--bucket", "A", "--yes"],
    2,
    /--bucket cannot be addressed as a host/,
  );
  await refused([...COREWEAVE, "--origin", "https://a.example/"], 2, /--origin must be an origin/);
  await refused(COREWEAVE.slice(0, -1), 1, /nobody is here to be asked: give --yes/);
  await refused(COREWEAVE, 1, /CW_ACCESS_KEY_ID holds what .dev.vars cannot carry/, {
    ...CREDENTIALS,
    CW_ACCESS_KEY_ID: 'a"b',
  });
  expect(read("wrangler.toml")).toBe(before);
  // What a person wrote in a way that is not understood here is left to that person, with the tables to put in.
  const inline = 'name = "x"\nvars = { KEYS = { k1 = { secret = "K" } } }\n';
  writeFileSync(config, inline);
  await refused(COREWEAVE, 1, /Put this in by hand:\n\n\[vars\.STORES\.coreweave\]/);
  expect(read("wrangler.toml")).toBe(inline);
});

/** Up to the question that is named, with the answers that a person would give. */
const DIALOGUE = [
  ["Where are the objects?", ENTER],
  ["Region", ENTER],
  ["Bucket", `A${ENTER}`],
  ["cannot be addressed as a host name", `\u007facme-photos${ENTER}`],
  ["first caller", ENTER],
  ["begin with", `users/${ENTER}`],
  ["Origins", `https://a.example, https://b.example${ENTER}`],
  ["Give every object a key of its own?", ENTER],
  ["CW_ACCESS_KEY_ID", `CWEXAMPLE${ENTER}`],
  ["CW_SECRET_ACCESS_KEY", `made/for+this${ENTER}`],
  ["Write this?", "y"],
] as const;

async function talk(terminal: Terminal, until?: string): Promise<void> {
  for (const [question, keys] of DIALOGUE) {
    if (question === until) return terminal.answer(question, CTRL_C);
    await terminal.answer(question, keys);
  }
}

test.skipIf(isSkipped(SCRIPT))("a person at a terminal is asked", { timeout: 120_000 }, async () => {
  const terminal = openTerminal(["src/cli/ssec.ts", "--config", config, "init"]);
  await talk(terminal);
  await terminal.answer("Try a first upload?", "n");
  expect(await terminal.ended()).toBe(0);
  expect(terminal.screen).toContain("✓ KEYS.k1 is a key, a root, active");
  expect(terminal.screen).toContain("replaced: STORES.coreweave");
  expect(terminal.screen).not.toContain("made/for+this");
  expect(devVars()).toMatchObject(CREDENTIALS);
  const text = read("wrangler.toml");
  expect(text).toContain('ALLOWED_ORIGINS = ["https://a.example", "https://b.example"]');
  expect(text).toContain('[vars.CALLERS.app]\ntoken = "APP_TOKEN"');
  expect(text).toContain('prefix = "users/"');
});

test.skipIf(isSkipped(SCRIPT))(
  "questions are seen where standard output is a file",
  { tags: ["thorough"], timeout: 60_000 },
  async () => {
    const args = JSON.stringify(["src/cli/ssec.ts", "--config", config, "init"]);
    const log = JSON.stringify(join(dir, "log"));
    const stdio = `["inherit", require("fs").openSync(${log}, "w"), "inherit"]`;
    const run = `require("child_process").spawnSync(process.execPath, ${args}, { stdio: ${stdio} })`;
    const terminal = openTerminal(["--eval", run]);
    await terminal.answer("Where are the objects?", CTRL_C);
    await terminal.ended();
    expect(read("log")).toBe("");
  },
);

test.skipIf(isSkipped(SCRIPT))(
  "another store asks for its endpoint",
  { tags: ["thorough"], timeout: 120_000 },
  async () => {
    const terminal = openTerminal([
      "src/cli/ssec.ts",
      "--config",
      config,
      "init",
      "--bucket",
      "media",
      "--caller",
      "me",
    ]);
    await terminal.answer("Where are the objects?", `${DOWN}${DOWN}${ENTER}`);
    await terminal.answer("Region", ENTER);
    await terminal.answer("Its endpoint", `https://abc.r2.cloudflarestorage.com${ENTER}`);
    await terminal.answer("begin with", ENTER);
    await terminal.answer("Origins", ENTER);
    await terminal.answer("Give every object a key of its own?", "n");
    await terminal.answer("R2_ACCESS_KEY_ID", ENTER);
    await terminal.answer("R2_SECRET_ACCESS_KEY", ENTER);
    await terminal.answer("Write this?", "y");
    await terminal.answer("Try a first upload?", "n");
    // The credentials are to come: the check says so.
    expect(await terminal.ended()).toBe(1);
    expect(terminal.screen).toContain("✗ secret R2_ACCESS_KEY_ID is not bound");
    expect(read("wrangler.toml")).toContain(
      'endpoint = "https://abc.r2.cloudflarestorage.com"\nregion = "auto"',
    );
  },
);

test
  .skipIf(isSkipped(SCRIPT))
  .each(["Where are the objects?", "Bucket", "CW_SECRET_ACCESS_KEY", "Write this?"])(
  "Ctrl-C at %j changes nothing",
  { tags: ["thorough"], timeout: 120_000 },
  async (question) => {
    const before = read("wrangler.toml");
    const terminal = openTerminal(["src/cli/ssec.ts", "--config", config, "init"]);
    await talk(terminal, question);
    expect(await terminal.ended()).toBe(1);
    expect(terminal.screen).toContain("nothing was changed");
    expect(read("wrangler.toml")).toBe(before);
    expect(existsSync(join(dir, ".dev.vars"))).toBe(false);
    expect(readdirSync(dir)).toEqual(["wrangler.toml"]);
  },
);
