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
  /** Undefined where nothing was begun, or something else. */
  find(): Promise<Begun | undefined>;
  keep(begun: Begun): Promise<void>;
  forget(): Promise<void>;
}

/** @throws {SsecError} invalid-request for a source that is not known again */
export async function storageFor(
  storage: Storage,
  source: Source,
  url: string,
  { bucket, key }: Target,
): Promise<Remembered> {
  const name = `ssec-edge ${url} ${bucket}/${key}`;
  const expected = await fingerprint(source);
  return {
    find: async () => {
      try {
        const { fingerprint, ...begun } = JSON.parse((await storage.getItem(name)) ?? "{}");
        return fingerprint === expected ? begun : undefined;
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
