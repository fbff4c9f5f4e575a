/**
 * `ssec-edge/client`: uploads, downloads and lists, in browsers, Node, Deno, Bun, React Native and Workers. No dependency.
 *
 * ```ts
 * const files = createClient({ url: "https://edge.example.com", token: () => session.accessToken });
 * await files.upload(file, { bucket: "media", key: `users/${me}/${file.name}`, onProgress, resume: localStorage });
 * ```
 */
import { Api, type CallOptions, type ClientOptions } from "./api.ts";
import { type Downloaded, type DownloadOptions, download } from "./download.ts";
import {
  type Head,
  head,
  type Listed,
  type ListOptions,
  list,
  type ObjectOptions,
  remove,
  type ShareOptions,
  share,
} from "./objects.ts";
import { discard } from "./parts.ts";
import type { Source } from "./source.ts";
import type { Presigned } from "./store.ts";
import { upload } from "./upload.ts";
import type { Storage, Uploaded, UploadOptions } from "./upload-types.ts";

export type { CallOptions, ClientOptions } from "./api.ts";
export type { Downloaded, DownloadOptions } from "./download.ts";
export { SsecError } from "./error.ts";
export type { Head, Listed, ListOptions, ObjectOptions, ShareOptions } from "./objects.ts";
export type { Source } from "./source.ts";
export type { Presigned } from "./store.ts";
export type { Progress, Storage, Uploaded, UploadOptions } from "./upload-types.ts";

/** Every method rejects with an SsecError, or with the reason of the signal that it was given. */
export interface Client {
  /** One PUT up to 8 MiB, parts side by side above; whatever fails for a while is tried again. */
  upload(source: Source, options: UploadOptions): Promise<Uploaded>;
  /** Ends an upload in parts that was to go on later, at the store and in `resume`; where there is none, nothing happens. */
  discard(options: ObjectOptions & { readonly resume: Storage }): Promise<void>;
  /** Resolves when the answer begins; its body goes on by itself where the network breaks. */
  download(options: DownloadOptions): Promise<Downloaded>;
  head(options: ObjectOptions): Promise<Head>;
  remove(options: ObjectOptions): Promise<void>;
  list(options: ListOptions): Promise<Listed>;
  /** `POST /v1/presign`: any operation, with its own fields. The answer holds the object's key, unless it is `via: "edge"`. */
  presign(
    request: {
      readonly operation: string;
      readonly bucket: string;
      readonly key?: string;
      readonly [field: string]: unknown;
    },
    options?: CallOptions,
  ): Promise<Presigned>;
  /** A link that opens without any header. */
  share(options: ShareOptions): Promise<{ readonly url: string; readonly expiresAt: string }>;
}

/** @throws {TypeError} where `url` is none */
export function createClient(options: ClientOptions): Client {
  const api = new Api(options);
  return {
    upload: (source, options) => upload(api, source, options),
    discard: (options) => discard(api, options),
    download: (options) => download(api, options),
    head: (options) => head(api, options),
    remove: (options) => remove(api, options),
    list: (options) => list(api, options),
    presign: (request, options) => api.json("/v1/presign", request, options),
    share: (options) => share(api, options),
  };
}
