/**
 * Gathers the tables STORES, KEYS, BUCKETS and CALLERS out of the environment. The platform takes 5 KB a var, so a
 * table may be split over several (`CALLERS`, `CALLERS_PARTNERS`, …), each an object or a JSON string.
 */
import type { FieldError } from "../refused.ts";
import { joinPath } from "../validation.ts";

export const TABLE_NAMES = ["STORES", "KEYS", "BUCKETS", "CALLERS"] as const;
export type TableName = (typeof TABLE_NAMES)[number];

/** An entry of a table, and where it was written. */
export interface Entry {
  readonly path: string;
  readonly value: unknown;
}

export type Table = ReadonlyMap<string, Entry>;

export function gatherTable(
  env: Readonly<Record<string, unknown>>,
  table: TableName,
  errors: FieldError[],
): Table {
  const entries = new Map<string, Entry>();
  for (const [name, binding] of Object.entries(env)) {
    if (name !== table && !name.startsWith(`${table}_`)) continue;
    const part = readPart(binding);
    if (part === undefined) {
      // A secret may happen to be called KEYS_2: that is no table, but a table that does not parse is a mistake.
      const isMeant = name === table || (typeof binding === "string" && binding.trimStart().startsWith("{"));
      if (isMeant) errors.push({ path: name, message: "must be a table, or a JSON object as a string" });
      continue;
    }
    for (const [key, value] of Object.entries(part)) {
      const path = joinPath(name, key);
      const twin = entries.get(key);
      if (twin === undefined) entries.set(key, { path, value });
      else errors.push({ path, message: `"${key}" is there already, as ${twin.path}` });
    }
  }
  return entries;
}

function readPart(binding: unknown): Record<string, unknown> | undefined {
  if (typeof binding === "string") {
    try {
      return readPart(JSON.parse(binding));
    } catch {
      return undefined;
    }
  }
  if (typeof binding !== "object" || binding === null) return undefined;
  // Other bindings are instances of classes; a TOML parser's tables have no prototype at all.
  const prototype: unknown = Object.getPrototypeOf(binding);
  const isPlain = prototype === Object.prototype || prototype === null;
  return isPlain ? (binding as Record<string, unknown>) : undefined;
}
