/** Which of two types a caller would rather have. */

/** A list's elements; a comma within quotes ends none. */
const ELEMENT = /(?:[^,"]|"(?:[^"\\]|\\.)*")+/g;
const QUALITY = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/**
 * Whether plain text is wanted more than JSON, which is what everybody gets who says nothing, takes both alike, or neither.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
 */
export function prefersText(accept: string): boolean {
  return qualityOf(accept, "text", "plain") > qualityOf(accept, "application", "json");
}

/** What the most specific range that fits says of a type, from 0 (not at all) to 1. */
function qualityOf(accept: string, type: string, subtype: string): number {
  const ranges = [`${type}/${subtype}`, `${type}/*`, "*/*"];
  let found = { at: ranges.length, quality: 0 };
  for (const [element] of accept.toLowerCase().matchAll(ELEMENT)) {
    const [range = "", ...parameters] = element.split(";").map((part) => part.trim());
    const at = ranges.indexOf(range);
    const weight = parameters.find((each) => each.startsWith("q="));
    const quality = QUALITY.exec(weight ?? "q=1")?.[1];
    // Another parameter than what the answer has makes it another type.
    const isOther = parameters.some((each) => each !== weight && !/^charset="?utf-8"?$/.test(each));
    if (at < 0 || at >= found.at || quality === undefined || isOther) continue;
    found = { at, quality: Number(quality) };
  }
  return found.quality;
}
