/** Which object keys can be signed and fetched without becoming another object's. */
import * as v from "valibot";

/** S3's limit, in bytes of UTF-8. */
export const MAX_KEY_BYTES = 1024;

const utf8 = new TextEncoder();

/** What an object key and the beginning of one have in common. */
const keyText = v.pipe(
  v.string(),
  v.check((key) => key.isWellFormed(), "must be well-formed Unicode (a surrogate stands alone)"),
  v.check(
    (key) => utf8.encode(key).length <= MAX_KEY_BYTES,
    `must be at most ${MAX_KEY_BYTES} bytes of UTF-8`,
  ),
  v.check((key) => !key.includes("\0"), "must not hold NUL"),
  // Every HTTP client collapses such segments before it sends, even percent-encoded: the path is then another object's.
  v.check(
    (key) => !/(^|\/)\.\.?(\/|$)/.test(key),
    'must not have "." or ".." as a segment: no client could fetch it',
  ),
);

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
export const objectKey = v.pipe(keyText, v.nonEmpty("must not be empty"));

/** The beginning of the keys that a browser form may choose from. */
export const keyPrefix = v.pipe(
  keyText,
  v.check(
    (prefix) => !prefix.includes("${"),
    "must not hold ${: the store puts the file's name after the prefix",
  ),
);
