/** What the documentation says to run, so that it is run as it stands. */
import { readFileSync } from "node:fs";

/** The code blocks of a language in a page. */
export function codeBlocks(page: string, language: string): string[] {
  const blocks = readFileSync(page, "utf8").matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"));
  return [...blocks].map(([, block = ""]) => block);
}
