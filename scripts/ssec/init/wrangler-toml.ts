/** The tables of `[vars]` within a wrangler.toml; all else in it, comments included, stays as it is. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { experimental_readRawConfig } from "wrangler";
import { TABLE_NAMES } from "../../../src/config/tables.ts";
import { tomlHeader, tomlKey, tomlValue } from "../toml.ts";
import type { Vars } from "./setup.ts";

type Parsed = Readonly<Record<string, unknown>>;

/** A part of the text that one header begins, or that comes before the first. */
interface Section {
  readonly header: string;
  text: string;
}

export interface Edited {
  readonly text: string;
  /** The headers of tables that were there and are not any more. */
  readonly replaced: readonly string[];
}

/**
 * @param env the environment whose `[vars]` are meant
 * @throws when the result would not say exactly that: `text` is then laid out in a way that is not understood here
 */
export function withVars(text: string, vars: Vars, env?: string): Edited {
  const base = env ? ["env", env, "vars"] : ["vars"];
  const isOurs = new RegExp(`^\\[\\[?\\s*${base.join("\\.")}\\.(${TABLE_NAMES.join("|")})(_\\w+)?\\s*[.\\]]`);
  const sections = split(text);
  const replaced = sections.filter(({ header }) => isOurs.test(header));
  const origins = vars.ALLOWED_ORIGINS && `ALLOWED_ORIGINS = ${tomlValue(vars.ALLOWED_ORIGINS)}\n`;
  const plain = sections.find(({ header }) => header === tomlHeader(base));
  let ours = render(vars, base);
  if (origins) {
    if (plain) plain.text = withLine(plain.text, origins);
    else ours = `${tomlHeader(base)}\n${origins}\n${ours}`;
  }
  const [first] = replaced;
  const edited =
    first === undefined
      ? `${sections
          .map((section) => section.text)
          .join("")
          .trimEnd()}\n\n${ours}`
      : sections
          .map((section) => {
            if (section === first) return ours + trailer(section.text);
            return replaced.includes(section) ? trailer(section.text).trimStart() : section.text;
          })
          .join("");
  if (!says(edited, expected(text, vars, env))) {
    throw new Error(
      `the configuration is laid out in a way that cannot be edited here. Put this in by hand:\n\n${ours}`,
    );
  }
  return { text: edited, replaced: replaced.map(({ header }) => header) };
}

/** The tables as a person would write them. */
function render({ STORES, KEYS, BUCKETS, CALLERS }: Vars, base: readonly string[]): string {
  const table = (header: string, fields: Record<string, string | readonly string[]>) =>
    [
      header,
      ...Object.entries(fields).map(([key, value]) => `${tomlKey(key)} = ${tomlValue(value)}`),
      "",
    ].join("\n");
  const rows = Object.entries({ STORES, KEYS, BUCKETS }).flatMap(([name, entries]) =>
    Object.entries(entries).map(([id, fields]) => table(tomlHeader([...base, name, id]), fields)),
  );
  const callers = Object.entries(CALLERS).map(([id, { token, grants }]) => {
    const grant = `[${tomlHeader([...base, "CALLERS", id, "grants"])}]`;
    return (
      table(tomlHeader([...base, "CALLERS", id]), { token }) +
      grants.map((each) => table(grant, each)).join("")
    );
  });
  return [...rows, ...callers].join("\n");
}

function split(text: string): Section[] {
  const sections: Section[] = [{ header: "", text: "" }];
  for (const line of text.split(/(?<=\n)/)) {
    if (/^\s*\[/.test(line)) sections.push({ header: line.replace(/#.*/, "").trim(), text: "" });
    const last = sections.at(-1);
    if (last) last.text += line;
  }
  return sections;
}

/** Blank lines and comments at a section's end belong to what comes after it. */
function trailer(section: string): string {
  return /(?<=^|\n)(?:[ \t]*(?:#.*)?\n)*$/.exec(section.slice(section.indexOf("\n") + 1))?.[0] ?? "";
}

function withLine(section: string, line: string): string {
  const old = /^\s*ALLOWED_ORIGINS\s*=.*\n/m;
  return old.test(section) ? section.replace(old, () => line) : section.replace(/\n|$/, () => `\n${line}`);
}

/** The configuration as it is, but for our tables. */
function expected(text: string, vars: Vars, env: string | undefined): Parsed {
  const before = parse(text);
  const isOurs = (name: string) =>
    TABLE_NAMES.some((table) => name === table || name.startsWith(`${table}_`));
  const withOurs = (old: Parsed = {}): Parsed => ({
    ...Object.fromEntries(Object.entries(old).filter(([name]) => !isOurs(name))),
    ...vars,
  });
  if (!env) return { ...before, vars: withOurs(before.vars as Parsed | undefined) };
  const environments = (before.env ?? {}) as Record<string, Parsed>;
  const environment = { ...environments[env], vars: withOurs(environments[env]?.vars as Parsed | undefined) };
  return { ...before, env: { ...environments, [env]: environment } };
}

function says(text: string, wanted: Parsed): boolean {
  try {
    return isDeepStrictEqual(parse(text), JSON.parse(JSON.stringify(wanted)));
  } catch {
    return false;
  }
}

/** By wrangler's own parser, so that we agree about what a text says. */
function parse(text: string): Parsed {
  const dir = mkdtempSync(join(tmpdir(), "ssec-init-"));
  try {
    const config = join(dir, "wrangler.toml");
    writeFileSync(config, text, { mode: 0o600 });
    const { rawConfig } = experimental_readRawConfig({ config }) as { rawConfig: Parsed };
    return JSON.parse(JSON.stringify(rawConfig)) as Parsed;
  } finally {
    rmSync(dir, { recursive: true });
  }
}
