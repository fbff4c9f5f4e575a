/** An upload in parts, straight to the store, as the client has it: with the bytes of a file, and what is left of it noted. */
import { type Cut, inParts } from "../../client/parts.ts";
import type { Begun, Remembered } from "../../client/upload-types.ts";
import type { Api } from "../api.ts";
import type { Slots } from "../parallel.ts";
import type { ObjectName } from "./location.ts";
import { beginOpen, endOpen } from "./open-uploads.ts";
import type { Upload } from "./presigned.ts";
import { following, type Moved } from "./progress.ts";
import { sendStretch } from "./send.ts";
import { type Source, SourceError } from "./source.ts";
import type { Fields, Uploaded } from "./uploaded.ts";

export interface PartsOptions {
  readonly fields: Fields;
  /** For parts under way at once. */
  readonly slots: Slots;
  readonly progress: Moved;
  /** An upload of the same bytes that was cut off. */
  readonly earlier?: Upload;
  /** Takes what an upload that is cut off can be resumed by. */
  readonly onBegun?: (upload: Upload) => void;
}

/** @throws {SourceError} when the source changes; nothing of it is then in the store */
export async function putInParts(
  api: Api,
  source: Source,
  to: ObjectName,
  { fields, slots, progress, earlier, onBegun }: PartsOptions,
): Promise<Uploaded> {
  let open: Upload | undefined;
  const isAt = (begun: Begun) => {
    if (open) endOpen(open);
    open = { ...to, ...begun };
    beginOpen(open, { abort: () => abort(api, { ...to, ...begun }), isRemembered: onBegun !== undefined });
  };
  const remembered: Remembered = {
    find: async () => {
      if (!earlier) return undefined;
      const { keyId, uploadId, partSize } = earlier;
      isAt({ keyId, uploadId, partSize });
      return { keyId, uploadId, partSize };
    },
    keep: async (begun) => {
      isAt(begun);
      onBegun?.({ ...to, ...begun });
    },
    // Whoever notes it forgets it.
    forget: async () => {
      if (open) endOpen(open);
    },
  };
  let isSending = false;
  const cut: Cut = {
    size: source.size,
    part: async (from, end) => {
      isSending = true;
      const to = Math.min(end, source.size);
      return {
        size: Math.max(to - from, 0),
        put: (requestOf, sending) =>
          slots.run(async () => sendStretch(await requestOf(), source, [from, to], sending)),
      };
    },
    confirm: async () => source.confirmUnchanged?.(),
  };
  // What an earlier command has sent is told first.
  const onProgress = following((bytes) => (isSending ? progress.add(bytes) : progress.skip(bytes)));
  try {
    const service = { json: <T>(path: string, body: object) => api.post<T>(path, body) };
    return await inParts(service, cut, to, fields, { concurrency: slots.limit, onProgress }, remembered);
  } catch (error) {
    // The store refuses what is not what it was when its MD5 was taken.
    const reason = await Promise.resolve(source.confirmUnchanged?.()).then(
      () => error,
      (changed: unknown) => changed,
    );
    // What nobody can resume only costs.
    if (open && (reason instanceof SourceError || onBegun === undefined)) await abort(api, open);
    throw reason;
  }
}

/** Ends an upload, and frees its parts. */
export async function abort(api: Api, upload: Upload): Promise<void> {
  const { bucket, key, uploadId } = upload;
  await api.post("/v1/multipart/abort", { bucket, key, uploadId });
  endOpen(upload);
}
