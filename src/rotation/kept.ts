/** What an object keeps when it is re-encrypted, beside its bytes: how it is given again, and whether it is there. */
import { isSameSecond } from "../s3/api/dates.ts";
import { TAG_COUNT_HEADER } from "../s3/store/tagging.ts";
import { fromWire } from "../s3/store/wire.ts";

const METADATA = "x-amz-meta-";
/** What a copy takes along, and an upload has to be given. */
const CONTENT = [
  "content-type",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "expires",
];
const STORAGE_CLASS = "x-amz-storage-class";
const REDIRECT = "x-amz-website-redirect-location";
const LOCK_MODE = "x-amz-object-lock-mode";
const LOCK_UNTIL = "x-amz-object-lock-retain-until-date";
const LEGAL_HOLD = "x-amz-object-lock-legal-hold";

/** What neither a copy nor an upload has by itself. */
export function placement(head: Headers, now: number): Record<string, string> {
  const storageClass = head.get(STORAGE_CLASS) ?? "STANDARD";
  const redirect = head.get(REDIRECT);
  const until = head.get(LOCK_UNTIL);
  const mode = head.get(LOCK_MODE);
  // One that has ended locks nothing, and could not be given again.
  const isRetained = mode !== null && until !== null && Date.parse(until) > now;
  return {
    ...(storageClass !== "STANDARD" && { [STORAGE_CLASS]: storageClass }),
    ...(redirect !== null && { [REDIRECT]: fromWire(redirect) }),
    ...(isRetained && { [LOCK_MODE]: mode, [LOCK_UNTIL]: until }),
    ...(head.get(LEGAL_HOLD) === "ON" && { [LEGAL_HOLD]: "ON" }),
  };
}

/** Content headers and metadata. */
export function content(head: Headers): Record<string, string> {
  return Object.fromEntries(
    [...head]
      .filter(([name]) => CONTENT.includes(name) || name.startsWith(METADATA))
      .map(([name, value]) => [name, fromWire(value)]),
  );
}

/** Why content headers and metadata cannot be given again as they are; only the store could copy them. */
export function unspeakable(head: Headers): string | undefined {
  const missing = head.get("x-amz-missing-meta");
  if (missing !== null && missing !== "0")
    return `${missing} entries of its metadata do not pass through headers, and would be lost`;
  const broken = Object.entries(content(head)).find(([, value]) => value.includes("\ufffd"));
  return broken && `${broken[0]} is no UTF-8, and would be lost`;
}

/** In the metadata of what a rotation of versions has made: the version that it is a copy of; and what was current then. */
export const VERSION_OF = `${METADATA}ssec-version-of`;
export const VERSION_THEN = `${METADATA}ssec-version-then`;

export function tagCount(head: Headers): number {
  return Number(head.get(TAG_COUNT_HEADER) ?? 0);
}

/** By the names of their headers, what an object had and does not have any more. */
export function lost(before: Headers, after: Headers, now: number): string[] {
  const had = { ...content(before), ...placement(before, now) };
  const has = { ...content(after), ...placement(after, now) };
  const asked = Object.keys(had).filter((name) => name !== VERSION_OF && name !== VERSION_THEN);
  const names = asked.filter((name) => !isSame(name, had[name], has[name]));
  return [...names, ...(tagCount(before) > tagCount(after) ? [TAG_COUNT_HEADER] : [])];
}

function isSame(name: string, before: string | undefined, after: string | undefined): boolean {
  if (before === after) return true;
  if (after === undefined || (name !== LOCK_UNTIL && name !== "expires")) return false;
  return isSameSecond(before ?? "", after);
}
