/** `ssec add`: one more bucket, key or caller, and nothing else is another. */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readWranglerConfig } from "../../src/cli/wrangler-config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { decodeCustomerKey } from "../../src/keys/customer-key.ts";
import { runHere, startSsec } from "../support/ssec.ts";
import { ENTER, openTerminal } from "../support/terminal.ts";
import { isSkipped, SCRIPT } from "../support/tools.ts";

const TOML = `# mine
name = "edge" # its name

[vars.STORES.main]
endpoint = "https://s3.example.com"
region = "r"
accessKeyId = "ID"
secretAccessKey = "SECRET"

# The first key.
[vars.KEYS.k1]
secret = "SSEC_K1"

[vars.BUCKETS.media]
store = "main"
keys = [
  # since 2025
  "k1",
]

[vars.CALLERS.app]
token = "APP_TOKEN"
[[vars.CALLERS.app.grants]]
bucket = "media"
prefix = ""
allow = ["read"]

# What follows is production's.
[env.production.vars.STORES.main]
endpoint = "https://s3.example.com"
region = "r"
accessKeyId = "ID"
secretAccessKey = "SECRET"
[env.production.vars.KEYS.k1]
secret = "SSEC_K1"
[env.production.vars.BUCKETS.media]
store = "main"
keys = ["k1"] # one
`;

const JSONC = `{
  // mine
  "name": "edge", /* its name */
  "vars": {
    "STORES": { "main": { "endpoint": "https://s3.example.com", "region": "r", "accessKeyId": "ID", "secretAccessKey": "SECRET" } },
    "KEYS": { "k1": { "secret": "SSEC_K1" } }, // the first key
    "BUCKETS": { "media": { "store": "main", "keys": [/* since 2025 */ "k1"] } },
  },
}
`;

let dir: string;
let config: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "ssec-add-"));
  config = write("wrangler.toml", TOML);
});
afterEach(() => rmSync(dir, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

const add = (...args: string[]) => runHere(["--config", config, "add", ...args]);
const devVars = (name = ".dev.vars") =>
  parseEnv(readFileSync(join(dir, name), "utf8")) as Record<string, string>;
const configured = (env?: string) => loadConfig({ ...readWranglerConfig(config, env).vars });
/** Lines of the text before that are in the one after no more. */
const lost = (before: string) => {
  const after = readFileSync(config, "utf8").split("\n");
  return before.split("\n").filter((line) => !after.includes(line));
};

test.for([
  ["wrangler.toml", TOML],
  ["wrangler.jsonc", JSONC],
] as const)("a key, a bucket and a caller come to %s, and all else stays", async ([name, text]) => {
  config = write(name, text);
  const key = await add("key", "--bucket", "media", "--derive", "--not-before", "2026-01-01");
  expect(key.stderr).toBe("");
  expect(key.status).toBe(0);
  expect((await add("bucket", "archive", "--name", "acme-archive", "--key", "k1", "k2")).status).toBe(0);
  const caller = await add("caller", "b.c", "--bucket", "archive", "--prefix", "p/", "--max-bytes", "10");
  expect(caller.status).toBe(0);

  const { buckets, keys, tokenCallers } = configured();
  expect(keys.get("k2")).toMatchObject({ id: "k2", secret: "SSEC_K2", derive: true });
  expect(buckets.get("media")?.keys.map(({ id }) => id)).toEqual(["k2", "k1"]);
  expect(buckets.get("archive")).toMatchObject({ storeBucket: "acme-archive" });
  expect(tokenCallers.find(({ name }) => name === "b.c")).toMatchObject({
    token: "B_C_TOKEN",
    grants: [expect.objectContaining({ bucket: "archive", prefix: "p/", maxBytes: 10 })],
  });
  if (name === "wrangler.toml") expect(lost(text)).toEqual([]);
  for (const comment of text.match(/#.*|\/\/ .*|\/\*.*?\*\//g) ?? [])
    expect(readFileSync(config, "utf8")).toContain(comment);

  const secrets = devVars();
  expect(decodeCustomerKey(secrets.SSEC_K2 ?? "")).toHaveLength(32);
  expect(Buffer.from(secrets.B_C_TOKEN ?? "", "base64url")).toHaveLength(32);
  expect(statSync(join(dir, ".dev.vars")).mode & 0o777).toBe(0o600);
  for (const secret of Object.values(secrets))
    for (const text of [key.stdout, caller.stdout, readFileSync(config, "utf8")])
      expect(text).not.toContain(secret);
  // The commands that are shown do what they say.
  const printing = / +(sed .*?) \| tr -d/.exec(key.stdout)?.[1] ?? "";
  expect(execFileSync("bash", ["-c", printing], { encoding: "utf8" })).toBe(`${secrets.SSEC_K2}\n`);
  expect(caller.stdout).toContain(`| tr -d '\\n' | npx wrangler secret put B_C_TOKEN --config ${config}\n`);
  expect(key.stdout).toContain("Keep a copy of SSEC_K2");
});

test("a file that ends its lines as Windows does goes on doing so", async () => {
  writeFileSync(config, TOML.replaceAll("\n", "\r\n"));
  expect((await add("key", "--bucket", "media")).status).toBe(0);
  const text = readFileSync(config, "utf8");
  expect(text.match(/(?<!\r)\n/)).toBe(null);
  expect(text).toContain('secret = "SSEC_K2"\r\n');
  expect(lost(TOML.replaceAll("\n", "\r\n"))).toEqual([]);
});

test("git is told to leave secrets alone, once", async () => {
  const ignored = () => readFileSync(join(dir, ".gitignore"), "utf8");
  // It may be a folder that git knows nothing of.
  expect((await add("key", "k2")).status).toBe(0);
  expect(existsSync(join(dir, ".gitignore"))).toBe(false);
  execFileSync("git", ["init", "--quiet"], { cwd: dir });
  expect((await add("key", "k3")).stdout).toContain("so that no secret gets into a repository");
  expect(ignored()).toBe("node_modules/\n.wrangler/\n.dev.vars*\n");
  expect((await add("key", "k4")).stdout).not.toContain(".gitignore");
  writeFileSync(join(dir, ".gitignore"), "mine");
  expect((await add("key", "k5")).status).toBe(0);
  expect(ignored()).toBe("mine\n.dev.vars*\n");
  // What git ignores by another line needs none.
  writeFileSync(join(dir, ".gitignore"), ".dev.*\n");
  expect((await add("key", "k6")).status).toBe(0);
  expect(ignored()).toBe(".dev.*\n");
});

test("the configuration of a folder is found, whatever wrangler calls it", { timeout: 60_000 }, async () => {
  renameSync(config, join(dir, "other.toml"));
  config = write("wrangler.jsonc", JSONC);
  const { status, stdout, stderr } = await startSsec(["add", "key"], {}, dir).ended;
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain("npx wrangler secret put SSEC_K2\n");
  expect(configured().keys.has("k2")).toBe(true);
  expect(existsSync(join(dir, "wrangler.toml"))).toBe(false);
});

test("an environment is meant where it is named, with secrets of its own", async () => {
  const { status, stdout } = await runHere([
    "--config",
    config,
    "--env",
    "production",
    "add",
    "key",
    "new",
    "--bucket",
    "media",
  ]);
  expect(status).toBe(0);
  expect(stdout).toContain(`npx wrangler secret put SSEC_NEW --config ${config} --env production`);
  expect(
    configured("production")
      .buckets.get("media")
      ?.keys.map(({ id }) => id),
  ).toEqual(["new", "k1"]);
  expect(readFileSync(config, "utf8")).toContain('keys = ["new", "k1"] # one');
  expect([...configured().keys.keys()]).toEqual(["k1"]);
  expect(Object.keys(devVars(".dev.vars.production"))).toEqual(["SSEC_NEW"]);
  expect(existsSync(join(dir, ".dev.vars"))).toBe(false);
});

test("users with JWTs have no token", async () => {
  const jwt = ["--issuer", "https://l.example/", "--audience", "a", "--jwks", "https://l.example/jwks"];
  expect((await add("caller", "users", "--prefix", "u/{sub}/", ...jwt)).status).toBe(0);
  expect(configured().jwtCallers.map(({ name }) => name)).toEqual(["users"]);
  expect(existsSync(join(dir, ".dev.vars"))).toBe(false);
});

test.for([
  [["key", "k1"], /KEYS\.k1 is there already/],
  [["bucket", "media"], /BUCKETS\.media is there already/],
  [["caller", "app"], /CALLERS\.app is there already/],
  [["key", "k-1"], /^ssec: .*\.dev\.vars has a SSEC_K_1 already, which may be in use/],
  [["key", "K1"], /the secret SSEC_K1 is another's already/],
  [["bucket", "b", "--store", "other"], /no "other" in STORES \(have: main\)/],
  [["bucket", "b", "--key", "k9"], /no "k9" in KEYS \(have: k1\)/],
  [["key", "k2", "--bucket", "nope"], /no "nope" in BUCKETS \(have: media\)/],
  [
    ["caller", "x", "--allow", "write", "--max-expires-in", "99999999"],
    /no valid configuration:\n {2}CALLERS\.x/,
  ],
  [["caller", "x", "--issuer", "https://l.example/"], /no valid configuration:\n {2}CALLERS\.x/],
  [["key", "k2", "--not-before", "soon"], /a date, as 2027-01-31/],
  [["caller", "x", "--allow", "everything"], /Allowed choices are read, write, delete, admin/],
  [["store", "x"], /unknown command/],
  [["caller", ""], /name must not be empty/],
  [["caller", "a\nb"], /name must not hold characters that steer/],
] as const)("%j is refused, and changes nothing", async ([args, reason]) => {
  writeFileSync(join(dir, ".dev.vars"), 'SSEC_K_1="x"\n');
  const { status, stdout, stderr } = await add(...args);
  expect({ args, stdout }).toEqual({ args, stdout: "" });
  expect(stderr).toMatch(reason);
  expect(status).toBeGreaterThan(0);
  expect(readFileSync(config, "utf8")).toBe(TOML);
  expect(Object.keys(devVars())).toEqual(["SSEC_K_1"]);
  expect(readdirSync(dir).sort()).toEqual([".dev.vars", "wrangler.toml"]);
});

test("a file that cannot be edited is left alone, and what to put in is shown", async () => {
  const inline = TOML.replace(
    /\[vars\.KEYS\.k1\]\nsecret = "SSEC_K1"/,
    'vars.KEYS = { k1 = { secret = "SSEC_K1" } }',
  );
  const text = `vars.KEYS = { k1 = { secret = "SSEC_K1" } }\n${inline.replace(/vars\.KEYS = .*\n/, "")}`;
  writeFileSync(config, text);
  const { status, stderr } = await add("key", "k2");
  expect(status).toBe(1);
  expect(stderr).toContain('Put this in by hand:\n\n[vars.KEYS.k2]\nsecret = "SSEC_K2"');
  expect(readFileSync(config, "utf8")).toBe(text);
  expect(existsSync(join(dir, ".dev.vars"))).toBe(false);
});

test("a link stays a link, and modes stay", async () => {
  renameSync(config, join(dir, "real.toml"));
  symlinkSync(join(dir, "real.toml"), config);
  expect((await add("key", "k2")).status).toBe(0);
  expect(lstatSync(config).isSymbolicLink()).toBe(true);
  expect(configured().keys.has("k2")).toBe(true);
});

test.for(["wrangler.toml", ".dev.vars"])("%s that is a link to nothing is not replaced", async (name) => {
  rmSync(join(dir, name), { force: true });
  symlinkSync("not-mounted/file", join(dir, name));
  const { status, stderr } = await add("key", "k2");
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: expect.stringMatching(/there is no|is a link to nothing/),
  });
  expect(lstatSync(join(dir, name)).isSymbolicLink()).toBe(true);
});

test.skipIf(isSkipped(SCRIPT))(
  "a terminal is asked about derived keys, and before anything is written",
  {
    timeout: 60_000,
  },
  async () => {
    const terminal = openTerminal(["src/cli/ssec.ts", "--config", config, "add", "key", "k2"]);
    await terminal.answer("Give every object a key of its own?", ENTER);
    await terminal.answer("Write this?", "y");
    expect(await terminal.ended()).toBe(0);
    expect(terminal.screen).not.toContain(devVars().SSEC_K2);
    expect(configured().keys.get("k2")?.derive).toBe(true);
  },
);
