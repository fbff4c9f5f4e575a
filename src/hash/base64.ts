/** base64 (RFC 4648, section 4), by what browsers and every Node have as well. */

/** Node before 25 has no toBase64 of its own. */
export const toBase64: (bytes: Uint8Array) => string =
  "toBase64" in Uint8Array.prototype
    ? (bytes) => bytes.toBase64()
    : (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

/**
 * What a text holds that is in the alphabet and has its padding; bits that belong to no byte are left out.
 *
 * @throws {DOMException} on any other text
 */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (digit) => digit.charCodeAt(0));
}

/** Whether a text is the one and only spelling of so many bytes. */
export function isBase64Of(text: string, bytes: number): boolean {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return false;
  const raw = fromBase64(text);
  return raw.length === bytes && toBase64(raw) === text;
}
