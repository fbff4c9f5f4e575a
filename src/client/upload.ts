/** upload(): one PUT for what is small, parts side by side for what is not. */
import { type Api, objectPath } from "./api.ts";
import { SsecError } from "./error.ts";
import { inParts, type Part } from "./parts.ts";
import { storageFor } from "./resume.ts";
import { persist } from "./retry.ts";
import { isStream, sizeOf } from "./send.ts";
import { bytesOf, type Readable, readable, type Source, slice } from "./source.ts";
import { type Presigned, putInStore } from "./store.ts";
import type { About, Target, Uploaded, UploadOptions } from "./upload-types.ts";

/** Bytes. */
const PART_SIZE = 8 * 2 ** 20;
const MAX_PARTS = 10_000;

export async function upload(api: Api, source: Source, options: UploadOptions): Promise<Uploaded> {
  const { via = "store", bucket, key, signal, sha256, ifNoneMatch, resume } = options;
  signal?.throwIfAborted();
  const { type } = source as Blob;
  const contentType = options.contentType ?? (type || undefined);
  const metadata = { ...options.metadata, ...(sha256 && { sha256: await sha256Of(source, signal) }) };
  const about = {
    contentType,
    ...(Object.keys(metadata).length > 0 && { metadata }),
    ifNoneMatch,
  };
  const target = { bucket, key };
  if (via === "edge") return throughEdge(api, source, target, about, options);
  const from = readable(source);
  try {
    const done = await inOnePiece(api, from, target, about, options);
    if (done) return done;
    const remembered = resume && (await storageFor(resume, api.url, target, source));
    const cut = {
      size: from.size,
      part: async (at: number, to: number): Promise<Part> => {
        const body = from.size === undefined ? await from.cutter.next(to - at) : slice(from.body, at, to);
        const put: Part["put"] = async (requestOf, sending) =>
          putInStore(bucket, await requestOf(), body, { ...sending, fetch: api.fetch });
        return { size: sizeOf(body), put };
      },
    };
    const partSize = Math.max(options.partSize ?? PART_SIZE, leastPartSize(from.size));
    return await inParts(api, cut, target, about, { ...options, partSize }, remembered);
  } catch (error) {
    if (from.size === undefined) from.cutter.cancel(error);
    throw error;
  }
}

/** Bytes, for what would else have too many parts. */
const leastPartSize = (size = 0) => 2 ** 20 * Math.ceil(size / MAX_PARTS / 2 ** 20);

async function sha256Of(source: Source, signal: AbortSignal | undefined): Promise<string> {
  if (isStream(source)) throw new SsecError("invalid-request", "sha256 is not for a stream");
  const { hashOf } = await import("./digest.ts");
  return hashOf(bytesOf(source), signal);
}

async function throughEdge(
  api: Api,
  source: Source,
  target: Target,
  { contentType, metadata = {}, ifNoneMatch }: About,
  { onProgress, signal }: UploadOptions,
): Promise<Uploaded> {
  const headers = {
    ...(contentType && { "content-type": contentType }),
    ...(ifNoneMatch && { "if-none-match": ifNoneMatch }),
    ...Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])),
  };
  // A browser sends no stream over HTTP/1.1: there it is collected first, in a Blob, which needs no memory.
  const isCollected = isStream(source) && "XMLHttpRequest" in globalThis;
  const bytes = isCollected ? await new Response(source).blob() : source;
  const sent = isStream(bytes) ? bytes : bytesOf(bytes);
  const total = isStream(sent) ? undefined : sizeOf(sent);
  const once = async () => {
    const onSent = (loaded: number) => onProgress?.({ loaded, total });
    const answer = await api.put(objectPath(target), headers, sent, { signal, onSent });
    return JSON.parse(await answer.text()) as Uploaded;
  };
  const { keyId, size, etag } = isStream(sent) ? await once() : await persist(once, signal);
  onProgress?.({ loaded: size, total: size });
  return { ...target, keyId, size, etag };
}

/** What is small enough, by one PUT; undefined where it is not. */
async function inOnePiece(
  api: Api,
  from: Readable,
  target: Target,
  about: About,
  { onProgress, signal, partSize = PART_SIZE }: UploadOptions,
): Promise<Uploaded | undefined> {
  if (from.size === undefined) {
    // Read before its end is known, it is the first part otherwise.
    const first = await from.cutter.peek(partSize + 1);
    if (first > partSize) return undefined;
  } else if (from.size > partSize) return undefined;
  const body = from.size === undefined ? await from.cutter.next(partSize) : from.body;
  const total = sizeOf(body);
  let keyId = "";
  const etag = await persist(async () => {
    const request: Presigned = await api.json(
      "/v1/presign",
      { operation: "PutObject", ...target, ...about, contentLength: total },
      { signal },
    );
    keyId = request.keyId ?? "";
    const onSent = (loaded: number) => onProgress?.({ loaded, total });
    return putInStore(target.bucket, request, body, { fetch: api.fetch, signal, onSent });
  }, signal);
  onProgress?.({ loaded: total, total });
  return { ...target, keyId, size: total, etag };
}
