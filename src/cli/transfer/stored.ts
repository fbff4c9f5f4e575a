/** What the store says of an object, by HEAD. */
import type { IncomingHttpHeaders } from "node:http";
import { MARKER_HEADER } from "../../s3/api/upload-id.ts";
import type { Api } from "../api.ts";
import { fromHeaderValue } from "./encoded-word.ts";
import type { ObjectName } from "./location.ts";
import { presign } from "./presigned.ts";
import { askStore, StoreError } from "./store.ts";

export interface Which {
  readonly versionId?: string | undefined;
  readonly keyId?: string | undefined;
}

export interface StoredObject {
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
  /** ISO 8601. */
  readonly lastModified: string;
  readonly keyId: string;
  readonly versionId?: string;
  /** Content headers, and what else an upload can say of an object, by the API's names. */
  readonly content: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Tags on it. */
  readonly tagCount: number;
  /** Entries of its metadata that the store cannot put into headers. */
  readonly missingMetadata: number;
}

const METADATA = "x-amz-meta-";

/** Headers of S3 that say something of an object's content, by the API's names for them. */
export const CONTENT_HEADERS = {
  contentType: "content-type",
  cacheControl: "cache-control",
  contentDisposition: "content-disposition",
  contentEncoding: "content-encoding",
  contentLanguage: "content-language",
  expires: "expires",
  storageClass: "x-amz-storage-class",
  websiteRedirectLocation: "x-amz-website-redirect-location",
} as const;

/** @throws {ApiError} not-found, key-unknown, forbidden, … */
export async function headObject(api: Api, object: ObjectName, which: Which = {}): Promise<StoredObject> {
  const { keyId, ...request } = await presign(api, { operation: "HeadObject", ...object, ...which });
  const { headers } = await askStore(async () => ({ request })).catch((error: unknown) =>
    explain(error, api, { ...object, ...which }),
  );
  return { keyId, ...storedBy(headers) };
}

/** What the headers of an answer to HEAD, or to GET, tell. */
export function storedBy(headers: IncomingHttpHeaders): Omit<StoredObject, "keyId"> {
  const size = headers["content-length"];
  if (size === undefined) throw new Error("the store does not say how long the object is");
  const versionId = text(headers, "x-amz-version-id");
  const content = Object.entries(CONTENT_HEADERS).flatMap(([field, name]) => {
    const value = text(headers, name);
    return value === undefined ? [] : [[field, value] as const];
  });
  const metadata = Object.keys(headers)
    .filter((name) => name.startsWith(METADATA) && name !== MARKER_HEADER)
    .map((name) => [name.slice(METADATA.length), fromHeaderValue(text(headers, name) ?? "")] as const);
  const modified = new Date(headers["last-modified"] ?? Number.NaN);
  return {
    size: Number(size),
    etag: headers.etag ?? "",
    lastModified: Number.isNaN(modified.getTime()) ? "" : modified.toISOString(),
    ...(versionId !== undefined && { versionId }),
    content: Object.fromEntries(content),
    metadata: Object.fromEntries(metadata),
    tagCount: Number(text(headers, "x-amz-tagging-count") ?? 0),
    missingMetadata: Number(text(headers, "x-amz-missing-meta") ?? 0),
  };
}

function text(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return value === undefined ? undefined : String(value);
}

/** A store's answer to HEAD has no body, and that to GET says little; the service finds out what it means. */
export async function explain(error: unknown, api: Api, object: object): Promise<never> {
  if (!(error instanceof StoreError)) throw error;
  const { encrypted } = await api.post<{ encrypted: boolean }>("/v1/verify", object);
  if (!encrypted) throw new Error("the object is there, but was stored without a customer key");
  throw error;
}
