/** What an upload is told and tells, and how it is remembered: types only. */
import type { CallOptions } from "./api.ts";

export interface UploadOptions extends CallOptions {
  readonly bucket: string;
  readonly key: string;
  /**
   * "store" (default): straight to the store, by presigned URLs; this client then sees the object's key while it sends.
   * "edge": through the service, and no key is seen; as much as the platform lets through (100 MB on the smaller plans).
   */
  readonly via?: "store" | "edge";
  /** Default: the Blob's own. */
  readonly contentType?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** `"*"`: only where nothing is there yet. */
  readonly ifNoneMatch?: "*";
  /** Keeps the SHA-256 with the object, so that download() can prove it. Not for streams. */
  readonly sha256?: boolean;
  /** Bytes; `total` where it is known. */
  readonly onProgress?: (progress: Progress) => void;
  /** Parts at once. Default 4. */
  readonly concurrency?: number;
  /**
   * Bytes, at least 5 MiB, above which an upload goes in parts of that size, or of more where 10,000 would not do. Of a stream,
   * each part under way is held in memory. Default 8 MiB.
   */
  readonly partSize?: number;
  /**
   * Where ids of an upload in parts are kept, so that the same call goes on after a reload or a crash: localStorage, or what
   * has its three methods. Never a key, a token or a URL.
   */
  readonly resume?: Storage;
}

export interface Progress {
  readonly loaded: number;
  readonly total?: number | undefined;
}

export interface Uploaded {
  readonly bucket: string;
  readonly key: string;
  readonly keyId: string;
  readonly size: number;
  readonly etag: string;
}

export interface Target {
  readonly bucket: string;
  readonly key: string;
}

/** Of the object, beside its bytes. */
export interface About {
  readonly contentType?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly ifNoneMatch?: "*" | undefined;
}

/** An upload at the service: what every step of it names, and how it is cut. */
export interface Begun {
  readonly keyId: string;
  readonly uploadId: string;
  readonly partSize: number;
}

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
