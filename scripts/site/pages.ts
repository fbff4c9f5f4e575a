/** Which file of the repository becomes which page. */
import { readdirSync, readFileSync } from "node:fs";

const ROOT = new URL("../..", import.meta.url);

/** Files at the root that are documentation as well. SECURITY.md would be docs/security.md's namesake. */
export const AT_ROOT = {
  "README.md": "readme.html",
  "CHANGELOG.md": "changelog.html",
  "CONTRIBUTING.md": "contributing.html",
  "SECURITY.md": "reporting.html",
};

/** Names of pages by path from the root. */
export const PAGES: ReadonlyMap<string, string> = new Map([
  ...Object.entries(AT_ROOT),
  ...readdirSync(new URL("docs", ROOT))
    .filter((name) => name.endsWith(".md"))
    .map(
      (name) => [`docs/${name}`, name === "README.md" ? "index.html" : name.replace(/md$/, "html")] as const,
    ),
]);

export function textOf(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}

export function titleOf(path: string): string {
  return /^# (.*)$/m.exec(textOf(path))?.[1] ?? path;
}
