/** The documentation is what the code says, and leads nowhere that is not there. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { posix } from "node:path";
import { expect, test } from "vitest";
import { pages } from "../../scripts/docs.ts";
import { PRICES } from "../../src/cli/rotate/prices.ts";
import { FIELDS } from "../../src/s3/api/fields.ts";
import { OPERATION_NAMES } from "../../src/s3/api/operations.ts";

test("what npm run docs writes is current", { tags: ["thorough"] }, async () => {
  for (const { path, is, shouldBe } of await pages()) expect(is, `${path}: npm run docs`).toBe(shouldBe);
});

test("the prices that a dry run estimates with are those of docs/costs.md", () => {
  const page = readFileSync("docs/costs.md", "utf8");
  const price = (meter: string) =>
    Number(new RegExp(`^\\| ${meter} .*\\$([\\d.]+) a million`, "m").exec(page)?.[1]);
  const { requests, cpu, queue, rows } = PRICES;
  expect({ requests, cpu, queue, rows }).toEqual({
    requests: price("requests to the Worker"),
    cpu: price("CPU time"),
    queue: price("Queues, operations"),
    rows: price("D1, rows written"),
  });
});

test("every operation and every field is documented", () => {
  const [, section = ""] = readFileSync("docs/api.md", "utf8").split(/^## POST \/v1\/presign(?:\/batch)?$/m);
  const words = new Set(section.match(/\w+/g));
  expect([...OPERATION_NAMES, ...Object.keys(FIELDS)].filter((name) => !words.has(name))).toEqual([]);
});

const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  encoding: "utf8",
});
const markdown = tracked.split("\n").filter((path) => path.endsWith(".md") && existsSync(path));

test.for(markdown)("every link of %s leads to a file, and to a heading of it", (page) => {
  const links = [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
  expect(links.filter((link) => !leadsSomewhere(page, link))).toEqual([]);
});

test("a link that leads nowhere is found", () => {
  for (const link of ["nothing.md", "docs/api.md#nothing", "#nothing"])
    expect(leadsSomewhere("README.md", link), link).toBe(false);
});

function leadsSomewhere(page: string, link: string): boolean {
  if (/^[a-z]+:/.test(link)) return true;
  const [file = "", anchor] = link.split("#");
  const path = file === "" ? page : posix.join(posix.dirname(page), decodeURIComponent(file));
  if (!existsSync(path)) return false;
  return anchor === undefined || (statSync(path).isFile() && anchorsOf(path).has(anchor));
}

/** Without code, in which a link is none. */
function prose(page: string): string {
  return readFileSync(page, "utf8")
    .replace(/^```.*?^```$/gms, "")
    .replace(/`[^`\n]*`/g, "`");
}

/** As GitHub makes them of headings: lower case, hyphens for spaces, no punctuation, a number where it repeats. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  const text = readFileSync(page, "utf8").replace(/^```.*?^```$/gms, "");
  for (const [, heading = ""] of text.matchAll(/^#{1,6} (.*)$/gm)) {
    const anchor = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-");
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count++) unique = `${anchor}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}
