/**
 * Headers that are not ASCII, as metadata may be, go over the wire as UTF-8: that is what is signed. workerd writes and
 * reads them so; other runtimes take each byte for a character.
 */

const IS_WORKERD = globalThis.navigator?.userAgent === "Cloudflare-Workers";

/** What is given to fetch, so that `headers` arrive as they are. */
export function toWire(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (IS_WORKERD || !Object.values(headers).some(isBeyondAscii)) return headers;
  const entries = Object.entries(headers).map(([name, value]) => [
    name,
    isBeyondAscii(value) ? Buffer.from(value, "utf8").toString("latin1") : value,
  ]);
  return Object.fromEntries(entries);
}

/** What a header of an answer says, as text; U+FFFD stands where it is no UTF-8. */
export function fromWire(value: string): string {
  return IS_WORKERD || !isBeyondAscii(value) ? value : Buffer.from(value, "latin1").toString("utf8");
}

function isBeyondAscii(text: string): boolean {
  return /[^\0-\x7f]/.test(text);
}
