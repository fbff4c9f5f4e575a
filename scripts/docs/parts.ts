/** Parts of a page that a script writes, between comments that name them; the rest of the page is written by hand. */

const begin = (name: string) => `<!-- ${name}: written by npm run docs -->`;
const END = "<!-- end -->";

/**
 * The page with its parts replaced.
 *
 * @param parts Markdown by the part's name
 * @throws when the page does not have exactly these parts
 */
export function withParts(page: string, parts: Readonly<Record<string, string>>): string {
  const found = [...page.matchAll(/<!-- ([\w-]+): written by npm run docs -->/g)].map(([, name]) => name);
  const wanted = Object.keys(parts);
  if (found.join() !== wanted.join())
    throw new Error(`the page has the parts ${found.join(", ") || "none"}, not ${wanted.join(", ")}`);
  return wanted.reduce((text, name) => replacePart(text, name, parts[name] ?? ""), page);
}

function replacePart(page: string, name: string, part: string): string {
  const [before = "", rest = ""] = page.split(begin(name));
  const end = rest.indexOf(END);
  if (end < 0) throw new Error(`the part ${name} has no ${END}`);
  return `${before}${begin(name)}\n\n${part}\n\n${rest.slice(end)}`;
}

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
