/** A wrangler.toml, .json or .jsonc as its text says it, read by the parser that wrangler uses. Wrangler takes a second to load. */
import { type ParseError, parse as parseJson, printParseErrorCode } from "jsonc-parser";
import { parse as parseToml, TomlError } from "smol-toml";
import { ssec } from "./called-as.ts";
import { printable } from "./terminal.ts";
import { readText } from "./text-file.ts";

export type Table = Readonly<Record<string, unknown>>;

const hint = () =>
  `go to the Worker's folder, or name its configuration with --config; \`${ssec()} init\` makes one`;

/** @throws saying why it cannot be read, or the line and column of what is no TOML or JSON */
export function readWranglerFile(path: string): Table {
  return parseWranglerFile(readText(path, hint()), path);
}

/** @throws as for a file */
export function parseWranglerFile(text: string, path: string): Table {
  const parsed = isJson(path) ? json(text, path) : toml(text, path);
  if (!isTable(parsed)) throw new Error(`${printable(path)} is no object of settings`);
  return parsed;
}

export const isJson = (path: string): boolean => /\.jsonc?$/.test(path);

export function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function toml(text: string, path: string): unknown {
  try {
    return parseToml(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason = ""] = error.message.replace(/^Invalid TOML document: /, "").split("\n");
    throw syntaxError(path, "TOML", error, reason);
  }
}

function json(text: string, path: string): unknown {
  const errors: ParseError[] = [];
  const parsed: unknown = parseJson(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first === undefined) return parsed;
  const before = text.slice(0, first.offset).split("\n");
  const place = { line: before.length, column: (before.at(-1) ?? "").length + 1 };
  throw syntaxError(path, "JSON", place, printParseErrorCode(first.error));
}

function syntaxError(
  path: string,
  language: string,
  { line, column }: { readonly line: number; readonly column: number },
  reason: string,
): Error {
  return new Error(`${printable(path)} is no ${language}: line ${line}, column ${column}: ${reason}`);
}
