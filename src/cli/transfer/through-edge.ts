/** Uploads through the edge: what has no length of its own, and what nobody is presigned a request for. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { MAX_PUT_BYTES } from "../../s3/api/limits.ts";
import type { Api } from "../api.ts";
import { type ObjectName, objectPath } from "./location.ts";
import type { Moved } from "./progress.ts";
import { counting } from "./send.ts";
import type { Source, StreamSource } from "./source.ts";
import { CONTENT_HEADERS } from "./stored.ts";
import type { Fields, Uploaded } from "./uploaded.ts";

interface Options {
  readonly fields: Fields;
  readonly progress: Moved;
}

/** Uploads what has a length. */
export async function putThroughEdge(
  api: Api,
  source: Source,
  to: ObjectName,
  { fields, progress }: Options,
): Promise<Uploaded> {
  const { size } = source;
  const { body, md5 } = await source.open(0, size);
  const headers = {
    ...headersOf(fields),
    "content-length": String(size),
    // What goes on as one PUT has one MD5.
    ...(size <= MAX_PUT_BYTES && md5 !== undefined && { "content-md5": md5 }),
  };
  return send(
    api,
    to,
    counting(body, (bytes) => progress.add(bytes)),
    headers,
  );
}

/**
 * Uploads what comes, however much. What breaks off leaves nothing.
 *
 * @throws {SourceError} when it cannot be read to its end
 */
export async function uploadStream(
  api: Api,
  { stream }: StreamSource,
  to: ObjectName,
  { fields, progress }: Options,
): Promise<Uploaded & { sha256: string }> {
  const hash = createHash("sha256");
  const hashed = async function* () {
    for await (const chunk of stream) {
      hash.update(chunk);
      progress.add(chunk.length);
      yield chunk;
    }
  };
  const uploaded = await send(api, to, hashed(), headersOf(fields));
  return { ...uploaded, sha256: hash.digest("hex") };
}

/** @throws what the body throws, or else the Worker's refusal */
async function send(
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
