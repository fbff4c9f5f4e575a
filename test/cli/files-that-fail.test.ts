/** A file or folder that is not as a command needs it: what is wrong is said in words, and never by a stack trace. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
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
  [["store", "--port", "0", "--data", "env.toml"], /--data .*env\.toml is a file: name a folder/],
] as const)("%j", async ([args, reason]) => {
  await expectWords(
    args.map((word) => (/\.(jpg|toml|key)$/.test(word) ? path(word) : word)),
    reason,
  );
});
