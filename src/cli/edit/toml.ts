/** The tables of `[vars]` within a wrangler.toml; all else in it, comments included, stays as it is. */
import { TABLE_NAMES } from "../../config/tables.ts";
import { tomlHeader, tomlKey, tomlValue } from "../toml.ts";
import { type Edit, isIn, type Row } from "./edit.ts";

type Value = string | number | boolean | readonly string[];

/** A part of the text that one header begins, or that comes before the first. */
interface Section {
  readonly header: string;
  /** What the header names: `vars`, `KEYS`, `k1`. */
  readonly path: readonly string[];
  text: string;
}

/** Why a field is as it is, for whoever reads the file. */
const COMMENTS: Readonly<Record<string, string>> = {
  presignedUploads:
    "# It takes x-amz-* headers that nobody signed, or was not seen to refuse them: docs/stores.md.\n",
};

/** The text with an edit carried out, where it is laid out as people lay out such files; lines end as they did. */
export function editToml(text: string, edit: Edit, env?: string): string {
  const isOfWindows = /\r\n/.test(text) && !/(?<!\r)\n/.test(text);
  return isOfWindows
    ? editLines(text.replaceAll("\r\n", "\n"), edit, env).replaceAll("\n", "\r\n")
    : editLines(text, edit, env);
}

function editLines(text: string, edit: Edit, env?: string): string {
  const base = env ? ["env", env, "vars"] : ["vars"];
  const sections = split(text);
  const isOurs = ({ path }: Section) => TABLE_NAMES.some((table) => isIn(path, base, table));
  const dropped = sections.filter(({ path }) =>
    edit.drop?.some(({ table, id }) => isIn(path, base, table) && path[base.length + 1] === id),
  );
  for (const section of sections) {
    const [, id = ""] = section.path.slice(base.length);
    if (edit.firstKey?.buckets.includes(id) && isIn(section.path, base, "BUCKETS"))
      section.text = withFirstKey(section.text, edit.firstKey.key);
    if (edit.dropKey?.buckets.includes(id) && isIn(section.path, base, "BUCKETS"))
      section.text = withoutKey(section.text, edit.dropKey.key);
  }
  const origins = originsLine(edit);
  const plain = sections.find(({ header }) => header === tomlHeader(base));
  if (origins && plain) plain.text = withLine(plain.text, origins);
  const ours = origins && !plain ? addition(edit, env) : tables(edit, base);
  const place = dropped[0] ?? sections.findLast(isOurs);
  if (place === undefined) {
    const whole = sections.map((section) => section.text).join("");
    return ours === "" ? whole : `${whole.trimEnd()}\n\n${ours}`;
  }
  return sections
    .map((section) => {
      const rest = trailer(section.text);
      if (dropped.includes(section)) return section === place ? ours + rest : rest.trimStart();
      if (section !== place || ours === "") return section.text;
      return `${section.text.slice(0, section.text.length - rest.length)}\n${ours}${rest}`;
    })
    .join("");
}

/** What an edit adds, by itself, for whoever has to put it in by hand. */
export function addition(edit: Edit, env?: string): string {
  const base = env ? ["env", env, "vars"] : ["vars"];
  const origins = originsLine(edit);
  return `${origins ? `${tomlHeader(base)}\n${origins}\n` : ""}${tables(edit, base)}`;
}

function originsLine({ origins }: Edit): string | undefined {
  return origins && `ALLOWED_ORIGINS = ${tomlValue(origins)}\n`;
}

function withFirstKey(section: string, key: string): string {
  return section.replace(
    /^(\s*keys\s*=\s*\[)(\s*)/m,
    (_, before: string, space: string) =>
      // What stands on lines of its own may have a comment above it.
      `${before}${space.includes("\n") ? `${space}${tomlValue(key)},${space}` : `${space}${tomlValue(key)}, `}`,
  );
}

/** With the comma that went with it: the one before, or of the first the one after. */
function withoutKey(section: string, key: string): string {
  const id = key.replaceAll(".", "\\.");
  const item = `(?:"${id}"|'${id}')`;
  return section.replace(/^\s*keys\s*=\s*\[[^\]]*\]/m, (list) =>
    list.replace(new RegExp(`,[ \\t]*${item}(?=[ \\t]*\\])|${item}[ \\t]*,?[ \\t]*`), ""),
  );
}

/** What is added, as a person would write it. */
function tables({ add, addGrant }: Edit, base: readonly string[]): string {
  const table = (header: string, fields: Row) =>
    [
      header,
      ...Object.entries(fields).map(
        ([key, value]) => `${COMMENTS[key] ?? ""}${tomlKey(key)} = ${tomlValue(value as Value)}`,
      ),
      "",
    ].join("\n");
  const { STORES = {}, KEYS = {}, BUCKETS = {}, CALLERS = {} } = add;
  const rows = Object.entries({ STORES, KEYS, BUCKETS }).flatMap(([name, entries]) =>
    Object.entries(entries).map(([id, fields]) => table(tomlHeader([...base, name, id]), fields)),
  );
  const grantOf = (id: string, grant: Row) =>
    table(`[${tomlHeader([...base, "CALLERS", id, "grants"])}]`, grant);
  const callers = Object.entries(CALLERS).map(
    ([id, { grants, ...fields }]) =>
      table(tomlHeader([...base, "CALLERS", id]), fields) +
      (grants as Row[]).map((grant) => grantOf(id, grant)).join(""),
  );
  return [...rows, ...callers, ...(addGrant ? [grantOf(addGrant.caller, addGrant.grant)] : [])].join("\n");
}

function split(text: string): Section[] {
  const sections: Section[] = [{ header: "", path: [], text: "" }];
  for (const line of text.split(/(?<=\n)/)) {
    if (/^\s*\[/.test(line)) {
      const header = line.replace(/#.*/, "").trim();
      sections.push({ header, path: keysIn(header), text: "" });
    }
    const last = sections.at(-1);
    if (last) last.text += line;
  }
  return sections;
}

/** The keys of a header, of which each may be bare or in quotes. */
function keysIn(header: string): string[] {
  const keys = header.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+)/g);
  return [...keys].map(([, basic, literal, bare]) => basic ?? literal ?? bare ?? "");
}

/** Blank lines and comments at a section's end belong to what comes after it. */
function trailer(section: string): string {
  return /(?<=^|\n)(?:[ \t]*(?:#.*)?\n)*$/.exec(section.slice(section.indexOf("\n") + 1))?.[0] ?? "";
}

function withLine(section: string, line: string): string {
  const old = /^\s*ALLOWED_ORIGINS\s*=.*\n/m;
  return old.test(section) ? section.replace(old, () => line) : section.replace(/\n|$/, () => `\n${line}`);
}
