/** The end of a multipart upload: nothing counts before the store has confirmed it. */
import { Problem } from "../problem.ts";
import type { Credentials } from "../s3/credentials.ts";
import type { Conditions, MultipartUpload, NamedPart, UploadedPart } from "../s3/multipart.ts";
import type { CustomerKey } from "../ssec/customer-key.ts";
import { confirmUnderKey, type ObjectRef, type Stored } from "./stored.ts";

export interface Completion {
  readonly upload: MultipartUpload;
  readonly uploadId: string;
  /** Of the object that is replaced. */
  readonly conditions?: Conditions;
  /** In any order. */
  readonly parts: readonly NamedPart[];
  /** What the whole is declared to have, bytes. */
  readonly size: number | undefined;
  readonly object: ObjectRef;
  readonly customerKey: CustomerKey;
  readonly credentials: Credentials;
  /** Throws when the whole is longer than the caller may upload. */
  readonly checkLength: (length: number) => void;
}

/**
 * Completes an upload of which the store holds exactly the parts that are named, and confirms the object. Called again
 * after it has succeeded, it says the same again.
 *
 * @throws {Problem} invalid-request: a part is missing or another; conflict: the sizes do not add up, or the object is
 * not what the upload makes; what `checkLength` throws; not-encrypted, key-unknown, not-found, store-error, store-timeout
 */
export async function completeUpload(completion: Completion): Promise<{ stored: Stored }> {
  const { upload, uploadId, object, customerKey, credentials } = completion;
  const parts = [...completion.parts].sort((a, b) => a.partNumber - b.partNumber);
  let length: number | undefined;
  try {
    length = lengthOf(completion.parts, await upload.list(uploadId));
    if (completion.size !== undefined && length !== completion.size) {
      throw new Problem(
        "conflict",
        `The parts have ${length} bytes, not ${completion.size}: upload what is missing, then complete again.`,
      );
    }
    completion.checkLength(length);
    await upload.complete(uploadId, parts, completion.conditions);
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "not-found") throw error;
    // The upload is over: by an earlier call whose answer was lost, or it was aborted.
    return { stored: await confirmEarlier(completion, parts.length, error) };
  }
  const stored = await confirmUnderKey(object, customerKey, credentials);
  if (stored.size !== length) {
    throw new Problem(
      "conflict",
      `The object has ${stored.size} bytes, not the upload's ${length}: it was replaced.`,
    );
  }
  return { stored };
}

/** @throws {Problem} invalid-request with every part at fault */
function lengthOf(named: readonly NamedPart[], uploaded: readonly UploadedPart[]): number {
  const held = new Map(uploaded.map((part) => [part.partNumber, part]));
  const seen = new Set<number>();
  let length = 0;
  for (const [i, { partNumber, etag }] of named.entries()) {
    const part = held.get(partNumber);
    if (seen.has(partNumber)) throw Problem.field(`parts[${i}].partNumber`, "is named twice");
    if (part === undefined) throw Problem.field(`parts[${i}].partNumber`, "was not uploaded");
    if (bare(part.etag) !== bare(etag))
      throw Problem.field(`parts[${i}].etag`, "is not that of the uploaded part");
    seen.add(partNumber);
    length += part.size;
  }
  return length;
}

/** The object that an upload of so many parts has made already, or else why it is not there. */
async function confirmEarlier(
  { object, customerKey, credentials, size }: Completion,
  partCount: number,
  noSuchUpload: Problem,
): Promise<Stored> {
  let stored: Stored;
  try {
    stored = await confirmUnderKey(object, customerKey, credentials);
  } catch (error) {
    throw error instanceof Problem && error.code === "not-found" ? noSuchUpload : error;
  }
  // S3 gives what was made of parts an ETag that ends in their number.
  const isOfParts = bare(stored.etag).endsWith(`-${partCount}`);
  if (isOfParts && (size === undefined || size === stored.size)) return stored;
  throw new Problem("conflict", "The upload is over, and the object is not what it would have made.");
}

/** ETags come with their quotes or without: clients differ in what they pass on. */
function bare(etag: string): string {
  return etag.replaceAll('"', "");
}
