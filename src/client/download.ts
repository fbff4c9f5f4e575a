/** download(): an object as it is stored, which goes on where the network broke. */
import { type Api, type CallOptions, heard, objectPath } from "./api.ts";
import { SsecError } from "./error.ts";
import { type Head, head } from "./objects.ts";
import { persist } from "./retry.ts";
import { request } from "./send.ts";
import { heardByStore, type Presigned } from "./store.ts";
import type { Progress } from "./upload-types.ts";

export interface DownloadOptions extends CallOptions {
  readonly bucket: string;
  readonly key: string;
  /** "store" (default): by a presigned URL, with the object's key. "edge": through the service, and no key is seen. */
  readonly via?: "store" | "edge";
  /** Bytes, the last of them included. */
  readonly range?: { readonly start: number; readonly end?: number };
  readonly onProgress?: (progress: Progress) => void;
  /** Proves the SHA-256 that upload() has kept; the body ends in an error where it is another. Not with a range. */
  readonly sha256?: boolean;
}

/** What has come, or comes. One of `body`, `blob()`, `bytes()` and `text()` may be taken, once. */
export interface Downloaded {
  /** 200, or 206 for a range. */
  readonly status: number;
  /** Of what comes, bytes; undefined where the store does not say, or a page may not read it. */
  readonly size: number | undefined;
  readonly etag: string | undefined;
  readonly contentType: string | undefined;
  readonly body: ReadableStream<Uint8Array>;
  blob(): Promise<Blob>;
  bytes(): Promise<Uint8Array>;
  text(): Promise<string>;
}

export async function download(api: Api, options: DownloadOptions): Promise<Downloaded> {
  const { range: { start = 0, end } = {}, onProgress, signal, sha256 } = options;
  if (sha256 && options.range) throw new SsecError("invalid-request", "sha256 is not for a range");
  const isRanged = options.range !== undefined;
  const open = (from: number) =>
    persist(
      () => ask(api, options, isRanged || from > start ? `bytes=${from}-${end ?? ""}` : undefined),
      signal,
    );
  const first = await open(start);
  const length = first.headers.get("content-length");
  const size = length === null ? undefined : Number(length);
  const etag = first.headers.get("etag") ?? undefined;
  const proof = sha256 ? await proofOf(api, options) : undefined;

  // React Native has no streams: there it comes as a whole.
  if (!first.body) return answerOf(first, size, etag, () => first.blob(), undefined);
  let reader = first.body.getReader();
  let loaded = 0;
  /** Goes on behind what has come, where it is still the same object. */
  const reopen = async () => {
    const now = await head(api, options);
    if (now.contentEncoding)
      throw new SsecError("conflict", "the download broke off, and is encoded: begin anew");
    const next = etag === undefined || now.etag === etag ? await open(start + loaded) : undefined;
    // It may have been replaced since then as well.
    if (!next || next.headers.get("etag") !== first.headers.get("etag"))
      throw new SsecError("conflict", "the object was replaced while it was downloaded: begin anew");
    if (next.status !== 206 || !next.body)
      throw new SsecError("store-error", "the store does not go on where the download broke off");
    reader = next.body.getReader();
  };
  const read = () =>
    persist(async (failures) => {
      if (failures > 0) await reopen();
      return heard(
        () => reader.read(),
        api.url,
        signal,
        () => "the download broke off",
      );
    }, signal);
  const body = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { done, value } = await read();
        if (done) {
          proof?.();
          return controller.close();
        }
        loaded += value.byteLength;
        proof?.(value);
        onProgress?.({ loaded, ...(size !== undefined && { total: size }) });
        controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return answerOf(first, size, etag, () => new Response(body, { headers: first.headers }).blob(), body);
}

function answerOf(
  { status, headers }: Response,
  size: number | undefined,
  etag: string | undefined,
  blob: () => Promise<Blob>,
  body: ReadableStream<Uint8Array> | undefined,
): Downloaded {
  return {
    status,
    size,
    etag,
    contentType: headers.get("content-type") ?? undefined,
    get body() {
      if (body) return body;
      throw new TypeError("there are no streams here: take blob()");
    },
    blob,
    bytes: async () => new Uint8Array(await (await blob()).arrayBuffer()),
    text: async () => (await blob()).text(),
  };
}

async function ask(
  api: Api,
  { bucket, key, via = "store", signal }: DownloadOptions,
  range: string | undefined,
): Promise<Response> {
  const ranged = range === undefined ? {} : { range };
  if (via === "edge")
    return api.ask(objectPath({ bucket, key }), { method: "GET", headers: ranged, signal: signal ?? null });
  const { url, method, headers } = await api.json<Presigned>(
    "/v1/presign",
    { operation: "GetObject", bucket, key },
    { signal },
  );
  const init = { method, headers: { ...headers, ...ranged }, signal: signal ?? null };
  return heardByStore(() => request(url, init, api.fetch), url, signal, bucket);
}

/** Takes each piece, and nothing at the end. */
async function proofOf(api: Api, options: DownloadOptions): Promise<(bytes?: Uint8Array) => void> {
  const [{ Sha256 }, { metadata }] = (await Promise.all([import("./digest.ts"), head(api, options)])) as [
    typeof import("./digest.ts"),
    Head,
  ];
  const { sha256 } = metadata;
  if (!sha256)
    throw new SsecError("conflict", "no SHA-256 lies with it: upload() keeps one where sha256 is true");
  const hash = new Sha256();
  return (bytes) => {
    if (bytes) hash.update(bytes);
    else if (hash.digest() !== sha256)
      throw new SsecError("conflict", "these are not the bytes that were uploaded");
  };
}
