/** A stretch of a source, sent by a presigned request. */
import type { PresignedRequest } from "../../client/send.ts";
import { ALGORITHM_HEADER } from "../../keys/headers.ts";
import { withRetries } from "../retry.ts";
import type { Moved } from "./progress.ts";
import type { Source } from "./source.ts";
import { sendToStore, textOf } from "./store.ts";

/**
 * Sends the bytes from `from` up to `to`, with their MD5 for the store to check, until the store has them.
 *
 * @param requestOf gives the request anew for each attempt
 */
export async function sendStretch(
  requestOf: () => Promise<PresignedRequest>,
  source: Source,
  stretch: readonly [number, number],
  progress: Moved,
): Promise<Sent> {
  let moved = 0;
  const onSent = (bytes: number) => {
    progress.add(bytes - moved);
    moved = bytes;
  };
  try {
    return await withRetries(async () => sendOnce(await requestOf(), source, stretch, onSent));
  } catch (error) {
    onSent(0);
    throw error;
  }
}

interface Sent {
  readonly etag: string;
  readonly versionId?: string;
}

/**
 * Sends them once.
 *
 * @param onSent is told how many of them have gone out
 * @returns what the store says of it, once it has said that it encrypted
 * @throws as `sendToStore`
 */
export async function sendOnce(
  { method, url, headers }: PresignedRequest,
  source: Source,
  [from, to]: readonly [number, number],
  onSent: (bytes: number) => void = () => {},
): Promise<Sent> {
  onSent(0);
  const { body, md5, release } = await source.open(from, to);
  let moved = 0;
  const counted = counting(body, (bytes) => {
    moved += bytes;
    onSent(moved);
  });
  const sized = { ...headers, "content-length": String(to - from), ...(md5 && { "content-md5": md5 }) };
  const answer = await sendToStore({ method, url, headers: sized }, counted);
  await textOf(answer);
  // Not where it failed: who knows what still reads it.
  release?.();
  if (answer.headers[ALGORITHM_HEADER] !== "AES256")
    throw new Error(
      "the store did not say that it encrypted: remove the object, and see `ssec check --live`",
    );
  const versionId = answer.headers["x-amz-version-id"];
  return { etag: answer.headers.etag ?? "", ...(versionId && { versionId: String(versionId) }) };
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
