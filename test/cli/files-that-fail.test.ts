/** A file or folder that is not as a command needs it: what is wrong is said in words, and never by a stack trace. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { fileFault } from "../../src/cli/file-fault.ts";
import { Memory } from "../../src/cli/transfer/memory.ts";
import { partFault } from "../../src/cli/transfer/partial-file.ts";
import { runHere } from "../support/ssec.ts";

const dir = mkdtempSync(join(tmpdir(), "ssec-faults-"));
afterAll(() => rmSync(dir, { recursive: true }));
const path = (name: string) => join(dir, name);
const write = (name: string, text: string | Buffer) => writeFileSync(path(name), text);

write("broken.toml", 'name = "x"\n[vars\nA = 1\n');
write("twice.toml", 'name = "x"\nname = "y"\n');
write("broken.json", '{\n  "name": "x",\n  "vars" {}\n}');
write("list.json", "[]");
write("latin1.toml", Buffer.from('name = "\xfc"', "latin1"));
write("text.toml.txt", "");
write("vars.toml", "vars = 1");
write("env.toml", "[env.production]");
mkdirSync(path("folder.toml"));
mkdirSync(path("closed"));
write("closed/wrangler.toml", "");
chmodSync(path("closed/wrangler.toml"), 0o000);
mkdirSync(path("secrets/.dev.vars"), { recursive: true });
write(
  "secrets/wrangler.toml",
  `[vars.STORES.main]
endpoint = "https://s3.example.com"
region = "r"
accessKeyId = "ID"
secretAccessKey = "SECRET"
[vars.KEYS.root]
secret = "ROOT"
derive = true
[vars.BUCKETS.media]
store = "main"
keys = ["root"]
`,
);

/** Every command that reads the configuration. */
const READERS = [
  ["check"],
  ["derive", "root", "media", "x"],
  ["policy", "media"],
  ["cors", "media", "--origin", "https://app.example.com"],
  ["add", "key", "k2"],
  ["add", "bucket", "b"],
  ["add", "caller", "c"],
  ["init", "--store", "aws", "--bucket", "media", "--yes"],
] as const;

const isRoot = process.getuid?.() === 0;

/** Configurations, and what is said of each. */
const CONFIGURATIONS: readonly (readonly [string, RegExp])[] = [
  ["none/wrangler.toml", /there is no .*none\/wrangler\.toml: .*--config/],
  ["text.toml.txt/wrangler.toml", /there is no .*text\.toml\.txt\/wrangler\.toml: .*--config/],
  ["folder.toml", /folder\.toml is a folder, not a file/],
  ...(isRoot ? [] : [["closed/wrangler.toml", /wrangler\.toml is not open to you: .*chmod/] as const]),
  ["broken.toml", /broken\.toml is no TOML: line 2, column \d+: \S/],
  ["twice.toml", /twice\.toml is no TOML: line 2, column \d+: \S/],
  ["broken.json", /broken\.json is no JSON: line 3, column 10: ColonExpected/],
  ["list.json", /list\.json is no object of settings/],
  ["latin1.toml", /latin1\.toml is not UTF-8 text: save it as that/],
  ["vars.toml", /vars\.toml: vars is no table/],
];

async function expectWords(args: readonly string[], reason: RegExp): Promise<void> {
  const { status, stdout, stderr } = await runHere(args, { SSEC_TOKEN: "a-token-for-nobody" });
  expect({ args, status, stdout }).toEqual({ args, status: 1, stdout: "" });
  expect(stderr).toMatch(/^ssec: /m);
  expect(stderr).toMatch(reason);
  expect(stderr).not.toMatch(/^\s+at |\bE[A-Z]{4,}\b|no such file or|illegal operation/m);
}

test.for(
  READERS.flatMap((reader) => CONFIGURATIONS.map((each) => [reader, ...each] as const)),
)("%j with %s", async ([reader, config, reason]) => {
  await expectWords(["--config", path(config), ...reader], reason);
});

// init makes it.
test.for(
  READERS.filter(([name]) => name !== "init"),
)("%j of an environment that is not there", async (reader) => {
  await expectWords(
    ["--config", path("env.toml"), "--env", "prod", ...reader],
    /env\.toml has no environment "prod": \[env\.prod\] \(have: production\)/,
  );
});

test.for([
  ...READERS.slice(0, 2),
  ["add", "key", "k2"],
])("%j with secrets that cannot be read", async (reader) => {
  await expectWords(
    ["--config", path("secrets/wrangler.toml"), ...reader],
    /\.dev\.vars is (a folder, not a file|no plain file)/,
  );
});

test.for([
  [["put", "none.jpg", "media/"], /none\.jpg/],
  [["put", "folder.toml", "media/"], /folder\.toml is a folder: give -r/],
  [["keygen", "--out", "none/k.key"], /there is no folder for .*none\/k\.key/],
  [["keygen", "--out", "folder.toml"], /folder\.toml is there already/],
  [["put", "", "media/"], /a path that is empty: there is no such file/],
  [["get", "media/x", ""], /the path of the file is empty/],
  [["store", "--port", "0", "--data", "env.toml"], /--data .*env\.toml is a file: name a folder/],
] as const)("%j", async ([args, reason]) => {
  await expectWords(
    args.map((word) => (/\.(jpg|toml|key)$/.test(word) ? path(word) : word)),
    reason,
  );
});

test("of what may not be made, the folder is named", () => {
  const error = Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
  expect(fileFault(error, path("new/deep/file"))).toMatch(new RegExp(`^${dir} is not open to you`));
  expect(fileFault(error, path("env.toml"))).toMatch(new RegExp(`^${path("env.toml")} is not open to you`));
});

test.for([
  ["ENOENT", "there is no folder for to/cat.jpg"],
  ["ENOSPC", /^there is no room left for .*to\/cat\.jpg$/],
  ["ECONNRESET", undefined],
] as const)("%s of a file that is not whole yet is told of the one that it becomes", ([code, reason]) => {
  const error = Object.assign(new Error("write"), { code });
  for (const each of [error, { ...error, code, path: "to/.cat.jpg.0123.ssec-part" }]) {
    const said = partFault(each, "to/cat.jpg")?.message;
    if (reason === undefined) expect(said).toBe(undefined);
    else expect(said).toMatch(reason);
  }
  expect(partFault({ ...error, code, path: "elsewhere" }, "to/cat.jpg")).toBe(undefined);
});

test("a folder for what is remembered that cannot be had is named, and how another is", async () => {
  vi.stubEnv("XDG_STATE_HOME", path("env.toml"));
  await expect(new Memory("x").alone(async () => {})).rejects.toMatchObject({
    message: expect.stringContaining(path("env.toml")),
    hint: expect.stringContaining("XDG_STATE_HOME"),
  });
});

test("a transfer is not under way because a killed one had this process's number", async () => {
  vi.stubEnv("XDG_STATE_HOME", dir);
  const memory = new Memory("y");
  mkdirSync(path("ssec-edge/transfers"), { recursive: true });
  write(`ssec-edge/transfers/${memory.id}.process`, String(process.pid));
  expect(await memory.alone(async () => "done")).toBe("done");
  await memory.alone(async () => {
    await expect(new Memory("y").alone(async () => {})).rejects.toThrow("under way already");
  });
});
