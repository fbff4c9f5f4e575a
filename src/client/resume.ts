/** What is remembered of an upload in parts, so that a later call goes on with it: ids and sizes, never a key or a URL. */
import type { Begun } from "./parts.ts";
import { fingerprint, type Source } from "./source.ts";
import type { Target } from "./upload.ts";

/** localStorage, or what works as it does; React Native's AsyncStorage does. */
export interface Storage {
  getItem(name: string): string | null | Promise<string | null>;
  setItem(name: string, value: string): unknown;
  removeItem(name: string): unknown;
}

/** The place of one upload. */
export interface Remembered {
  /** Undefined where nothing was begun, or with another source. */
  find(): Promise<Begun | undefined>;
  keep(begun: Begun): Promise<void>;
  forget(): Promise<void>;
}

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
