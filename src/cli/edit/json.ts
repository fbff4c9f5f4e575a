/** The tables of `vars` within a wrangler.json or .jsonc; all else in it, comments included, stays as it is. */
import { applyEdits, type JSONPath, modify, parse } from "jsonc-parser";
import { TABLE_NAMES, type TableName } from "../../config/tables.ts";
import { type Edit, isIn, type Row } from "./edit.ts";

export function editJson(text: string, edit: Edit, env?: string): string {
  const base = env ? ["env", env, "vars"] : ["vars"];
  let result = text;
  const set = (path: JSONPath, value: unknown, isArrayInsertion = false) => {
    const formattingOptions = { insertSpaces: !/^\t/m.test(text), tabSize: 2, eol: "\n" };
    result = applyEdits(result, modify(result, path, value, { formattingOptions, isArrayInsertion }));
  };
  for (const { table, id } of edit.drop ?? []) set([...base, partOf(result, base, table, id), id], undefined);
  for (const table of TABLE_NAMES)
    for (const [id, row] of Object.entries(edit.add[table] ?? {})) set([...base, table, id], row);
  if (edit.addGrant) {
    const { caller, grant } = edit.addGrant;
    set([...base, partOf(result, base, "CALLERS", caller), caller, "grants", -1], grant, true);
  }
  for (const bucket of edit.firstKey?.buckets ?? [])
    set([...base, partOf(result, base, "BUCKETS", bucket), bucket, "keys", 0], edit.firstKey?.key, true);
  for (const bucket of edit.dropKey?.buckets ?? []) {
    const path = [...base, partOf(result, base, "BUCKETS", bucket), bucket, "keys"];
    const keys = path.reduce<unknown>((at, key) => (at as Row | undefined)?.[key], parse(result));
    // As a whole: of a list on one line the library takes out more than the last of it.
    if (Array.isArray(keys))
      set(
        path,
        keys.filter((id) => id !== edit.dropKey?.key),
      );
  }
  if (edit.origins) set([...base, "ALLOWED_ORIGINS"], edit.origins);
  return result;
}

/** The var that has a row: a table may be split over several. */
function partOf(text: string, base: readonly string[], table: TableName, id: string): string {
  const vars = base.reduce<Row>((at, key) => (at[key] ?? {}) as Row, parse(text) as Row);
  return Object.keys(vars).find((name) => isIn([name], [], table) && id in (vars[name] as Row)) ?? table;
}
