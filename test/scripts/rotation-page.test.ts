/** docs/rotation.md: what it has a reader paste is configuration that loads, and commands that there are. */
import { parse } from "smol-toml";
import { expect, test } from "vitest";
import { programFor } from "../../src/cli/program.ts";
import { loadConfig } from "../../src/config/load.ts";
import { writer } from "../../src/keys/ring.ts";
import { codeBlocks } from "../support/documented.ts";

const PAGE = "docs/rotation.md";
/** What stands in the file before. */
const BEFORE = `
[vars.STORES.coreweave]
endpoint = "https://cwobject.com"
region = "US-EAST-04A"
accessKeyId = "CW_ACCESS_KEY_ID"
secretAccessKey = "CW_SECRET_ACCESS_KEY"
[vars.KEYS.k1]
secret = "SSEC_K1"
`;
const SECOND_KEY = `
[vars.KEYS.k2]
secret = "SSEC_K2"
`;

test("the key that is bound writes nothing, until it is put first", () => {
  const [bound = "", first = ""] = codeBlocks(PAGE, "toml");
  const writers = [BEFORE + bound, BEFORE + SECOND_KEY + first].map((text) => {
    const { vars } = parse(text) as { vars: Record<string, unknown> };
    const media = loadConfig(vars).buckets.get("media");
    return { writes: writer(media?.keys ?? [], Date.now())?.id, all: media?.keys.length };
  });
  expect(writers).toEqual([
    { writes: "k1", all: 2 },
    { writes: "k2", all: 2 },
  ]);
});

test("every command of ssec is one, with options that it has", async () => {
  const lines = codeBlocks(PAGE, "sh").flatMap((block) => block.split("\n"));
  const commands = lines.map((line) => /^ssec ([^|#]+)/.exec(line)?.[1]?.trim().split(/\s+/) ?? []);
  const asked = commands.filter((words) => words.length > 0);
  expect(asked.length).toBeGreaterThan(5);
  for (const [name = "", ...words] of asked) {
    const program = await programFor([name]);
    let command = program.commands.find((each) => each.name() === name);
    expect(command, name).toBeDefined();
    for (const word of words) {
      command = command?.commands.find((each) => each.name() === word) ?? command;
      if (!word.startsWith("--")) continue;
      const options = command?.options.map(({ long }) => long);
      expect(options, `${name} ${word}`).toContain(word);
    }
  }
});
