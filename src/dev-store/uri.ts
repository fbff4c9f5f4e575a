/** URI encoding as SigV4 and S3's listings have it: everything but RFC 3986's unreserved characters, upper-case hex. */

/** An object key as a path, or in a listing with encoding-type=url: its slashes stay. */
export function encodeKey(key: string): string {
  return encodeURIComponent(key)
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%2F", "/");
}
