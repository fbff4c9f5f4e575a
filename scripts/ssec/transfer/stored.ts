/** What the store says of an object, by HEAD. */
import { MARKER_HEADER } from "../../../src/s3/upload-id.ts";
import type { Api } from "../api.ts";
import { withRetries } from "../retry.ts";
import type { ObjectName } from "./location.ts";
import { presign } from "./presigned.ts";
import { StoreError, sendToStore, textOf } from "./store.ts";

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
  /** Content headers, by the API's names. */
  readonly content: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
}

const METADATA = "x-amz-meta-";

/** Content headers of S3 by the API's names for them. */
export const CONTENT_HEADERS = {
  contentType: "content-type",
  cacheControl: "cache-control",
  contentDisposition: "content-disposition",
  contentEncoding: "content-encoding",
  contentLanguage: "content-language",
} as const;

/** @throws {ApiError} not-found, key-unknown, forbidden, … */
export async function headObject(api: Api, object: ObjectName, which: Which = {}): Promise<StoredObject> {
  const { keyId, ...request } = await presign(api, { operation: "HeadObject", ...object, ...which });
  const { headers } = await withRetries(async () => {
    const answer = await sendToStore(request);
    await textOf(answer);
    return answer;
  }).catch((error: unknown) => explain(error, api, { ...object, ...which }));
  const named = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
  const content = Object.entries(CONTENT_HEADERS).flatMap(([field, name]) =>
    headers[name] === undefined ? [] : [[field, headers[name]] as const],
  );
  const versionId = headers["x-amz-version-id"];
  return {
    size: Number(headers["content-length"]),
    etag: headers.etag ?? "",
    lastModified: new Date(headers["last-modified"] ?? 0).toISOString(),
    keyId,
    ...(versionId !== undefined && { versionId: String(versionId) }),
    content: Object.fromEntries(content),
    metadata: Object.fromEntries(
      named
        .filter(([name]) => name.startsWith(METADATA) && name !== MARKER_HEADER)
        .map(([name, value]) => [name.slice(METADATA.length), value]),
    ),
  };
}

/** A store's answer to HEAD has no body; the service finds out what it means. */
async function explain(error: unknown, api: Api, object: object): Promise<never> {
  if (!(error instanceof StoreError)) throw error;
  const { encrypted } = await api.post<{ encrypted: boolean }>("/v1/verify", object);
  if (!encrypted) throw new Error("the object is there, but was stored without a customer key");
  throw error;
}
