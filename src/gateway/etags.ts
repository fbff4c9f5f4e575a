/**
 * ETags as clients of the gateway see them. Many programs take one of 32 hexadecimal digits for the MD5 of what they have
 * sent, and throw away what has another; of an object under a customer key it need not be. So such an ETag has a mark, which
 * is taken off again wherever it comes back.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html for what an ETag is under SSE-C
 */

/** No store's own ETag ends so; those of uploads in parts end in a number. */
const MARK = "-ssec";

/** With quotes or without, as it comes. */
export function marked(etag: string): string {
  return etag.replace(/^("?)([0-9a-f]{32})("?)$/i, `$1$2${MARK}$3`);
}

/** Whatever holds ETags: one, or a list of them as a condition has it. */
export function unmarked(text: string): string {
  return text.replace(/\b([0-9a-f]{32})-ssec\b/gi, "$1");
}
