/**
 * What of a bucket a caller's grants open. A list shows nothing else: asked for more, it is put together from what lies
 * under each of their prefixes, in order.
 */
import type { Caller } from "../auth/callers.ts";
import type { Permission } from "../config/schema.ts";
import { S3Fault } from "./faults.ts";
import { beyond, compareNames } from "./paging.ts";

/** Keys that begin alike, all of them the caller's. */
export interface Span {
  readonly prefix: string;
  /** Where the delimiter comes before the prefix ends: what they are all folded into. */
  readonly folded?: string | undefined;
}

export interface ListedBy {
  readonly prefix: string;
  /** Empty as good as none. */
  readonly delimiter: string;
}

/**
 * Those that a list with a prefix has, none within another, in order; none where nothing is open.
 *
 * @throws {S3Fault} NotImplemented where a delimiter could lie half in what is open
 */
export function spansOf(
  { grants }: Caller,
  bucket: string,
  permission: Permission,
  { prefix, delimiter }: ListedBy,
): Span[] {
  const open = new Set(
    grants.filter((one) => one.bucket === bucket && one.allow.includes(permission)).map((one) => one.prefix),
  );
  if ([...open].some((one) => prefix.startsWith(one))) return [{ prefix }];
  const below = [...open].filter((one) => one.startsWith(prefix)).sort(compareNames);
  const outermost = below.filter((one) => !below.some((other) => other !== one && one.startsWith(other)));
  return outermost.map((one) => ({ prefix: one, folded: foldedInto(one, { prefix, delimiter }) }));
}

function foldedInto(open: string, { prefix, delimiter }: ListedBy): string | undefined {
  if (delimiter === "") return undefined;
  const at = open.indexOf(delimiter, prefix.length);
  if (at >= 0) return open.slice(0, at + delimiter.length);
  for (let length = 1; length < delimiter.length; length++)
    if (open.slice(prefix.length).endsWith(delimiter.slice(0, length)))
      throw new S3Fault("NotImplemented", "A delimiter of several characters needs a prefix that is yours.");
  return undefined;
}

/** A page of one span, by the store. */
export interface Page<Entry> {
  readonly entries: readonly Entry[];
  readonly prefixes: readonly string[];
  readonly isMore: boolean;
}

/** Asks the store. */
export type AskPage<Entry> = (
  asked: { readonly prefix: string; readonly delimiter: string; readonly after: string },
  limit: number,
) => Promise<Page<Entry>>;

/**
 * One page over all spans.
 *
 * @param after only names beyond it; what is folded into it is not
 */
export async function pageOver<Entry>(
  spans: readonly Span[],
  { delimiter, after, limit }: { delimiter: string; after: string; limit: number },
  ask: AskPage<Entry>,
): Promise<Page<Entry>> {
  const entries: Entry[] = [];
  const prefixes: string[] = [];
  for (const { prefix, folded } of spans) {
    const isBehind = compareNames(after, beyond(prefix)) > 0 || (folded !== undefined && after === folded);
    if (isBehind || (folded !== undefined && prefixes.includes(folded))) continue;
    const room = limit - entries.length - prefixes.length;
    if (room <= 0) return { entries, prefixes, isMore: true };
    const from = compareNames(after, prefix) >= 0 ? after : "";
    if (folded !== undefined) {
      const found = await ask({ prefix, delimiter: "", after: from }, 1);
      if (found.entries.length > 0) prefixes.push(folded);
      continue;
    }
    const page = await ask({ prefix, delimiter, after: from }, room);
    entries.push(...page.entries);
    prefixes.push(...page.prefixes);
    if (page.isMore) return { entries, prefixes, isMore: true };
  }
  return { entries, prefixes, isMore: false };
}
