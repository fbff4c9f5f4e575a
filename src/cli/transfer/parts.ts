/** An upload in parts, straight to the store. */
import { type Api, ApiError } from "../api.ts";
import { inParallel, type Slots } from "../parallel.ts";
import type { ObjectName } from "./location.ts";
import { beginOpen, endOpen } from "./open-uploads.ts";
import { PartRequests, type Upload } from "./presigned.ts";
import type { Moved } from "./progress.ts";
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
  options: PartsOptions,
): Promise<Uploaded> {
  const { fields, slots, progress, earlier, onBegun } = options;
  const { size } = source;
  const held = earlier && (await heldParts(api, earlier));
  const upload =
    held === undefined
      ? await api.post<Upload>("/v1/multipart", { ...to, size, ...fields })
      : (earlier as Upload);
  onBegun?.(upload);
  beginOpen(upload, { abort: () => abort(api, upload), isRemembered: onBegun !== undefined });
  const { keyId, uploadId, partSize } = upload;
  const id = { ...to, keyId, uploadId };
  const etags = new Map(held);
  const partNumbers = Array.from({ length: Math.ceil(size / partSize) }, (_, i) => i + 1);
  const missing = partNumbers.filter((number) => !etags.has(number));
  const lengthOf = (number: number) => Math.min(number * partSize, size) - (number - 1) * partSize;
  for (const number of etags.keys()) progress.skip(lengthOf(number));

  const requests = new PartRequests(api, { ...id, partSize }, size, missing);
  try {
    await inParallel(missing, slots.limit, async (number) => {
      const from = (number - 1) * partSize;
      const stretch = [from, from + lengthOf(number)] as const;
      const { etag } = await slots.run(() =>
        sendStretch(() => requests.get(number), source, stretch, progress),
      );
      etags.set(number, etag);
    }).catch(async (error: unknown) => {
      // The store refuses what is not what it was when its MD5 was taken.
      await source.confirmUnchanged?.();
      throw error;
    });
    await source.confirmUnchanged?.();
  } catch (error) {
    // What nobody can resume only costs.
    if (error instanceof SourceError || onBegun === undefined) await abort(api, upload);
    throw error;
  }
  const parts = partNumbers.map((partNumber) => ({ partNumber, etag: etags.get(partNumber) }));
  const uploaded = await api.post<Uploaded>("/v1/multipart/complete", { ...id, parts, size });
  endOpen(upload);
  return uploaded;
}

/** ETags by part number of what the store holds of an upload; undefined where the upload is over. */
async function heldParts(
  api: Api,
  { bucket, key, keyId, uploadId }: Upload,
): Promise<Map<number, string> | undefined> {
  try {
    const { parts } = await api.post<{ parts: { partNumber: number; etag: string }[] }>(
      "/v1/multipart/parts",
      { bucket, key, keyId, uploadId },
    );
    return new Map(parts.map(({ partNumber, etag }) => [partNumber, etag]));
  } catch (error) {
    if (error instanceof ApiError && error.code === "not-found") return undefined;
    throw error;
  }
}

/** Ends an upload, and frees its parts. */
export async function abort(api: Api, upload: Upload): Promise<void> {
  const { bucket, key, uploadId } = upload;
  await api.post("/v1/multipart/abort", { bucket, key, uploadId });
  endOpen(upload);
}
