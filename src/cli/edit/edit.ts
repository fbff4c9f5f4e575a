/** What is to be changed in a configuration. */
import type { TableName } from "../../config/tables.ts";

export type Row = Readonly<Record<string, unknown>>;
export type Tables = Readonly<Record<TableName, Readonly<Record<string, Row>>>>;

export interface RowName {
  readonly table: TableName;
  readonly id: string;
}

export interface Edit {
  /** Rows that go, before others come. */
  readonly drop?: readonly RowName[];
  readonly add: Partial<Tables>;
  /** Of a caller who is there. */
  readonly addGrant?: { readonly caller: string; readonly grant: Row } | undefined;
  /** The whole list of ALLOWED_ORIGINS, where it changes. */
  readonly origins?: readonly string[] | undefined;
  /** Put before the other keys of buckets that are there, so that it writes. */
  readonly firstKey?: { readonly key: string; readonly buckets: readonly string[] } | undefined;
  /** Taken out of the keys of buckets that are there. */
  readonly dropKey?: { readonly key: string; readonly buckets: readonly string[] } | undefined;
}

/** Whether a path is of a table, or of the part of one that was split off. */
export function isIn(path: readonly string[], base: readonly string[], table: string): boolean {
  const name = path[base.length];
  return (
    base.every((key, i) => path[i] === key) && (name === table || name?.startsWith(`${table}_`) === true)
  );
}
