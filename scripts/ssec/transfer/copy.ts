/** From one object to another, each under its own key: by the store itself where it can, else through this machine. */
import { Readable } from "node:stream";
import { ALGORITHM_HEADER } from "../../../src/ssec/headers.ts";
import { type Api, ApiError } from "../api.ts";
import { withRetries } from "../retry.ts";
import { StoredBytes } from "./download.ts";
import type { ObjectName } from "./location.ts";
import { type Presigned, presign } from "./presigned.ts";
import type { Progress } from "./progress.ts";
import { StoreError, sendToStore, textOf } from "./store.ts";
import { headObject, type StoredObject } from "./stored.ts";
import { type Uploaded, uploadSource } from "./upload.ts";

/** The most that one CopyObject takes, bytes. */
const MAX_COPY = 5 * 2 ** 30;

export interface Copied extends Uploaded {
  /** Whether the bytes never came to this machine. */
  readonly byStore: boolean;
}

export async function copyObject(
  api: Api,
  from: ObjectName,
  to: ObjectName,
  { parallel, progress: progressFor }: { parallel: number; progress: (size: number) => Progress },
): Promise<Copied> {
  const stored = await headObject(api, from);
  const presigned = stored.size > MAX_COPY ? undefined : await presignCopy(api, from, to, stored);
  if (presigned !== undefined && (await storeCopies(presigned))) {
    const { keyId, size, etag } = await headObject(api, to, { keyId: presigned.keyId });
    return { keyId, size, etag, byStore: true };
  }
  const bytes = new StoredBytes(api, from, stored, {});
  const source = {
    size: stored.size,
    open: async (start: number, end: number) => ({ body: Readable.from(await bytes.open(start, end)) }),
  };
  const progress = progressFor(stored.size);
  try {
    const { content, metadata } = stored;
    const fields = { ...content, metadata };
    const uploaded = await uploadSource(api, source, to, { fields, parallel, progress });
    return { ...uploaded, byStore: false };
  } finally {
    progress.end();
  }
}

/** Undefined where the two are in different stores. */
async function presignCopy(
  api: Api,
  from: ObjectName,
  to: ObjectName,
  { keyId, etag }: StoredObject,
): Promise<Presigned | undefined> {
  const request = { operation: "CopyObject", ...to, source: { ...from, keyId }, ifSourceMatch: etag };
  try {
    return await presign(api, request);
  } catch (error) {
    if (error instanceof ApiError && error.paths.includes("source.bucket")) return undefined;
    throw error;
  }
}

/** Whether the store has made the copy; false where it does not copy encrypted objects at all. */
async function storeCopies(presigned: Presigned): Promise<boolean> {
  try {
    const [headers, body] = await withRetries(async () => {
      const answer = await sendToStore(presigned);
      return [answer.headers, await textOf(answer)] as const;
    });
    // A copy that fails after it has begun is told in a body, under 200.
    const code = /<Error>.*?<Code>(\w+)<\/Code>/s.exec(body)?.[1];
    if (code !== undefined) throw new StoreError(200, code);
    if (headers[ALGORITHM_HEADER] === "AES256") return true;
    throw new Error("the store did not say that it encrypted: remove the copy, and see `ssec check --live`");
  } catch (error) {
    if (error instanceof StoreError && error.status === 501) return false;
    throw error;
  }
}
