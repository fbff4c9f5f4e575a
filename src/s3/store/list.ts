/** ListObjectsV2, page by page. */
import { Refused } from "../../refused.ts";
import type { S3Bucket } from "./client.ts";
import { storeError } from "./fetch.ts";
import { type Element, elementsOf, numberOf, textOf } from "./xml.ts";

const { createHash } = process.getBuiltinModule("node:crypto");

export interface ListedObject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
  /** ISO 8601. */
  readonly lastModified: string;
  /** Where the store names it. */
  readonly storageClass?: string;
}

export interface Listing {
  readonly objects: readonly ListedObject[];
  /** With a delimiter: what begins the keys of the other objects, up to and with the delimiter; each once. */
  readonly prefixes?: readonly string[];
  /** Where the next page begins, if there is one. */
  readonly cursor?: string;
}

export interface ListRequest {
  readonly prefix: string;
  /** Empty as good as none. */
  readonly delimiter?: string | undefined;
  readonly cursor?: string | undefined;
  /** Only keys that come after this one, in the order of their UTF-8; not beside a cursor. */
  readonly startAfter?: string | undefined;
  readonly limit: number;
}

const NAME = "ListObjectsV2";

/**
 * @throws {Refused} invalid-request when the cursor is none; what the store's refusal means; store-error, also when the
 * store's list goes round in a circle; store-timeout
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 */
export async function listObjects(
  store: S3Bucket,
  { prefix, delimiter, cursor, startAfter, limit }: ListRequest,
): Promise<Listing> {
  const place = cursor === undefined ? undefined : readCursor(cursor);
  const page = await listPage(store, { prefix, delimiter, startAfter, limit, token: place?.token });
  const { objects, prefixes, next } = page;
  const listing = { objects, ...(delimiter && { prefixes }) };
  if (next === undefined) return listing;
  return { ...listing, cursor: writeCursor(advance(store, place, next, lastOf(page))) };
}

interface Page {
  readonly objects: ListedObject[];
  readonly prefixes: string[];
  /** The store's token for the next page. */
  readonly next: string | undefined;
}

async function listPage(
  store: S3Bucket,
  {
    prefix,
    delimiter,
    startAfter,
    limit,
    token,
  }: Omit<ListRequest, "cursor"> & { token: string | undefined },
): Promise<Page> {
  const query = {
    "list-type": "2",
    "max-keys": String(limit),
    // Keys may hold characters that XML has no way to write.
    "encoding-type": "url",
    ...(prefix !== "" && { prefix }),
    ...(delimiter && { delimiter }),
    ...(startAfter && { "start-after": startAfter }),
    ...(token !== undefined && { "continuation-token": token }),
  };
  let element: Element;
  try {
    ({ element } = await store.run({ name: NAME, method: "GET", query }, "ListBucketResult"));
  } catch (error) {
    // Of all that is asked, the token alone is not checked before.
    const isToken = token !== undefined && error instanceof Refused && error.reason === "invalid-request";
    throw isToken ? noCursor() : error;
  }
  const nameOf = namesOf(element, store);
  return {
    objects: elementsOf(element, "Contents").map((entry) => objectOf(entry, nameOf, store)),
    prefixes: elementsOf(element, "CommonPrefixes").map((entry) => nameOf(textOf(entry, "Prefix"))),
    next: nextOf(element, store),
  };
}

/** Stores that do not know how to encode names leave them as they are, and do not say that they have encoded them. */
export function namesOf(element: Element, { bucket }: S3Bucket): (text: string | undefined) => string {
  const isEncoded = textOf(element, "EncodingType")?.trim().toLowerCase() === "url";
  return (text) => {
    if (text === undefined || text === "") throw unreadable(bucket, "an entry without a name");
    if (!isEncoded) return text;
    try {
      return decodeURIComponent(text.replaceAll("+", " "));
    } catch {
      throw unreadable(bucket, "a name that is said to be URL-encoded, and is not");
    }
  };
}

function objectOf(
  entry: Element,
  nameOf: (text: string | undefined) => string,
  { bucket }: S3Bucket,
): ListedObject {
  const key = nameOf(textOf(entry, "Key"));
  const size = numberOf(entry, "Size");
  if (size === undefined) throw unreadable(bucket, "an object without a size");
  const modified = new Date(textOf(entry, "LastModified") ?? "");
  const storageClass = textOf(entry, "StorageClass")?.trim();
  return {
    key,
    size,
    etag: textOf(entry, "ETag") ?? "",
    lastModified: Number.isNaN(modified.getTime()) ? "" : modified.toISOString(),
    ...(storageClass && { storageClass }),
  };
}

function nextOf(element: Element, { bucket }: S3Bucket): string | undefined {
  const token = textOf(element, "NextContinuationToken");
  const isTruncated = textOf(element, "IsTruncated")?.trim();
  if (isTruncated === "false" || (isTruncated === undefined && !token)) return undefined;
  if (token) return token;
  // To take it for the end would hide objects.
  throw unreadable(bucket, "a list that goes on, without saying where");
}

function unreadable(bucket: S3Bucket["bucket"], what: string): Refused {
  return storeError({ method: NAME, bucket }, "a list that cannot be read", `it has ${what}`);
}

/**
 * How far a listing has come. Beside the store's token it remembers one page that was passed, the mark, and meets it
 * again where the store's list goes round in a circle; the mark moves on after 1, 2, 4, … pages, so that it comes to lie
 * in any circle (Brent's method).
 */
interface Place {
  readonly token: string;
  /** Digests of what led to a page, and of its last name; the latter is empty where the page was. */
  readonly mark: readonly [token: string, name: string];
  /** Pages since the mark, and how many there are to be before it moves on. */
  readonly steps: number;
  readonly span: number;
  /** Pages without a name, one after another. */
  readonly empty: number;
}

/** Stores may pass over what is deleted page by page; so many are none that goes on. */
const MAX_EMPTY = 1000;

function advance(
  { bucket }: S3Bucket,
  place: Place | undefined,
  token: string,
  lastName: string | undefined,
): Place {
  const here = [digest(token), lastName === undefined ? "" : digest(lastName)] as const;
  const empty = lastName === undefined ? (place?.empty ?? 0) + 1 : 0;
  if (place === undefined) return { token, mark: here, steps: 0, span: 1, empty };
  const [markedToken, markedName] = place.mark;
  const isCircle = here[0] === markedToken || (here[1] !== "" && here[1] === markedName);
  if (isCircle || empty > MAX_EMPTY) {
    throw storeError(
      { method: NAME, bucket },
      "a list that does not end",
      isCircle ? "it goes round in a circle" : "page after page is empty",
    );
  }
  const steps = place.steps + 1;
  if (steps < place.span) return { ...place, token, steps, empty };
  return { token, mark: here, steps: 0, span: 2 * place.span, empty };
}

/** The last name of a page, in the order of the list. */
function lastOf({ objects, prefixes }: Page): string | undefined {
  return [objects.at(-1)?.key, prefixes.at(-1)]
    .filter((name) => name !== undefined)
    .sort()
    .at(-1);
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 12);
}

function writeCursor({ token, mark, steps, span, empty }: Place): string {
  return Buffer.from(JSON.stringify([token, ...mark, steps, span, empty])).toString("base64url");
}

/** @throws {Refused} invalid-request */
function readCursor(cursor: string): Place {
  try {
    const [token, markedToken, markedName, steps, span, empty] = JSON.parse(
      Buffer.from(cursor, "base64url").toString("utf8"),
    ) as unknown[];
    const place = { token, mark: [markedToken, markedName], steps, span, empty } as Place;
    // Only what was written so is read so.
    if (writeCursor(place) === cursor && typeof token === "string" && token !== "") return place;
  } catch {
    // said below
  }
  throw noCursor();
}

function noCursor(): Refused {
  return Refused.field("cursor", "must be the cursor of an answer");
}
