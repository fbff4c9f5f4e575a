/** Text in a header that holds ASCII alone, as S3 takes and gives metadata: https://www.rfc-editor.org/rfc/rfc2047 */

/** Printable, without spaces at its ends; empty is fine. */
const PLAIN = /^([!-~]([ -~]*[!-~])?)?$/;
const WORD = /=\?([\w-]+)\?([bq])\?([!->@-~]*)\?=/gi;
const BETWEEN_WORDS = /(=\?[\w-]+\?[bq]\?[!->@-~]*\?=)\s+(?==\?[\w-]+\?[bq]\?)/gi;
/** Bytes of text in a word of 75 characters at most. */
const MAX_BYTES = 45;

export function isPlain(text: string): boolean {
  return PLAIN.test(text);
}

/** As it stands where that is plain ASCII, else in encoded words. */
export function toHeaderValue(text: string): string {
  if (isPlain(text)) return text;
  const words: string[] = [];
  let word = "";
  for (const character of text) {
    if (Buffer.byteLength(word + character) > MAX_BYTES) {
      words.push(word);
      word = "";
    }
    word += character;
  }
  return [...words, word].map((each) => `=?UTF-8?B?${Buffer.from(each).toString("base64")}?=`).join(" ");
}

/** What a header says: encoded words are decoded, and so are bytes of UTF-8, which Node gives as characters of Latin 1. */
export function fromHeaderValue(value: string): string {
  return decodedWords(fromLatin1(value));
}

function fromLatin1(value: string): string {
  const bytes = Buffer.from(value, "latin1");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return value;
  }
}

function decodedWords(value: string): string {
  return value
    .replace(BETWEEN_WORDS, "$1")
    .replace(WORD, (whole, charset: string, kind: string, text: string) => {
      const bytes =
        kind.toLowerCase() === "b"
          ? Buffer.from(text, "base64")
          : Buffer.from(
              text
                .replaceAll("_", " ")
                .replace(/=([0-9A-F]{2})/gi, (_, hex: string) =>
                  String.fromCharCode(Number.parseInt(hex, 16)),
                ),
              "latin1",
            );
      try {
        return new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(bytes);
      } catch {
        return whole;
      }
    });
}
