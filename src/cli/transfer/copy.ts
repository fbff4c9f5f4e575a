/** From one object to another, each under its own key: by the store itself where it can, else through this machine. */
import { ALGORITHM_HEADER } from "../../keys/headers.ts";
import { type Api, ApiError } from "../api.ts";
import { toHeaderValue } from "./encoded-word.ts";
import type { ObjectName } from "./location.ts";
import type { Share } from "./many.ts";
import { isNotPresigned, type Presigned, presign } from "./presigned.ts";
import { askStore, StoreError } from "./store.ts";
import { headObject, type StoredObject } from "./stored.ts";
import { StoredBytes } from "./stored-bytes.ts";
import { uploadSource } from "./upload.ts";
import type { Fields, Uploaded } from "./uploaded.ts";

/** The most that one CopyObject takes, bytes. */
const MAX_COPY = 5 * 2 ** 30;
/** What HEAD does not say of an object that has it. */
const STANDARD_CLASS = "STANDARD";

/** A store that does not copy encrypted objects; one that does not copy an object onto itself. */
const CANNOT_COPY = ["NotImplemented", "501", "InvalidRequest"];

export interface Copied extends Uploaded {
  /** Whether the bytes never came to this machine. */
  readonly byStore: boolean;
}

/**
 * Copies an object with all that is kept of it: content headers, metadata, tags, storage class, redirect.
 *
 * @throws when the copy lacks one of them
 */
export async function copyObject(
  api: Api,
  from: ObjectName,
  to: ObjectName,
  { slots, progress }: Pick<Share, "slots" | "progress">,
): Promise<Copied> {
  const stored = await headObject(api, from);
  const byStore = await slots.run(() => copyByStore(api, from, to, stored));
  if (byStore !== undefined) {
    const moved = progress(stored.size);
    moved.add(stored.size);
    moved.end();
  }
  const { keyId } = byStore ?? (await copyThroughHere(api, from, to, stored, { slots, progress }));
  let copy = await headObject(api, to, { keyId });
  if (copy.tagCount < stored.tagCount) {
    // A store may lose the tags of what is made of parts.
    const { readTags, writeTags } = await tagging();
    await writeTags(api, to, await readTags(api, from)).catch(() => {});
    copy = await headObject(api, to, { keyId });
  }
  const lost = differences(stored, copy);
  if (lost.length > 0)
    throw new Error(`the copy is there, but without what the object has: ${lost.join(", ")}`);
  const { size, etag } = copy;
  return { keyId, size, etag, byStore: byStore !== undefined };
}

/** Tags are XML, whose parser most copies have no need of. */
const tagging = () => import("./tags.ts");

/** Undefined where the store cannot copy it. */
async function copyByStore(
  api: Api,
  from: ObjectName,
  to: ObjectName,
  stored: StoredObject,
): Promise<{ keyId: string } | undefined> {
  if (stored.size > MAX_COPY) return undefined;
  const presigned = await presignCopy(api, from, to, stored);
  return presigned !== undefined && (await storeCopies(presigned)) ? presigned : undefined;
}

async function copyThroughHere(
  api: Api,
  from: ObjectName,
  to: ObjectName,
  stored: StoredObject,
  { slots, progress: progressFor }: Pick<Share, "slots" | "progress">,
): Promise<Uploaded> {
  const fields = await fieldsOf(api, from, stored);
  const bytes = StoredBytes.of(api, from, stored);
  const source = {
    size: stored.size,
    open: async (start: number, end: number) => ({ body: await bytes.open(start, end) }),
  };
  const progress = progressFor(stored.size);
  try {
    return await uploadSource(api, source, to, { fields, slots, progress });
  } finally {
    progress.end();
  }
}

/** What an upload says of the object, so that it becomes as it was. */
async function fieldsOf(
  api: Api,
  from: ObjectName,
  { content, metadata, tagCount, missingMetadata }: StoredObject,
): Promise<Fields> {
  if (missingMetadata > 0) {
    throw new Error(
      `${missingMetadata} entries of its metadata do not pass through headers, and would be lost: copy it in the store`,
    );
  }
  const names = Object.keys(metadata);
  return {
    ...content,
    ...(names.length > 0 && {
      metadata: Object.fromEntries(names.map((name) => [name, toHeaderValue(metadata[name] ?? "")])),
    }),
    ...(tagCount > 0 && { tagging: await (await tagging()).readTags(api, from) }),
  };
}

/** What of an object its copy does not have, by the API's names. */
function differences(from: StoredObject, to: StoredObject): string[] {
  const standard = { storageClass: STANDARD_CLASS };
  return [
    ...(from.size === to.size ? [] : ["size"]),
    ...differing({ ...standard, ...from.content }, { ...standard, ...to.content }),
    ...differing(from.metadata, to.metadata).map((name) => `metadata.${name}`),
    ...(from.tagCount === to.tagCount ? [] : ["tagging"]),
    ...(from.missingMetadata === to.missingMetadata ? [] : ["metadata"]),
  ];
}

/** A store may add to what it was told, as a default content type. */
function differing(from: Readonly<Record<string, string>>, to: Readonly<Record<string, string>>): string[] {
  const isKept = (name: string) =>
    from[name] === to[name] ||
    (name === "expires" && Date.parse(from[name] ?? "") === Date.parse(to[name] ?? ""));
  return Object.keys(from).filter((name) => !isKept(name));
}

/** Undefined where the two are in different stores, or the store is presigned no writes. */
async function presignCopy(
  api: Api,
  from: ObjectName,
  to: ObjectName,
  { keyId, etag, content }: StoredObject,
): Promise<Presigned | undefined> {
  // Of all that belongs to an object, a copy begins anew with these.
  const { storageClass, websiteRedirectLocation } = content;
  const request = {
    operation: "CopyObject",
    ...to,
    source: { ...from, keyId },
    ifSourceMatch: etag,
    ...(storageClass !== undefined && storageClass !== STANDARD_CLASS && { storageClass }),
    ...(websiteRedirectLocation !== undefined && { websiteRedirectLocation }),
  };
  try {
    return await presign(api, request);
  } catch (error) {
    if (isNotPresigned(error)) return undefined;
    if (error instanceof ApiError && error.paths.includes("source.bucket")) return undefined;
    throw error;
  }
}

/** Whether the store has made the copy; false where it does not copy encrypted objects at all. */
async function storeCopies(presigned: Presigned): Promise<boolean> {
  try {
    const { headers, text } = await askStore(async () => ({ request: presigned }));
    // A copy that fails after it has begun is told in a body, under 200.
    const code = /<Error>.*?<Code>(\w+)<\/Code>/s.exec(text)?.[1];
    if (code !== undefined) throw new StoreError(200, code);
    if (headers[ALGORITHM_HEADER] === "AES256") return true;
    throw new Error("the store did not say that it encrypted: remove the copy, and see `ssec check --live`");
  } catch (error) {
    if (error instanceof StoreError && CANNOT_COPY.includes(error.code || String(error.status))) return false;
    throw error;
  }
}
