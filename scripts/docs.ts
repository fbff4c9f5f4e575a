/** `npm run docs`: writes what the documentation takes from the code. `--check` only says what is not current, exit 1. */
import { readFileSync, writeFileSync } from "node:fs";
import { operationsTable, problemsTable } from "./docs/api.ts";
import { architecturePage, architecturePicture } from "./docs/architecture.ts";
import { withParts } from "./docs/parts.ts";
import { scalePage } from "./scale.ts";

export interface Page {
  /** From the root. */
  readonly path: string;
  readonly is: string;
  readonly shouldBe: string;
}

/** Every page that has something written by this script, as it is and as it should be. */
export async function pages(): Promise<Page[]> {
  const api = read("docs/api.md");
  const architecture = read("docs/architecture.md");
  const scale = read("docs/scale.md");
  return [
    {
      path: "docs/api.md",
      is: api,
      shouldBe: withParts(api, { operations: operationsTable(), problems: problemsTable() }),
    },
    {
      path: "docs/architecture.md",
      is: architecture,
      shouldBe: withParts(architecture, architecturePage()),
    },
    {
      path: "docs/architecture.svg",
      is: read("docs/architecture.svg"),
      shouldBe: await architecturePicture(),
    },
    { path: "docs/scale.md", is: scale, shouldBe: withParts(scale, await scalePage()) },
  ];
}

function read(path: string): string {
  return readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
}

if (import.meta.main) {
  const stale = (await pages()).filter(({ is, shouldBe }) => is !== shouldBe);
  if (process.argv.includes("--check")) {
    for (const { path } of stale) console.error(`${path} is not current: npm run docs`);
    if (stale.length > 0) process.exitCode = 1;
  } else {
    for (const { path, shouldBe } of stale) {
      writeFileSync(new URL(`../${path}`, import.meta.url), shouldBe);
      console.log(`${path} is written`);
    }
  }
}
