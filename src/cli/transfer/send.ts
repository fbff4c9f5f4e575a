/** A stretch of a source, sent by a presigned request. */
import { ALGORITHM_HEADER } from "../../keys/headers.ts";
import type { Moved } from "./progress.ts";
import type { Source, Stretch } from "./source.ts";
import { askStore, type PresignedRequest } from "./store.ts";

/**
 * Sends the bytes from `from` up to `to`, with their MD5 for the store to check.
 *
 * @param requestOf gives the request anew for each attempt
 * @returns what the store says of it, once it has said that it encrypted
 */
export async function sendStretch(
  requestOf: () => Promise<PresignedRequest>,
  source: Source,
  [from, to]: readonly [number, number],
  progress: Moved,
): Promise<{ etag: string; versionId?: string }> {
  let moved = 0;
  let stretch: Stretch | undefined;
  try {
    const { headers } = await askStore(async () => {
      progress.add(-moved);
      moved = 0;
      const { method, url, headers } = await requestOf();
      stretch = await source.open(from, to);
      const { body, md5 } = stretch;
      const counted = counting(body, (bytes) => {
        moved += bytes;
        progress.add(bytes);
      });
      const withMd5 = { ...headers, ...(md5 !== undefined && { "content-md5": md5 }) };
      return { request: { method, url, headers: withMd5 }, body: counted };
    });
    // Not where it failed: who knows what still reads it.
    (stretch as Stretch | undefined)?.release?.();
    if (headers[ALGORITHM_HEADER] !== "AES256") {
      throw new Error(
        "the store did not say that it encrypted: remove the object, and see `ssec check --live`",
      );
    }
    const versionId = headers["x-amz-version-id"];
    return { etag: headers.etag ?? "", ...(versionId && { versionId: String(versionId) }) };
  } catch (error) {
    progress.add(-moved);
    throw error;
  }
}

/** The same chunks; `count` is told of each that is asked for. */
export async function* counting(
  chunks: AsyncIterable<Buffer>,
  count: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    count(chunk.length);
    yield chunk;
  }
}
