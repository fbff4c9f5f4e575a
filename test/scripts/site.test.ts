/** The documentation as a site: every page is there, and nothing leads nowhere or elsewhere by itself. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { broken } from "../../scripts/site/links.ts";
import { buildSite } from "../../scripts/site.ts";

const folder = mkdtempSync(join(tmpdir(), "ssec-site-"));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => buildSite(folder));
const html = (name: string) => readFileSync(join(folder, name), "utf8");

test("every page of docs/ is a page, and the index leads to it", () => {
  const index = html("index.html");
  for (const file of readdirSync("docs").filter((name) => name.endsWith(".md") && name !== "README.md")) {
    const page = file.replace(/md$/, "html");
    expect(index).toContain(`href="${page}"`);
    expect(html(page)).toMatch(/<h1 id="[^"]+">[\s\S]*<\/main>/);
  }
});

test("no link, anchor or picture leads nowhere", () => {
  expect(broken(folder)).toEqual([]);
  expect(html("api.html")).toContain('href="transfers.html#multipart"');
  expect(html("architecture.html")).toContain(
    'href="https://github.com/ssec-edge/ssec-edge/blob/main/src/http/"',
  );
});

test("pages load nothing from elsewhere, and run nothing", () => {
  for (const name of readdirSync(folder).filter((name) => name.endsWith(".html"))) {
    expect(html(name).match(/\ssrc="(?!\w[\w.-]*")[^"]*"/g) ?? [], name).toEqual([]);
    expect(html(name), name).not.toMatch(/<script|<iframe|<style/i);
  }
});

test("what leads nowhere is found", () => {
  const bad =
    '<h2 id="a"></h2><h2 id="a"></h2><a href="nothing.html"></a><a href="#b"></a><img src="no.svg">';
  writeFileSync(join(folder, "bad.html"), `${bad}<a href="keys.html#nothing"></a><a href="keys.html"></a>`);
  expect(broken(folder)).toEqual([
    "bad.html: two are called a",
    "bad.html: nothing.html leads nowhere",
    "bad.html: #b leads nowhere",
    "bad.html: keys.html#nothing leads nowhere",
    "bad.html: no.svg leads nowhere",
  ]);
});
