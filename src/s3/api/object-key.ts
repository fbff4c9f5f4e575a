/** Which object keys can be signed and fetched without becoming another object's. */
import * as v from "valibot";
import { faultless } from "../../validation.ts";
import { MAX_KEY_BYTES } from "./limits.ts";

/** A character of UTF-16 is at most so many bytes of UTF-8. */
const MAX_BYTES_EACH = 3;

const SIZED = { minLength: 1, maxLength: MAX_KEY_BYTES };

const utf8 = new TextEncoder();

/** Any name that an object may have in a store, also one that no path can hold. */
export const objectName = v.pipe(
  v.string(),
  faultless((key) => (key === "" ? "must not be empty" : faultOfName(key)), SIZED),
);

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
export const objectKey = v.pipe(
  v.string(),
  faultless((key) => (key === "" ? "must not be empty" : faultOfText(key)), SIZED),
);

/** The beginning of the keys that a browser form may choose from. */
export const keyPrefix = v.pipe(
  v.string(),
  faultless(
    (prefix) =>
      faultOfText(prefix) ??
      (prefix.includes("${")
        ? "must not hold ${: the store puts the file's name after the prefix"
        : undefined),
    { maxLength: MAX_KEY_BYTES },
  ),
);

/** What an object key and the beginning of one have in common. */
function faultOfText(key: string): string | undefined {
  const fault = faultOfName(key);
  if (fault !== undefined) return fault;
  // Every HTTP client collapses such segments before it sends, even percent-encoded: the path is then another object's.
  if (/(^|\/)\.\.?(\/|$)/.test(key)) {
    return (
      'must not have "." or ".." as a segment: no client could fetch it ' +
      "(what a form has named so, DELETE /v1/objects/BUCKET?key= removes)"
    );
  }
  return undefined;
}

/** Whether a key has more bytes than any store takes. */
export function isTooLong(key: string): boolean {
  return key.length * MAX_BYTES_EACH > MAX_KEY_BYTES && utf8.encode(key).length > MAX_KEY_BYTES;
}

/** That it is well-formed Unicode, whatever is checked sees to. */
function faultOfName(key: string): string | undefined {
  if (isTooLong(key)) return `must be at most ${MAX_KEY_BYTES} bytes of UTF-8`;
  return key.includes("\0") ? "must not hold NUL" : undefined;
}
