/** What is remembered of an upload in parts, so that a later call goes on with it: ids and sizes, never a key or a URL. */
import { fingerprint, type Source } from "./source.ts";
import type { Remembered, Storage, Target } from "./upload-types.ts";

/**
 * @param source without it, any that there is counts
 * @throws {SsecError} invalid-request for a source that is not known again
 */
export async function storageFor(
  storage: Storage,
  url: string,
  { bucket, key }: Target,
  source?: Source,
): Promise<Remembered> {
  const name = `ssec-edge ${url} ${bucket}/${key}`;
  const expected = source && (await fingerprint(source));
  return {
    find: async () => {
      try {
        const { fingerprint, ...begun } = JSON.parse((await storage.getItem(name)) ?? "{}");
        return begun.uploadId && (fingerprint === expected || !source) ? begun : undefined;
      } catch {
        // It was not written by us, or not to its end: what it says is not worth an error.
        return undefined;
      }
    },
    keep: async (begun) => {
      await storage.setItem(name, JSON.stringify({ fingerprint: expected, ...begun }));
    },
    forget: async () => {
      await storage.removeItem(name);
    },
  };
}
