/** What a command loads before it does anything: no more than it needs, since everybody waits for that. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { run } from "../support/run.ts";

const dir = mkdtempSync(join(tmpdir(), "ssec-loading-"));
afterAll(() => rmSync(dir, { recursive: true }));

const config = join(dir, "wrangler.toml");
writeFileSync(
  config,
  `name = "x"
[vars.STORES.main]
endpoint = "http://127.0.0.1:9"
region = "r"
addressing = "path"
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
writeFileSync(join(dir, ".dev.vars"), `ID=a\nSECRET=b\nROOT=${Buffer.alloc(32, 1).toString("base64")}\n`);

let runs = 0;

/** The packages, and the modules of our own, that a command line loads. */
async function loadedBy(args: readonly string[]): Promise<{ packages: string[]; own: string[] }> {
  const file = join(dir, `loaded-${++runs}`);
  await run(
    ["--import", "./test/support/record-modules.ts", "src/cli/ssec.ts", "--config", config, ...args],
    {
      LOADED_MODULES: file,
      SSEC_TOKEN: "",
    },
  );
  const urls = readFileSync(file, "utf8").trimEnd().split("\n");
  const packages = urls.flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []);
  const own = urls.flatMap((url) => /\/src\/cli\/(.*)$/.exec(url)?.[1] ?? []);
  return { packages: [...new Set(packages)].sort(), own };
}

const PARSERS = ["jsonc-parser", "smol-toml"];
const CONFIGURED = ["commander", ...PARSERS, "valibot"].sort();

type Loading = readonly [line: readonly string[], packages: readonly string[]];
const QUICK: readonly Loading[] = [
  [["--version"], ["commander"]],
  [
    ["ls", "media"],
    ["commander", "valibot"],
  ],
  [["check"], CONFIGURED],
];
const OTHERS: readonly Loading[] = [
  [["--help"], ["commander"]],
  [["help"], ["commander"]],
  [["nosuch"], ["commander"]],
  [
    ["head", "media/x"],
    ["commander", "valibot"],
  ],
  [
    ["rm", "media/x"],
    ["commander", "valibot"],
  ],
  [["audit"], ["commander"]],
  [["rotate", "media"], ["commander"]],
  [["keygen"], ["commander", "valibot"]],
  [["derive", "root", "media", "x"], CONFIGURED],
  [["policy", "media"], CONFIGURED],
  [["cors", "media", "--origin", "https://app.example.com"], CONFIGURED],
];

async function expectLoaded([args, expected]: Loading): Promise<void> {
  const { packages } = await loadedBy(args);
  expect(packages).toEqual(expected);
}

test.for(QUICK)("%s loads %s", expectLoaded);
test.concurrent.for(OTHERS)("%s loads %s", { tags: ["thorough"] }, expectLoaded);

async function expectLight(name: string): Promise<void> {
  const { packages, own } = await loadedBy([name, "--help"]);
  const heavy = /^(@aws-sdk|@smithy|wrangler|@clack|@bomb\.sh)/;
  expect(packages.filter((each) => heavy.test(each))).toEqual([]);
  expect(own.filter((each) => each.startsWith("commands/"))).toEqual([`commands/${name}.ts`]);
}

const LIGHT = "the help of %s loads no other command, no SDK, no wrangler and nothing that asks questions";
test.for(["put"])(LIGHT, expectLight);
// With those above, every command.
test.concurrent.for(["init", "add", "get", "cp", "rotate", "keys"])(
  LIGHT,
  { tags: ["thorough"] },
  expectLight,
);
