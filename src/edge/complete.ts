/** The end of a multipart upload: nothing counts before the store has confirmed it. */
import type { CustomerKey } from "../keys/customer-key.ts";
import { Refused } from "../refused.ts";
import { MARKER_HEADER } from "../s3/api/upload-id.ts";
import { markerOf } from "../s3/api/upload-seal.ts";
import type { Credentials } from "../s3/store/credentials.ts";
import { isTransient } from "../s3/store/fetch.ts";
import type { Conditions, MultipartUpload, NamedPart, UploadedPart } from "../s3/store/multipart.ts";
import { confirmUnderKey, headObject, isUnderKey, type ObjectRef, type Stored } from "../s3/store/stored.ts";

const { randomBytes } = process.getBuiltinModule("node:crypto");

/** How often a store that fails is told to complete; only where it can be known whether it has done so after all. */
const ATTEMPTS = 3;

export interface Completion {
  readonly upload: MultipartUpload;
  readonly uploadId: string;
  /** Of the object that is replaced. */
  readonly conditions?: Conditions;
  /** The same, looked up right before the end. @throws {Refused} precondition-failed */
  readonly look?: () => Promise<Conditions>;
  /** In any order. */
  readonly parts: readonly NamedPart[];
  /** What the whole is declared to have, bytes. */
  readonly size: number | undefined;
  readonly object: ObjectRef;
  readonly customerKey: CustomerKey;
  readonly credentials: Credentials;
  /** Throws when the whole is longer than the caller may upload, or has another checksum; given that of each part, in order. */
  readonly checkLength: (length: number, ofParts: readonly number[]) => void;
}

/**
 * Completes an upload of which the store holds exactly the parts that are named, and confirms the object. Called again
 * after it has succeeded, it says the same again, as long as the object is still the one that this upload has made.
 *
 * @throws {Refused} invalid-request: a part is missing or another; conflict: the sizes do not add up, or the object is
 * not what the upload makes, or is not shown to be; what `checkLength` and `look` throw; not-encrypted, key-unknown,
 * not-found, store-error, store-timeout
 */
export async function completeUpload(completion: Completion): Promise<{ stored: Stored }> {
  try {
    await completion.look?.();
    const parts = await namedParts(completion);
    const length = parts.reduce((sum, { size }) => sum + size, 0);
    if (completion.size !== undefined && length !== completion.size) {
      throw new Refused(
        "conflict",
        `The parts have ${length} bytes, not ${completion.size}: upload what is missing, then complete again.`,
      );
    }
    completion.checkLength(
      length,
      parts.map(({ size }) => size),
    );
    await complete(completion, parts);
    return { stored: await confirm(completion, length) };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    // The upload is over: by an earlier call whose answer was lost, or it was aborted.
    if (error.reason === "not-found") return { stored: await confirmEarlier(completion, error) };
    // What an earlier call has made may be what the condition forbids now.
    if (error.reason === "precondition-failed") {
      const stored = await ownObject(completion);
      if (stored !== undefined) return { stored: asDeclared(stored, completion) };
    }
    throw error;
  }
}

async function complete(completion: Completion, parts: readonly UploadedPart[]): Promise<void> {
  const { upload, uploadId, look, conditions } = completion;
  for (let attempt = 1; ; attempt++) {
    try {
      return await upload.complete(uploadId, parts, look === undefined ? conditions : await look());
    } catch (error) {
      const isLast = attempt === ATTEMPTS || !isTransient(error) || markerIn(completion) === undefined;
      if (isLast) throw error;
      // Stores that are at it already, for another call, say that they fail.
      if (await ownObject(completion).catch(() => undefined)) return;
      await new Promise((resolve) => setTimeout(resolve, 200 * 4 ** (attempt - 1)));
    }
  }
}

/**
 * The parts as the store has them, in order.
 *
 * @throws {Refused} invalid-request with every part at fault
 */
async function namedParts({ parts: named, upload, uploadId }: Completion): Promise<UploadedPart[]> {
  const held = new Map((await upload.list(uploadId)).map((part) => [part.partNumber, part]));
  const seen = new Set<number>();
  const parts = named.map(({ partNumber, etag }, i) => {
    const part = held.get(partNumber);
    if (seen.has(partNumber)) throw Refused.field(`parts[${i}].partNumber`, "is named twice");
    if (part === undefined) throw Refused.field(`parts[${i}].partNumber`, "was not uploaded");
    if (bare(part.etag) !== bare(etag))
      throw Refused.field(`parts[${i}].etag`, "is not that of the uploaded part");
    seen.add(partNumber);
    return part;
  });
  return parts.sort((a, b) => a.partNumber - b.partNumber);
}

/** The object, once it is there: this upload's, and whole. */
async function confirm(completion: Completion, length: number): Promise<Stored> {
  const { object, customerKey, credentials } = completion;
  if (markerIn(completion) === undefined) {
    const stored = await confirmUnderKey(object, customerKey, credentials);
    if (stored.size === length) return stored;
    throw replaced(`has ${stored.size} bytes, not the upload's ${length}`);
  }
  const stored = await ownObject(completion);
  if (stored === undefined) {
    // Whatever else is wrong with it is said first.
    await confirmUnderKey(object, customerKey, credentials);
    throw replaced("is not this upload's");
  }
  if (stored.size === length) return stored;
  throw replaced(`has ${stored.size} bytes, not the upload's ${length}`);
}

function replaced(what: string): Refused {
  return new Refused("conflict", `The object ${what}: it was replaced.`);
}

/** The object that this upload has made already, or else why it is not there. */
async function confirmEarlier(completion: Completion, noSuchUpload: Refused): Promise<Stored> {
  const { object, customerKey, credentials } = completion;
  const own = await ownObject(completion);
  if (own !== undefined) return asDeclared(own, completion);
  let stored: Stored;
  try {
    stored = await confirmUnderKey(object, customerKey, credentials);
  } catch (error) {
    throw error instanceof Refused && error.reason === "not-found" ? noSuchUpload : error;
  }
  if (markerIn(completion) !== undefined)
    throw new Refused("conflict", "The upload is over, and the object is not what it has made.");
  if (await isCompletedBySay(completion)) return asDeclared(stored, completion);
  throw new Refused(
    "conflict",
    "The upload is over, and whether the object is what it has made is not shown: read the object, or upload it again by POST /v1/multipart, whose uploadId shows it.",
  );
}

/**
 * Whether the store itself says that it has completed this very upload, as AWS does when it is told to again. Of a store
 * that says so of an upload which there never was, the word is worth nothing: there are those that look at ETags alone.
 */
async function isCompletedBySay({ upload, uploadId, parts }: Completion): Promise<boolean> {
  const says = async (id: string) => {
    try {
      await upload.complete(id, inOrder(parts));
      return true;
    } catch (error) {
      if (error instanceof Refused && !isTransient(error)) return false;
      throw error;
    }
  };
  return (await says(uploadId)) && !(await says(randomBytes(16).toString("hex")));
}

function inOrder(parts: readonly NamedPart[]): NamedPart[] {
  return [...parts].sort((a, b) => a.partNumber - b.partNumber);
}

/** @throws {Refused} conflict where the object is not of as many bytes and parts as the call says */
function asDeclared(stored: Stored, { size, parts }: Completion): Stored {
  // S3 gives what was made of parts an ETag that ends in their number.
  const count = /-(\d+)$/.exec(bare(stored.etag))?.[1];
  const isOfParts = count === undefined || Number(count) === parts.length;
  if (isOfParts && (size === undefined || size === stored.size)) return stored;
  throw new Refused("conflict", "The upload is over, and what it has made is not of these parts.");
}

/** The object at the key, where it is under the key and has the marker of this upload; undefined otherwise. */
async function ownObject(completion: Completion): Promise<Stored | undefined> {
  const { object, customerKey, credentials } = completion;
  const marker = markerIn(completion);
  if (marker === undefined) return undefined;
  try {
    const found = await headObject(object, customerKey, credentials);
    const isOwn = found !== undefined && isUnderKey(found.headers, customerKey);
    return isOwn && found.headers.get(MARKER_HEADER) === marker ? found.stored : undefined;
  } catch (error) {
    if (error instanceof Refused && error.reason === "not-found") return undefined;
    throw error;
  }
}

/** Undefined where the id shows nothing: it is the store's own, or there was no room for a marker. */
function markerIn({ uploadId, object: { bucket, key }, customerKey }: Completion): string | undefined {
  return markerOf(uploadId, { storeBucket: bucket.storeBucket, key, customerKey });
}

/** ETags come with their quotes or without: clients differ in what they pass on. */
function bare(etag: string): string {
  return etag.replaceAll('"', "");
}
