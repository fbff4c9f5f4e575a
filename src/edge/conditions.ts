/**
 * Conditional requests as RFC 9110, section 13, has them: what a request demands of the object that is there, and
 * whether it holds. Stores differ in what they make of such headers, so that the service decides by itself.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110.html#section-13
 */
import { Refused } from "../refused.ts";

/** An entity tag. Two that differ in `isWeak` alone promise the same object, but not the same bytes. */
interface Tag {
  readonly opaque: string;
  readonly isWeak: boolean;
}

/** `*`, which every object there is matches, or a list of tags. */
type Tags = "*" | readonly Tag[];

/** What a request demands; what it does not, is left out. Times are milliseconds since the epoch. */
export interface Preconditions {
  readonly ifMatch?: Tags;
  readonly ifNoneMatch?: Tags;
  readonly ifUnmodifiedSince?: number;
  readonly ifModifiedSince?: number;
}

export type PreconditionName = keyof Preconditions;

/** The headers, and at once where a fault in them is said to be. */
export const PRECONDITION_HEADERS = {
  ifMatch: "if-match",
  ifNoneMatch: "if-none-match",
  ifUnmodifiedSince: "if-unmodified-since",
  ifModifiedSince: "if-modified-since",
} as const satisfies Record<PreconditionName, string>;

/** What is known of an object that is there. */
export interface Representation {
  /** As the store gives it; undefined or empty where it gives none. */
  readonly etag?: string | undefined;
  /** Any form that Date reads, of whole seconds: an HTTP date, or ISO 8601. */
  readonly lastModified?: string | undefined;
}

/** `hidden`: it is there, but under none of our keys, so that the store tells nothing of it. */
export type State = Representation | "absent" | "hidden";

export type Verdict = "proceed" | "not-modified" | "failed";

/** What a store is to hold the object against when it acts: that it is still the one that was seen. */
export interface Seen {
  /** Without its quotes: so every store reads it, and Ceph nothing else. */
  readonly ifMatch?: string;
  readonly ifNoneMatch?: "*";
}

/**
 * The conditions of a request, by its headers. A date that is none is no condition, as the RFC demands.
 *
 * @throws {Refused} invalid-request where a list of tags is none
 */
export function preconditionsOf(headers: Headers): Preconditions {
  const given = (name: PreconditionName) => headers.get(PRECONDITION_HEADERS[name]) ?? undefined;
  return parsePreconditions({
    ifMatch: given("ifMatch"),
    ifNoneMatch: given("ifNoneMatch"),
    ifUnmodifiedSince: given("ifUnmodifiedSince"),
    ifModifiedSince: given("ifModifiedSince"),
  });
}

/**
 * The same from wherever they come.
 *
 * @param paths where a fault is said to be
 * @throws {Refused} invalid-request where a list of tags is none
 */
export function parsePreconditions(
  given: { readonly [name in PreconditionName]?: string | undefined },
  paths: Readonly<Record<"ifMatch" | "ifNoneMatch", string>> = PRECONDITION_HEADERS,
): Preconditions {
  const ifUnmodifiedSince = parseHttpDate(given.ifUnmodifiedSince ?? "");
  const ifModifiedSince = parseHttpDate(given.ifModifiedSince ?? "");
  return {
    ...(given.ifMatch !== undefined && { ifMatch: parseTags(given.ifMatch, paths.ifMatch) }),
    ...(given.ifNoneMatch !== undefined && { ifNoneMatch: parseTags(given.ifNoneMatch, paths.ifNoneMatch) }),
    ...(ifUnmodifiedSince !== undefined && { ifUnmodifiedSince }),
    ...(ifModifiedSince !== undefined && { ifModifiedSince }),
  };
}

/** Whether nothing is demanded, so that nothing need be known of the object. */
export function areNone(conditions: Preconditions): boolean {
  return Object.keys(conditions).length === 0;
}

/**
 * Whether the conditions hold, in the order of section 13.2.2. Of a `hidden` object nothing but that it is there can be
 * shown, so that every other condition on it fails.
 */
export function evaluate(conditions: Preconditions, state: State, method: string): Verdict {
  const { ifMatch, ifNoneMatch, ifUnmodifiedSince, ifModifiedSince } = conditions;
  const isReading = method === "GET" || method === "HEAD";
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, state, isSame)) return "failed";
  } else if (ifUnmodifiedSince !== undefined) {
    if (state === "hidden") return "failed";
    const modified = modifiedAt(state);
    if (modified !== undefined && modified > ifUnmodifiedSince) return "failed";
  }
  if (ifNoneMatch !== undefined) {
    const isNamed = state === "hidden" || matches(ifNoneMatch, state, isEquivalent);
    if (isNamed) return isReading ? "not-modified" : "failed";
  } else if (isReading && ifModifiedSince !== undefined) {
    const modified = modifiedAt(state);
    if (modified !== undefined && modified <= ifModifiedSince) return "not-modified";
  }
  return "proceed";
}

/**
 * Holds the conditions of a request that changes the object against what is there.
 *
 * @returns what the store is to hold it against once more, when it acts; nothing where nothing was demanded
 * @throws {Refused} precondition-failed
 */
export function demand(conditions: Preconditions, state: State, method: string): Seen {
  if (areNone(conditions)) return {};
  if (evaluate(conditions, state, method) !== "proceed") throw preconditionFailed(state);
  return seen(state);
}

/** What was seen, as a condition of its own: whatever was demanded, it holds for nothing else. */
export function seen(state: State): Seen {
  if (state === "hidden") return {};
  if (state === "absent") return { ifNoneMatch: "*" };
  const tag = tagOf(state.etag);
  return tag === undefined || tag.isWeak ? {} : { ifMatch: tag.opaque };
}

export function preconditionFailed(state?: State): Refused {
  return new Refused(
    "precondition-failed",
    state === "hidden"
      ? "The object is under none of this bucket's keys: its ETag and date cannot be held against the condition."
      : "The object is not as the request's condition demands.",
  );
}

/**
 * Whether a range may be given of this object (If-Range, section 13.1.5). An unquoted tag means the quoted one; what is
 * neither tag nor date holds for nothing.
 */
export function rangeHolds(ifRange: string, representation: Representation): boolean {
  const date = parseHttpDate(ifRange);
  if (date !== undefined) return date === modifiedAt(representation);
  const tags = tagsIn(ifRange);
  const [tag, ...others] = tags === undefined || tags === "*" ? [] : tags;
  return tag !== undefined && others.length === 0 && matches([tag], representation, isSame);
}

/** The one tag of If-None-Match that every store understands, quoted, where it is all that is demanded. */
export function onlyTagOf(conditions: Preconditions): string | undefined {
  const { ifNoneMatch, ifMatch, ifUnmodifiedSince } = conditions;
  if (ifNoneMatch === undefined || ifNoneMatch === "*") return undefined;
  if (ifMatch !== undefined || ifUnmodifiedSince !== undefined) return undefined;
  const [tag, ...others] = ifNoneMatch;
  if (tag === undefined || tag.isWeak || others.length > 0) return undefined;
  return /^[!-~]+$/.test(tag.opaque) ? `"${tag.opaque}"` : undefined;
}

/** Two strong tags alike: the same bytes. */
const isSame = (a: Tag, b: Tag) => a.opaque === b.opaque && !a.isWeak && !b.isWeak;
const isEquivalent = (a: Tag, b: Tag) => a.opaque === b.opaque;

function matches(tags: Tags, state: State, areAlike: (a: Tag, b: Tag) => boolean): boolean {
  if (state === "absent") return false;
  if (tags === "*") return true;
  const tag = state === "hidden" ? undefined : tagOf(state.etag);
  return tag !== undefined && tags.some((one) => areAlike(one, tag));
}

/** Undefined where it is not known: a condition on it is then none. */
function modifiedAt(state: State): number | undefined {
  if (typeof state === "string" || state.lastModified === undefined) return undefined;
  const time = Date.parse(state.lastModified);
  return Number.isNaN(time) ? undefined : Math.floor(time / 1000) * 1000;
}

function tagOf(etag: string | undefined): Tag | undefined {
  const tags = tagsIn(etag ?? "");
  return tags === undefined || tags === "*" ? undefined : tags[0];
}

function parseTags(text: string, path: string): Tags {
  const tags = tagsIn(text);
  if (tags !== undefined) return tags;
  throw Refused.field(path, 'must be * or ETags in double quotes, with commas between: "a", "b"');
}

/** One element of a list, and what ends it; an unquoted tag is what many programs make of a quoted one. */
const ELEMENT = /[ \t]*(?:(W\/)?(?:"([^"]*)"|([^\s",]+)))?[ \t]*(?:,|$)/y;

/** Undefined where the text is no list of tags. */
function tagsIn(text: string): Tags | undefined {
  if (text.trim() === "*") return "*";
  const tags: Tag[] = [];
  ELEMENT.lastIndex = 0;
  while (ELEMENT.lastIndex < text.length) {
    const found = ELEMENT.exec(text);
    if (found === null) return undefined;
    const [, weak, quoted, bare] = found;
    const opaque = quoted ?? bare;
    if (bare === "*") return undefined;
    if (opaque !== undefined) tags.push({ opaque, isWeak: weak !== undefined });
  }
  return tags.length === 0 ? undefined : tags;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const LONG_DAY = "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)";
const MONTH = `(?<month>${MONTHS.join("|")})`;
const TIME = "(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)";

/** The form of today, and the two older ones that a recipient must read as well. */
const DATES = [
  new RegExp(`^${DAY}, (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(`^${LONG_DAY}, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT$`),
  new RegExp(`^${DAY} ${MONTH} (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`),
];

/**
 * An HTTP date.
 *
 * @returns milliseconds since the epoch; undefined where it is none
 * @see https://www.rfc-editor.org/rfc/rfc9110.html#section-5.6.7
 */
export function parseHttpDate(text: string, now = Date.now()): number | undefined {
  const groups = DATES.map((form) => form.exec(text.trim())?.groups).find((found) => found !== undefined);
  if (groups === undefined) return undefined;
  const { year = "", month = "" } = groups;
  const [day, hour, minute, second] = ["day", "hour", "minute", "second"].map((part) => Number(groups[part]));
  const parts = [MONTHS.indexOf(month), day ?? 0, hour ?? 0, minute ?? 0] as const;
  // A leap second is the next minute's first.
  if (parts[2] > 23 || parts[3] > 59 || (second ?? 0) > 60) return undefined;
  const time = Date.UTC(fullYear(year, now), ...parts, second);
  // What no calendar has, as 31 February, becomes another day.
  const isOfCalendar = new Date(Date.UTC(fullYear(year, now), parts[0], parts[1])).getUTCDate() === parts[1];
  return isOfCalendar ? time : undefined;
}

/** Two digits mean the year that is not more than fifty years ahead. */
function fullYear(year: string, now: number): number {
  if (year.length === 4) return Number(year);
  const current = new Date(now).getUTCFullYear();
  const inCentury = current - (current % 100) + Number(year);
  return inCentury > current + 50 ? inCentury - 100 : inCentury;
}
