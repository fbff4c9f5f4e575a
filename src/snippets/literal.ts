/** Text within quotes, in languages whose strings are like C's. */

/** What does not show, or shows as something else: controls, marks that turn the direction of text, separators of lines. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * @param special characters, beside the quote and the backslash, that a backslash keeps from meaning something
 * @param escaped the language's own for a code point
 */
export function literal(text: string, special: string, escaped: (codePoint: number) => string): string {
  const within = Array.from(text, (char) => (`"\\${special}`.includes(char) ? `\\${char}` : char)).join("");
  return `"${within.replace(UNSEEN, (char) => SHORT[char] ?? escaped(char.codePointAt(0) ?? 0))}"`;
}
