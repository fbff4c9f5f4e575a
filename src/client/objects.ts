/** What is asked of objects beside their bytes. */
import { type Api, type CallOptions, objectPath } from "./api.ts";
import { SsecError } from "./error.ts";
import { persist } from "./retry.ts";
import type { Presigned } from "./store.ts";

export interface ObjectOptions extends CallOptions {
  readonly bucket: string;
  readonly key: string;
}

export interface Head {
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
  readonly keyId: string;
  readonly lastModified: string | undefined;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What the object is, without its bytes. */
export function head(api: Api, { bucket, key, signal }: ObjectOptions): Promise<Head> {
  const path = objectPath({ bucket, key });
  return persist(async () => {
    const { headers } = await api
      .ask(path, { method: "HEAD", signal: signal ?? null })
      .catch(async (error: unknown) => {
        // An answer to HEAD has no body that could say what is wrong: the first byte's has.
        if (error instanceof SsecError && error.status)
          await api
            .ask(path, { headers: { range: "bytes=0-0" }, signal: signal ?? null })
            .then((answer) => answer.body?.cancel());
        throw error;
      });
    const metadata: Record<string, string> = {};
    headers.forEach((value, name) => {
      if (name.startsWith("x-amz-meta-")) metadata[name.slice(11)] = value;
    });
    return {
      size: Number(headers.get("content-length")),
      etag: headers.get("etag") ?? "",
      keyId: headers.get("x-ssec-key-id") ?? "",
      lastModified: headers.get("last-modified") ?? undefined,
      contentType: headers.get("content-type") ?? undefined,
      contentEncoding: headers.get("content-encoding") ?? undefined,
      metadata,
    };
  }, signal);
}

export async function remove(api: Api, { bucket, key, signal }: ObjectOptions): Promise<void> {
  await persist(
    () => api.ask(objectPath({ bucket, key }), { method: "DELETE", signal: signal ?? null }),
    signal,
  );
}

export interface ListOptions extends CallOptions {
  readonly bucket: string;
  readonly prefix?: string;
  /** "/" gives folders as `prefixes`. */
  readonly delimiter?: string;
  /** Of the answer before. */
  readonly cursor?: string;
  /** At most 1000. */
  readonly limit?: number;
}

export interface Listed {
  readonly objects: readonly {
    readonly key: string;
    readonly size: number;
    readonly etag: string;
    readonly lastModified: string;
  }[];
  readonly prefixes?: readonly string[];
  /** Where there is more. */
  readonly cursor?: string;
}

export function list(api: Api, { bucket, signal, ...page }: ListOptions): Promise<Listed> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(page)) if (value !== undefined) query.set(name, String(value));
  return api.json(`/v1/objects/${encodeURIComponent(bucket)}?${query}`, undefined, { signal });
}

export interface ShareOptions extends ObjectOptions {
  /** Seconds. Default: the service's. */
  readonly expiresIn?: number;
}

/** A URL that opens in a browser, without any header; whoever has it has the object, for as long as it lives. */
export async function share(
  api: Api,
  { signal, ...request }: ShareOptions,
): Promise<{ readonly url: string; readonly expiresAt: string }> {
  const { url, expiresAt } = await api.json<Presigned>(
    "/v1/presign",
    { operation: "GetObject", via: "edge", ...request },
    { signal },
  );
  return { url, expiresAt };
}
