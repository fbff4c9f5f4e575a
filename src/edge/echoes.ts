/**
 * Checks that the store answered about the version or part that was asked for. Some stores pass over a parameter that they do
 * not know, and answer about something else.
 */
import { Refused } from "../refused.ts";
import { wholeNumberIn } from "../s3/api/whole-number.ts";

const VERSION = "x-amz-version-id";

/**
 * Whether an answer is about the version that was asked for. What was never versioned has the version "null", and many
 * stores do not say so.
 *
 * @throws {Refused} invalid-request when the store has answered for another
 */
export function checkVersion(versionId: string | undefined, headers: Headers): void {
  if (versionId === undefined) return;
  const given = headers.get(VERSION) ?? "null";
  if (given !== versionId) throw Refused.field("versionId", "is none that the store has of this object");
}

/**
 * Whether an answer is the part that was asked for, or the whole of what is one part.
 *
 * @throws {Refused} invalid-request when the store has given something else; range-not-satisfiable when there is no such part
 */
export function checkPart(partNumber: number | undefined, { status, headers }: Response): void {
  if (partNumber === undefined || status === 206 || headers.has("x-amz-mp-parts-count")) return;
  // S3 gives what was made of parts an ETag that ends in their number.
  const isOfParts = /-\d+"?$/.test(headers.get("etag") ?? "");
  if (isOfParts)
    throw Refused.field("partNumber", "is not known to this store: ask for a Range of the object instead");
  if (partNumber > 1) throw noSuchPart(wholeNumberIn(headers.get("content-length")));
}

/** @param objectSize bytes */
export function noSuchPart(objectSize: number | undefined): Refused {
  return new Refused("range-not-satisfiable", "The object has no part of this number.", {
    objectSize,
    storeCode: "InvalidPartNumber",
  });
}
