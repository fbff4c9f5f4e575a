/** A page of a listing: what begins with a prefix, folded at a delimiter, after a marker. */
import { compareKeys } from "./database.ts";

export interface Wanted {
  readonly prefix: string;
  readonly delimiter: string;
  readonly limit: number;
  /** Whether an earlier page had this already. */
  readonly isBefore: (key: string, folded: string | undefined) => boolean;
}

export interface Page<T> {
  readonly rows: T[];
  readonly prefixes: string[];
  /** The last thing on this page, when there is more after it: a row, or a prefix. */
  readonly last: T | string | undefined;
}

/** @param rows in the order of their keys' bytes, from the prefix or earlier */
export function pageOf<T extends { readonly key: string }>(
  all: Iterable<T>,
  { prefix, delimiter, limit, isBefore }: Wanted,
): Page<T> {
  const rows: T[] = [];
  const prefixes: string[] = [];
  let last: T | string | undefined;
  for (const row of all) {
    if (!row.key.startsWith(prefix)) {
      if (compareKeys(row.key, prefix) > 0) break;
      continue;
    }
    const cut = delimiter === "" ? -1 : row.key.indexOf(delimiter, prefix.length);
    const folded = cut < 0 ? undefined : row.key.slice(0, cut + delimiter.length);
    if ((folded !== undefined && folded === prefixes.at(-1)) || isBefore(row.key, folded)) continue;
    if (rows.length + prefixes.length >= limit) return { rows, prefixes, last };
    if (folded === undefined) rows.push(row);
    else prefixes.push(folded);
    last = folded ?? row;
  }
  return { rows, prefixes, last: undefined };
}
