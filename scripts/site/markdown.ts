/** Markdown as GitHub shows it: headings with the same anchors, links between files, now between pages. */
import { posix } from "node:path";
import GithubSlugger from "github-slugger";
import { PAGES } from "./pages.ts";

/** Where a file is looked at that is no page. */
const REPOSITORY = "https://github.com/ssec-edge/ssec-edge/blob/main/";

/** Of markdown-it's, what is used. */
export interface MarkdownIt {
  core: { ruler: { push(name: string, rule: (state: State) => void): void } };
}

interface State {
  readonly tokens: readonly Token[];
  readonly env: PageData;
}

/** Of what Eleventy knows of a page, what is used. */
export interface PageData {
  /** Of a page that is no file in the folder of the others. */
  readonly path?: string;
  readonly page: { readonly inputPath: string };
}

interface Token {
  readonly type: string;
  readonly content: string;
  readonly children: readonly Token[] | null;
  attrGet(name: string): string | null;
  attrSet(name: string, value: string): void;
}

/** @param pathOf a page's file, from the root */
export function asGitHub(markdown: MarkdownIt, pathOf: (data: PageData) => string): void {
  markdown.core.ruler.push("github", ({ tokens, env }) => {
    const slugger = new GithubSlugger();
    for (const [i, token] of tokens.entries()) {
      if (token.type === "heading_open") token.attrSet("id", slugger.slug(shown(tokens[i + 1])));
      for (const child of token.children ?? []) {
        const attribute = { link_open: "href", image: "src" }[child.type];
        if (attribute) child.attrSet(attribute, addressOf(child.attrGet(attribute) ?? "", pathOf(env)));
      }
    }
  });
}

/** A heading's text without its marks. */
function shown(inline: Token | undefined): string {
  return (inline?.children ?? []).map(({ content }) => content).join("");
}

/** @param from the file with the link, from the root */
function addressOf(link: string, from: string): string {
  if (/^(?:[a-z]+:|#)/.test(link)) return link;
  const [file = "", ...anchor] = link.split("#");
  const path = posix.join(posix.dirname(from), file);
  const at = PAGES.get(path) ?? (/^docs\/[^/]+\.svg$/.test(path) ? posix.basename(path) : REPOSITORY + path);
  return [at, ...anchor].join("#");
}
