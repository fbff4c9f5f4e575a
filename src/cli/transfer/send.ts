/** A stretch of a source, sent by a presigned request. */
import type { Answer, PresignedRequest, Sending } from "../../client/send.ts";
import type { Source } from "./source.ts";
import { sendToStore, textOf } from "./store.ts";

/**
 * Sends the bytes from `from` up to `to` once, with their MD5 for the store to check.
 *
 * @returns what the store says that has taken them
 * @throws as `sendToStore`
 */
export async function sendStretch(
  { method, url, headers }: PresignedRequest,
  source: Source,
  [from, to]: readonly [number, number],
  { onSent }: Sending,
): Promise<Pick<Answer, "headers">> {
  const { body, md5, release } = await source.open(from, to);
  let moved = 0;
  const counted = counting(body, (bytes) => {
    moved += bytes;
    onSent?.(moved);
  });
  const sized = { ...headers, "content-length": String(to - from), ...(md5 && { "content-md5": md5 }) };
  const answer = await sendToStore({ method, url, headers: sized }, counted);
  await textOf(answer);
  // Not where it failed: who knows what still reads it.
  release?.();
  return { headers: { get: (name) => answer.headers[name]?.toString() ?? null } };
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
