/** From this machine to the store: through presigned URLs where the length is known, else through the edge. */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { ALGORITHM_HEADER } from "../../keys/headers.ts";
import { MAX_PUT_BYTES } from "../../s3/api/limits.ts";
import { type Api, ApiError } from "../api.ts";
import { inParallel, type Slots } from "../parallel.ts";
import { withRetries } from "../retry.ts";
import { type ObjectName, objectPath } from "./location.ts";
import { Memory } from "./memory.ts";
import { isNotPresigned, PartRequests, presign, type Upload } from "./presigned.ts";
import type { Moved } from "./progress.ts";
import { type FileSource, MAX_SINGLE, type Source, SourceError, type StreamSource } from "./source.ts";
import { sendToStore, textOf } from "./store.ts";
import { CONTENT_HEADERS, headObject } from "./stored.ts";

/** Content headers and metadata, as the API names them. */
export type Fields = Readonly<Record<string, unknown>>;

export interface Uploaded {
  readonly keyId: string;
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
  readonly versionId?: string;
}

interface Options {
  readonly fields: Fields;
  /** For parts under way at once. */
  readonly slots: Slots;
  readonly progress: Moved;
}

/** What is remembered of an upload, to resume it. */
interface Begun extends Upload {
  readonly sha256: string;
}

/**
 * Uploads a file.
 *
 * @param resume goes on with an upload of the same bytes that was cut off; what is already there is not sent again
 * @throws {SourceError} when the file changes before the store has all of it; nothing of it is then there
 */
export async function uploadFile(
  api: Api,
  source: FileSource,
  to: ObjectName,
  options: Options & { resume: boolean },
): Promise<Uploaded & { sha256: string }> {
  const memory = new Memory<Begun>("put", api.url, to.bucket, to.key, resolve(source.path));
  return memory.alone(() => uploadAlone(api, source, to, options, memory));
}

async function uploadAlone(
  api: Api,
  source: FileSource,
  to: ObjectName,
  { resume, ...options }: Options & { resume: boolean },
  memory: Memory<Begun>,
): Promise<Uploaded & { sha256: string }> {
  const { sha256 } = source;
  const fields = {
    ...options.fields,
    metadata: { ...(options.fields.metadata as object | undefined), sha256 },
  };
  const earlier = memory.recall();
  const isSame = earlier !== undefined && resume && earlier.sha256 === sha256;
  if (earlier !== undefined && !isSame) await abort(api, earlier);
  const uploaded = await uploadSource(api, source, to, {
    ...options,
    fields,
    ...(isSame && { earlier }),
    onBegun: (upload) => memory.keep({ ...upload, sha256 }),
  });
  memory.forget();
  return { ...uploaded, sha256 };
}

interface PartsOptions extends Options {
  readonly earlier?: Upload;
  readonly onBegun?: (upload: Upload) => void;
}

/** Uploads what can be read in stretches: in parts where it is long, through the edge where nothing is presigned. */
export async function uploadSource(
  api: Api,
  source: Source,
  to: ObjectName,
  options: PartsOptions,
): Promise<Uploaded> {
  const { slots } = options;
  try {
    if (source.size <= MAX_SINGLE) return await slots.run(() => putWhole(api, source, to, options));
    return await putInParts(api, source, to, options);
  } catch (error) {
    if (!isNotPresigned(error)) throw error;
    return slots.run(() => putThroughEdge(api, source, to, options));
  }
}

async function putInParts(
  api: Api,
  source: Source,
  to: ObjectName,
  options: PartsOptions,
): Promise<Uploaded> {
  const { fields, slots, progress, earlier, onBegun } = options;
  const { size } = source;
  const held = earlier && (await heldParts(api, earlier));
  const upload =
    held === undefined
      ? await api.post<Upload>("/v1/multipart", { ...to, size, ...fields })
      : (earlier as Upload);
  onBegun?.(upload);
  const { keyId, uploadId, partSize } = upload;
  const id = { ...to, keyId, uploadId };
  const etags = new Map(held);
  const partNumbers = Array.from({ length: Math.ceil(size / partSize) }, (_, i) => i + 1);
  const missing = partNumbers.filter((number) => !etags.has(number));
  const lengthOf = (number: number) => Math.min(number * partSize, size) - (number - 1) * partSize;
  for (const number of etags.keys()) progress.skip(lengthOf(number));

  const requests = new PartRequests(api, { ...id, partSize }, size, missing);
  try {
    await inParallel(missing, slots.limit, async (number) => {
      const from = (number - 1) * partSize;
      const stretch = [from, from + lengthOf(number)] as const;
      const { etag } = await slots.run(() =>
        sendStretch(() => requests.get(number), source, stretch, progress),
      );
      etags.set(number, etag);
    }).catch(async (error: unknown) => {
      // The store refuses what is not what it was when its MD5 was taken.
      await source.confirmUnchanged?.();
      throw error;
    });
    await source.confirmUnchanged?.();
  } catch (error) {
    if (error instanceof SourceError) await abort(api, upload);
    throw error;
  }
  const parts = partNumbers.map((partNumber) => ({ partNumber, etag: etags.get(partNumber) }));
  return api.post("/v1/multipart/complete", { ...id, parts, size });
}

async function putWhole(
  api: Api,
  source: Source,
  to: ObjectName,
  { fields, progress }: PartsOptions,
): Promise<Uploaded> {
  const { size } = source;
  const request = { operation: "PutObject", ...to, contentLength: size, ...fields };
  const presigned = await presign(api, request);
  const { keyId } = presigned;
  const headers = { ...presigned.headers, "content-length": String(size) };
  const answered = await sendStretch(async () => ({ ...presigned, headers }), source, [0, size], progress);
  return confirmed(api, source, to, { keyId, size, ...answered });
}

async function putThroughEdge(
  api: Api,
  source: Source,
  to: ObjectName,
  { fields, progress }: PartsOptions,
): Promise<Uploaded> {
  const { size } = source;
  const { body, md5 } = await source.open(0, size);
  const isWhole = size <= MAX_PUT_BYTES;
  const uploaded = await sendThroughEdge(
    api,
    to,
    counting(body, (bytes) => progress.add(bytes)),
    {
      ...headersOf(fields),
      "content-length": String(size),
      ...(isWhole && md5 !== undefined && { "content-md5": md5 }),
    },
  );
  return confirmed(api, source, to, uploaded);
}

/** What was put, if its source is still what it was. @throws {SourceError} */
async function confirmed(api: Api, source: Source, to: ObjectName, uploaded: Uploaded): Promise<Uploaded> {
  try {
    await source.confirmUnchanged?.();
  } catch (error) {
    throw new SourceError(`${(error as Error).message}${await takeBack(api, to, uploaded)}`);
  }
  return uploaded;
}

/**
 * Removes what was just put, unless another has replaced it already.
 *
 * @returns what to say where it could not be removed
 */
async function takeBack(api: Api, to: ObjectName, { etag, keyId, versionId }: Uploaded): Promise<string> {
  try {
    if (versionId === undefined && (await headObject(api, to, { keyId })).etag !== etag) return "";
    const query = versionId === undefined ? "" : `?versionId=${encodeURIComponent(versionId)}`;
    const headers = versionId === undefined ? { "if-match": etag } : {};
    await api.fetch(`${objectPath(to)}${query}`, { method: "DELETE", headers });
    return "";
  } catch {
    return " (what the object holds now is the file as it was before)";
  }
}

/** @returns what the store says of it, once it has said that it encrypted */
function sendStretch(
  requestOf: () => Promise<{ method: string; url: string; headers: Readonly<Record<string, string>> }>,
  source: Source,
  [from, to]: readonly [number, number],
  progress: Moved,
): Promise<{ etag: string; versionId?: string }> {
  return withRetries(async () => {
    let moved = 0;
    const { method, url, headers } = await requestOf();
    const { body, md5 } = await source.open(from, to);
    const counted = counting(body, (bytes) => {
      moved += bytes;
      progress.add(bytes);
    });
    try {
      const withMd5 = { ...headers, ...(md5 !== undefined && { "content-md5": md5 }) };
      const answer = await sendToStore({ method, url, headers: withMd5 }, counted);
      await textOf(answer);
      if (answer.headers[ALGORITHM_HEADER] !== "AES256") {
        throw new Error(
          "the store did not say that it encrypted: remove the object, and see `ssec check --live`",
        );
      }
      const versionId = answer.headers["x-amz-version-id"];
      return { etag: answer.headers.etag ?? "", ...(versionId && { versionId: String(versionId) }) };
    } catch (error) {
      progress.add(-moved);
      throw error;
    }
  });
}

async function* counting(
  chunks: AsyncIterable<Buffer>,
  count: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    count(chunk.length);
    yield chunk;
  }
}

/** ETags by part number of what the store holds of an upload; undefined where the upload is over. */
async function heldParts(
  api: Api,
  { partSize: _, ...upload }: Upload,
): Promise<Map<number, string> | undefined> {
  const { bucket, key, keyId, uploadId } = upload;
  try {
    const { parts } = await api.post<{ parts: { partNumber: number; etag: string }[] }>(
      "/v1/multipart/parts",
      {
        bucket,
        key,
        keyId,
        uploadId,
      },
    );
    return new Map(parts.map(({ partNumber, etag }) => [partNumber, etag]));
  } catch (error) {
    if (error instanceof ApiError && error.code === "not-found") return undefined;
    throw error;
  }
}

function abort(api: Api, { bucket, key, uploadId }: Upload): Promise<void> {
  return api.post("/v1/multipart/abort", { bucket, key, uploadId });
}

/**
 * Uploads what comes, however much, through the edge. What breaks off leaves nothing.
 *
 * @throws {SourceError} when it cannot be read to its end
 */
export async function uploadStream(
  api: Api,
  { stream }: StreamSource,
  to: ObjectName,
  { fields, progress }: Pick<Options, "fields" | "progress">,
): Promise<Uploaded & { sha256: string }> {
  const hash = createHash("sha256");
  const hashed = async function* () {
    for await (const chunk of stream) {
      hash.update(chunk);
      progress.add(chunk.length);
      yield chunk;
    }
  };
  const uploaded = await sendThroughEdge(api, to, hashed(), headersOf(fields));
  return { ...uploaded, sha256: hash.digest("hex") };
}

/** @throws what the body throws, or else the Worker's refusal */
async function sendThroughEdge(
  api: Api,
  to: ObjectName,
  body: AsyncIterable<Buffer>,
  headers: Record<string, string>,
): Promise<Uploaded> {
  let broken: unknown;
  const watched = async function* () {
    try {
      yield* body;
    } catch (error) {
      broken = error;
      throw error;
    }
  };
  const stream = Readable.toWeb(Readable.from(watched(), { objectMode: false }));
  try {
    const response = await api.fetch(objectPath(to), {
      method: "PUT",
      headers,
      body: stream as NonNullable<RequestInit["body"]>,
      duplex: "half",
    });
    const { keyId, size, etag, versionId } = (await response.json()) as Uploaded;
    return { keyId, size, etag, ...(versionId !== undefined && { versionId }) };
  } catch (error) {
    throw broken ?? error;
  }
}

/** As headers, what the API names as fields. */
function headersOf({ metadata = {}, tagging, ...fields }: Fields): Record<string, string> {
  const content = Object.entries(fields).map(
    ([name, value]) => [CONTENT_HEADERS[name as keyof typeof CONTENT_HEADERS], String(value)] as const,
  );
  const entries = Object.entries(metadata as object).map(
    ([name, value]) => [`x-amz-meta-${name}`, String(value)] as const,
  );
  return {
    ...Object.fromEntries([...content, ...entries]),
    ...(tagging !== undefined && { "x-amz-tagging": String(tagging) }),
  };
}
