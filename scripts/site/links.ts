/** Links of a built site that lead nowhere. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Each broken link, and each name that two headings of a page have, in a line that says where it is. */
export function broken(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".html"));
  const pages = new Map(names.map((name) => [name, readFileSync(join(folder, name), "utf8")] as const));
  const anchors = new Map([...pages].map(([name, html]) => [name, values(html, "id")] as const));
  return [...pages].flatMap(([name, html]) => {
    const own = anchors.get(name) ?? [];
    const twice = own.filter((id, i) => own.indexOf(id) !== i).map((id) => `${name}: two are called ${id}`);
    const lost = [...values(html, "href"), ...values(html, "src")].filter((link) => {
      if (/^(?:https?|mailto):/.test(link)) return false;
      const [file = "", anchor] = link.split("#", 2).map(decodeURIComponent);
      const page = file === "" ? name : file;
      if (!existsSync(join(folder, page))) return true;
      return anchor !== undefined && !anchors.get(page)?.includes(anchor);
    });
    return [...twice, ...lost.map((link) => `${name}: ${link} leads nowhere`)];
  });
}

/** An attribute's values within tags: what code shows has no bare angle brackets. */
function values(html: string, attribute: string): string[] {
  const tags = html.match(/<[a-z][^<>]*>/gi) ?? [];
  return tags.flatMap((tag) =>
    Array.from(tag.matchAll(new RegExp(`\\s${attribute}="([^"]*)"`, "g")), ([, value = ""]) =>
      value.replaceAll("&amp;", "&"),
    ),
  );
}
