/** The tables of `[vars]` within a wrangler.toml; all else in it, comments included, stays as it is. */
import { isDeepStrictEqual } from "node:util";
import { TABLE_NAMES } from "../../config/tables.ts";
import { tomlHeader, tomlKey, tomlValue } from "../toml.ts";
import { parseWranglerFile } from "../wrangler-file.ts";
import type { Plan, Row, RowName } from "./plan.ts";

type Parsed = Readonly<Record<string, unknown>>;
type Value = string | boolean | readonly string[];

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

/** `[vars]` of an environment, as they are in the text. */
export function varsIn(text: string, env?: string): Row {
  const parsed = parse(text);
  const environment = env ? (parsed.env as Record<string, Parsed> | undefined)?.[env] : parsed;
  return (environment?.vars ?? {}) as Row;
}

/**
 * The text with a plan carried out.
 *
 * @param env the environment whose `[vars]` are meant
 * @throws when the result would not say exactly that: `text` is then laid out in a way that is not understood here
 */
export function withPlan(text: string, plan: Plan, env?: string): string {
  const base = env ? ["env", env, "vars"] : ["vars"];
  const sections = split(text);
  const isOurs = ({ path }: Section) => TABLE_NAMES.some((table) => isIn(path, base, table));
  const dropped = sections.filter(({ path }) =>
    plan.drop.some(({ table, id }) => isIn(path, base, table) && path[base.length + 1] === id),
  );
  const origins = plan.origins && `ALLOWED_ORIGINS = ${tomlValue(plan.origins)}\n`;
  const plain = sections.find(({ header }) => header === tomlHeader(base));
  let ours = render(plan, base);
  if (origins) {
    if (plain) plain.text = withLine(plain.text, origins);
    else ours = `${tomlHeader(base)}\n${origins}\n${ours}`;
  }
  const place = dropped[0] ?? sections.findLast(isOurs);
  const edited =
    place === undefined
      ? `${sections
          .map((section) => section.text)
          .join("")
          .trimEnd()}\n\n${ours}`
      : sections
          .map((section) => {
            const rest = trailer(section.text);
            if (dropped.includes(section)) return section === place ? ours + rest : rest.trimStart();
            if (section !== place || ours === "") return section.text;
            return `${section.text.slice(0, section.text.length - rest.length)}\n${ours}${rest}`;
          })
          .join("");
  if (!says(edited, expected(text, plan, env))) {
    throw new Error(
      `the configuration is laid out in a way that cannot be edited here. Put this in by hand:\n\n${origins ?? ""}${ours}`,
    );
  }
  return edited;
}

/** Whether a header is of a table, or of the part of one that was split off. */
function isIn(path: readonly string[], base: readonly string[], table: string): boolean {
  const name = path[base.length];
  return (
    base.every((key, i) => path[i] === key) && (name === table || name?.startsWith(`${table}_`) === true)
  );
}

/** What is added, as a person would write it. */
function render({ add, addGrant }: Plan, base: readonly string[]): string {
  const table = (header: string, fields: Row) =>
    [
      header,
      ...Object.entries(fields).map(
        ([key, value]) => `${COMMENTS[key] ?? ""}${tomlKey(key)} = ${tomlValue(value as Value)}`,
      ),
      "",
    ].join("\n");
  const { STORES, KEYS, BUCKETS, CALLERS } = add;
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

/** The configuration with the plan carried out. */
function expected(text: string, plan: Plan, env: string | undefined): Parsed {
  const before = parse(text);
  if (!env) return { ...before, vars: varsWith(plan, before.vars as Row | undefined) };
  const environments = (before.env ?? {}) as Record<string, Parsed>;
  const environment = { ...environments[env], vars: varsWith(plan, environments[env]?.vars as Row) };
  return { ...before, env: { ...environments, [env]: environment } };
}

function varsWith({ drop, add, addGrant, origins }: Plan, before: Row = {}): Row {
  const vars: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(before)) {
    const table = TABLE_NAMES.find((each) => isIn([name], [], each));
    const rest = table === undefined ? value : withoutRows(value as Row, table, drop);
    if (table === undefined || Object.keys(rest as Row).length > 0) vars[name] = rest;
  }
  for (const table of TABLE_NAMES) {
    if (Object.keys(add[table]).length > 0) vars[table] = { ...(vars[table] as Row), ...add[table] };
  }
  if (addGrant !== undefined) {
    const { caller, grant } = addGrant;
    for (const [name, value] of Object.entries(vars)) {
      const row = isIn([name], [], "CALLERS") ? (value as Record<string, Row>)[caller] : undefined;
      if (row === undefined) continue;
      vars[name] = { ...(value as Row), [caller]: { ...row, grants: [...(row.grants as Row[]), grant] } };
    }
  }
  return { ...vars, ...(origins && { ALLOWED_ORIGINS: origins }) };
}

function withoutRows(value: Row, table: string, drop: readonly RowName[]): Row {
  // A table may be a JSON string as well.
  if (typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).filter(([id]) => !drop.some((row) => row.table === table && row.id === id)),
  );
}

function says(text: string, wanted: Parsed): boolean {
  try {
    return isDeepStrictEqual(parse(text), JSON.parse(JSON.stringify(wanted)));
  } catch {
    return false;
  }
}

/** Dates as the strings that they become where the Worker runs. */
function parse(text: string): Parsed {
  return JSON.parse(JSON.stringify(parseWranglerFile(text, "wrangler.toml"))) as Parsed;
}
