/** upload(): one PUT for what is small, parts side by side for what is not. */
import { MAX_PARTS } from "../s3/api/limits.ts";
import { type Api, objectPath } from "./api.ts";
import { SsecError } from "./error.ts";
import type { Part } from "./part.ts";
import { inParts } from "./parts.ts";
import { storageFor } from "./resume.ts";
import { persist } from "./retry.ts";
import { type Body, isStream, sendBody, sizeOf } from "./send.ts";
import { bytesOf, type Readable, readable, type Source, slice } from "./source.ts";
import { heardByStore } from "./store.ts";
import type { About, Target, Uploaded, UploadOptions } from "./upload-types.ts";
import { inOnePiece } from "./whole.ts";

/** Bytes. */
const PART_SIZE = 8 * 2 ** 20;

export async function upload(api: Api, source: Source, options: UploadOptions): Promise<Uploaded> {
  const { via = "store", bucket, key, signal, sha256, ifNoneMatch, resume, partSize = PART_SIZE } = options;
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
  const partOf = (body: Body): Part => ({
    size: sizeOf(body),
    put: async (requestOf, sending) => {
      const request = await requestOf();
      const send = () => sendBody(request, body, { ...sending, fetch: api.fetch });
      return heardByStore(send, request.url, sending.signal, bucket);
    },
  });
  try {
    const short = await shortOf(from, partSize);
    if (short) return await inOnePiece(api, partOf(short), target, about, options);
    const remembered = resume && (await storageFor(resume, api.url, target, source));
    const cut = {
      size: from.size,
      part: async (at: number, to: number) =>
        partOf(from.size === undefined ? await from.cutter.next(to - at) : slice(from.body, at, to)),
    };
    const all = { ...options, partSize: Math.max(partSize, leastPartSize(from.size)) };
    return await inParts(api, cut, target, about, all, remembered);
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

/** All of it, where that is little enough for one PUT. */
async function shortOf(from: Readable, most: number): Promise<Body | undefined> {
  // A stream is read before its end is known; that is the first part otherwise.
  if ((from.size ?? (await from.cutter.peek(most + 1))) > most) return undefined;
  return from.size === undefined ? from.cutter.next(most) : from.body;
}
