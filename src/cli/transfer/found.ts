/** Objects that are there, page by page. */
import { type Api, ApiError } from "../api.ts";
import { bucketPath, type ObjectName } from "./location.ts";

/** What the Worker gives at once. */
const MAX_PAGE = 1000;

export interface Listed {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
  readonly lastModified: string;
}

/** What a listing holds beside objects, where it goes one level down: the keys that go on behind a slash, as one. */
export interface ListedFolder {
  readonly prefix: string;
}

/** All whose key begins as the place says, or as many as make up `limit`. @throws as `entries` */
export function listed(api: Api, place: ObjectName, limit?: number): AsyncGenerator<Listed> {
  return entries<Listed>(api, place, {}, limit);
}

/** The same, one level down. @throws as `entries` */
export function listedInFolder(
  api: Api,
  place: ObjectName,
  limit?: number,
): AsyncGenerator<Listed | ListedFolder> {
  return entries<Listed | ListedFolder>(api, place, { delimiter: "/" }, limit);
}

/**
 * Page by page, each in the order of names.
 *
 * @throws {ApiError}
 * @throws when the list goes round in circles
 */
async function* entries<T extends Listed | ListedFolder>(
  api: Api,
  { bucket, key }: ObjectName,
  parameters: Readonly<Record<string, string>>,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<T> {
  const seen = new Set<string>();
  let left = limit;
  let cursor: string | undefined;
  do {
    const page: Page = await api.get(bucketPath(bucket), {
      ...parameters,
      // Without one, what the caller may read is listed.
      prefix: key === "" ? undefined : key,
      cursor,
      limit: String(Math.min(left, MAX_PAGE)),
    });
    const onPage = entriesOf(page);
    yield* onPage.slice(0, left) as T[];
    left -= onPage.length;
    ({ cursor } = page);
    if (cursor !== undefined && seen.has(cursor))
      throw new Error("the list goes round in circles: the store names the same place in it again");
    if (cursor !== undefined) seen.add(cursor);
  } while (cursor !== undefined && left > 0);
}

interface Page {
  readonly objects: readonly Listed[];
  readonly prefixes?: readonly string[];
  readonly cursor?: string;
}

/** As the store orders them, by the bytes of UTF-8. */
function entriesOf({ objects, prefixes = [] }: Page): readonly (Listed | ListedFolder)[] {
  if (prefixes.length === 0) return objects;
  const name = (entry: Listed | ListedFolder) => Buffer.from("prefix" in entry ? entry.prefix : entry.key);
  return [...objects, ...prefixes.map((prefix) => ({ prefix }))].sort((a, b) =>
    Buffer.compare(name(a), name(b)),
  );
}

/** One object of a folder. */
export interface Found {
  readonly object: ObjectName;
  /** Its key below the folder; empty for the object that has the folder's own name. */
  readonly below: string;
  /** Bytes. */
  readonly size: number;
}

/** The object of that name, and all that lie in the folder of that name; a whole bucket where there is no key. */
export async function* foundIn(api: Api, { bucket, key }: ObjectName): AsyncGenerator<Found> {
  const isFolder = key === "" || key.endsWith("/");
  if (!isFolder) {
    const own = await objectOf(api, { bucket, key });
    if (own !== undefined) yield { object: { bucket, key }, below: "", size: own.size };
  }
  const folder = isFolder ? key : `${key}/`;
  for await (const { key, size } of listed(api, { bucket, key: folder })) {
    yield { object: { bucket, key }, below: key.slice(folder.length), size };
  }
}

/** The object of exactly that key: of all that begin with it, it comes first. */
async function objectOf(api: Api, object: ObjectName): Promise<Listed | undefined> {
  try {
    for await (const first of listed(api, object, 1)) return first.key === object.key ? first : undefined;
  } catch (error) {
    // Whose grant begins at the folder has nothing of the name before its slash.
    if (!(error instanceof ApiError) || error.code !== "forbidden") throw error;
  }
  return undefined;
}
