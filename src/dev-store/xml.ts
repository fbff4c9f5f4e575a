/** XML in and out. */
import { XMLBuilder, XMLParser } from "fast-xml-parser";
import { S3Error } from "./errors.ts";

const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: "@" });
const parser = new XMLParser({
  parseTagValue: false,
  ignoreAttributes: true,
  trimValues: false,
  removeNSPrefix: true,
  // Without it numeric references stay as they are; rclone writes &#34; for every quote.
  htmlEntities: true,
});

/**
 * `<?xml …?><root xmlns="…">…</root>`; an array is an element repeated, undefined is left out. Characters that XML
 * parsers refuse or change are numeric references, as AWS writes them.
 */
export function xml(root: string, content: Readonly<Record<string, unknown>>, namespace = NAMESPACE): string {
  const attributes = namespace === "" ? {} : { "@xmlns": namespace };
  const built = builder.build({ [root]: { ...attributes, ...content } });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: keys may hold them.
  const safe = built.replace(/[\0-\x08\x0b-\x1f\x7f]/g, (c: string) => `&#${c.charCodeAt(0)};`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${safe}`;
}

/** An element's children. */
export type Element = Readonly<Record<string, unknown>>;

/** @throws {S3Error} MalformedXML unless the document is one `root`, in any namespace */
export function parseXml(document: string, root: string): Element {
  if (isPlain(document)) {
    try {
      const { [root]: element, ...others } = parser.parse(document, true) as Record<string, unknown>;
      const isOne = Object.keys(others).every((name) => name === "?xml" || name === "#text");
      if (isOne && element === "") return {};
      if (isOne && typeof element === "object" && element !== null && !Array.isArray(element))
        return element as Element;
    } catch {
      // said below
    }
  }
  throw malformed(`it must be one ${root}.`);
}

export function malformed(what: string): S3Error {
  return new S3Error(
    "MalformedXML",
    `The XML you provided was not well-formed or did not validate against our published schema: ${what}`,
  );
}

/** No document type, so that nothing expands; and no reference but those that every XML has. */
function isPlain(document: string): boolean {
  const outside = document.replace(/<!\[CDATA\[.*?\]\]>/gs, "");
  if (/<!DOCTYPE/i.test(outside) || /&(?!(amp|lt|gt|quot|apos|#\d+|#x[\da-f]+);)/i.test(outside))
    return false;
  return outside.matchAll(/&#(x?)([\da-f]+);/gi).every(([, hex, digits = ""]) => {
    const point = Number.parseInt(digits, hex === "" ? 10 : 16);
    return point > 0 && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
  });
}

/** The children of that name: none, one or many. */
export function all(element: Element, name: string): unknown[] {
  const value = element[name];
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

export function allElements(element: Element, name: string): Element[] {
  return all(element, name).filter((child): child is Element => typeof child === "object" && child !== null);
}

/** @throws {S3Error} MalformedXML when it comes twice, or holds elements */
export function text(element: Element, name: string): string | undefined {
  const value = element[name];
  if (typeof value === "object") throw malformed(`there must be one ${name}, of text.`);
  return value === undefined ? undefined : String(value);
}
