/** URI encoding as SigV4 demands it: everything but RFC 3986's unreserved characters, upper-case hex. */

/** @throws {URIError} on a lone surrogate */
export function encodeRfc3986(text: string): string {
  return /[^\w.~-]/.test(text) ? encode(text) : text;
}

/** An object key as a path: its slashes stay. */
export function encodeKey(key: string): string {
  return /[^\w.~/-]/.test(key) ? encode(key).replaceAll("%2F", "/") : key;
}

const fixed = new WeakMap<object, string>();

/** A query that stays as it is, and so is encoded once. */
export function fixedQuery(query: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  fixed.set(query, encodeQuery(query));
  return Object.freeze(query);
}

/** `a=1&b=2`, by name. */
export function encodeQuery(query: Readonly<Record<string, string>>): string {
  const known = fixed.get(query);
  if (known !== undefined) return known;
  return Object.keys(query)
    .sort()
    .map((name) => `${encodeRfc3986(name)}=${encodeRfc3986(query[name] ?? "")}`)
    .join("&");
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
