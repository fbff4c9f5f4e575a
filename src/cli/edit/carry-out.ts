/** An edit of a configuration that is there, carried out. All else in it stays, comments included. */
import { isDeepStrictEqual } from "node:util";
import { ConfigError, loadConfig } from "../../config/load.ts";
import { TABLE_NAMES, type TableName } from "../../config/tables.ts";
import { isJson, isTable, parseWranglerFile, type Table } from "../wrangler-file.ts";
import { type Edit, isIn, type Row, type RowName } from "./edit.ts";
import type { Before } from "./files.ts";
import { editJson } from "./json.ts";
import { addition, editToml } from "./toml.ts";

/** `[vars]` of an environment, as they are in the file; dates as the strings that they become where the Worker runs. */
export function varsIn({ path, text }: Pick<Before, "path" | "text">, env?: string): Row {
  const whole = parse(text, path);
  const environment = env ? (whole.env as Record<string, Table> | undefined)?.[env] : whole;
  const vars = environment?.vars ?? {};
  if (!isTable(vars)) throw new Error(`${path}: vars is no table`);
  return vars;
}

/**
 * The text with an edit carried out.
 *
 * @param env the environment whose `[vars]` are meant
 * @throws when the result would not say exactly that: the file is then laid out in a way that is not understood here
 * @throws when the Worker could not be configured so, with every mistake
 */
export function edited({ path, text }: Before, edit: Edit, env?: string): string {
  const result = (isJson(path) ? editJson : editToml)(text, edit, env);
  const wanted = expected(parse(text, path), edit, env);
  if (!says(result, path, wanted)) {
    throw new Error(
      `the configuration is laid out in a way that cannot be edited here. ${byHand(edit, path, env)}`,
    );
  }
  demandValid(varsIn({ path, text: result }, env));
  return result;
}

function byHand(edit: Edit, path: string, env: string | undefined): string {
  const { dropKey } = edit;
  if (dropKey === undefined)
    return `Put this in by hand:\n\n${isJson(path) ? JSON.stringify(edit.add, null, 2) : addition(edit, env)}`;
  const { key, buckets } = dropKey;
  const lists = buckets.map((bucket) => `, and out of the keys of BUCKETS.${bucket}`).join("");
  return `Take KEYS.${key} out by hand${lists}`;
}

function demandValid(vars: Row): void {
  try {
    loadConfig({ ...vars });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const mistakes = error.errors.map(({ path, message }) => `\n  ${path}: ${message}`).join("");
    throw new Error(`nothing was changed, for this would be no valid configuration:${mistakes}`);
  }
}

/** The configuration with the edit carried out. */
function expected(before: Table, edit: Edit, env: string | undefined): Table {
  if (!env) return { ...before, vars: varsWith(edit, before.vars as Row | undefined) };
  const environments = (before.env ?? {}) as Record<string, Table>;
  const environment = { ...environments[env], vars: varsWith(edit, environments[env]?.vars as Row) };
  return { ...before, env: { ...environments, [env]: environment } };
}

function varsWith({ drop = [], add, addGrant, origins, firstKey, dropKey }: Edit, before: Row = {}): Row {
  const vars: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(before)) {
    const table = TABLE_NAMES.find((each) => isIn([name], [], each));
    const rest = table === undefined ? value : withoutRows(value as Row, table, drop);
    if (table === undefined || Object.keys(rest as Row).length > 0) vars[name] = rest;
  }
  for (const table of TABLE_NAMES) {
    if (Object.keys(add[table] ?? {}).length > 0) vars[table] = { ...(vars[table] as Row), ...add[table] };
  }
  const change = (table: TableName, id: string, changed: (row: Row) => Row) => {
    for (const [name, value] of Object.entries(vars)) {
      const row = isIn([name], [], table) ? (value as Record<string, Row>)[id] : undefined;
      if (row !== undefined) vars[name] = { ...(value as Row), [id]: changed(row) };
    }
  };
  if (addGrant !== undefined)
    change("CALLERS", addGrant.caller, (row) => ({
      ...row,
      grants: [...(row.grants as Row[]), addGrant.grant],
    }));
  for (const bucket of firstKey?.buckets ?? [])
    change("BUCKETS", bucket, (row) => ({ ...row, keys: [firstKey?.key, ...(row.keys as string[])] }));
  for (const bucket of dropKey?.buckets ?? [])
    change("BUCKETS", bucket, (row) => ({
      ...row,
      keys: (row.keys as string[]).filter((id) => id !== dropKey?.key),
    }));
  return { ...vars, ...(origins && { ALLOWED_ORIGINS: origins }) };
}

function withoutRows(value: Row, table: string, drop: readonly RowName[]): Row {
  // A table may be a JSON string as well.
  if (typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).filter(([id]) => !drop.some((row) => row.table === table && row.id === id)),
  );
}

function says(text: string, path: string, wanted: Table): boolean {
  try {
    return isDeepStrictEqual(parse(text, path), JSON.parse(JSON.stringify(wanted)));
  } catch {
    return false;
  }
}

function parse(text: string, path: string): Table {
  return JSON.parse(JSON.stringify(parseWranglerFile(text, path))) as Table;
}
