/** `npm run docs:site`: the documentation as static pages, which the files on GitHub stay the source of. */
import { rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import Eleventy from "@11ty/eleventy";
import { openapi } from "./openapi.ts";
import { broken } from "./site/links.ts";
import { asGitHub, type PageData } from "./site/markdown.ts";
import { AT_ROOT, PAGES, textOf, titleOf } from "./site/pages.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * Builds the site.
 *
 * @param folder made anew
 */
export async function buildSite(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  const site = new Eleventy(join(ROOT, "docs"), folder, {
    quietMode: true,
    // Only what is said here counts.
    configPath: false,
    config: (eleventy) => {
      eleventy.setIncludesDirectory("../scripts/site");
      eleventy.setTemplateFormats(["md"]);
      // Those of the folder it finds by itself.
      for (const path of Object.keys(AT_ROOT))
        eleventy.addTemplate(`${nameOf(path)}.md`, textOf(path), { path });
      const pathOf = ({ path, page }: PageData) => path ?? page.inputPath.replace(/^.*\/(?=docs\/)/, "");
      eleventy.addGlobalData("layout", "page.njk");
      eleventy.addGlobalData("eleventyComputed", {
        permalink: (data: PageData) => PAGES.get(pathOf(data)) ?? false,
        title: (data: PageData) => titleOf(pathOf(data)),
      });
      // Braces in a page are its own, and no template's.
      eleventy.amendLibrary("md", (markdown) => asGitHub(markdown, pathOf));
      eleventy.addPassthroughCopy({ "scripts/site/style.css": "style.css", "docs/*.svg": "./" });
      return { markdownTemplateEngine: false };
    },
  });
  await site.write();
  writeFileSync(join(folder, "openapi.json"), JSON.stringify(openapi(), null, 2));
}

const nameOf = (path: string) => basename(PAGES.get(path) ?? "", ".html");

if (import.meta.main) {
  const folder = join(ROOT, "site");
  await buildSite(folder);
  const faults = broken(folder);
  for (const fault of faults) console.error(fault);
  console.log(`${PAGES.size} pages in ${folder}`);
  if (faults.length > 0) process.exitCode = 1;
}
