/** XML in and out. */
import { XMLBuilder, XMLParser } from "fast-xml-parser";
import { S3Error } from "./errors.ts";

const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: "@" });
const parser = new XMLParser({ parseTagValue: false, ignoreAttributes: true, trimValues: false });

/** `<?xml …?><root xmlns="…">…</root>`; an array is an element repeated, undefined is left out. */
export function xml(root: string, content: Readonly<Record<string, unknown>>, namespace = NAMESPACE): string {
  const attributes = namespace === "" ? {} : { "@xmlns": namespace };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${builder.build({ [root]: { ...attributes, ...content } })}`;
}

/** An element's children. */
export type Element = Readonly<Record<string, unknown>>;

/** @throws {S3Error} MalformedXML unless the document is one `root` */
export function parseXml(text: string, root: string): Element {
  try {
    const document = parser.parse(text, true) as Record<string, unknown>;
    const element = document[root];
    if (element === "") return {};
    if (typeof element === "object" && element !== null) return element as Element;
  } catch {
    // said below
  }
  throw new S3Error("MalformedXML", `The XML you provided was not well-formed: it must be one ${root}.`);
}

/** The children of that name: none, one or many. */
export function all(element: Element, name: string): unknown[] {
  const value = element[name];
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

export function allElements(element: Element, name: string): Element[] {
  return all(element, name).filter((child): child is Element => typeof child === "object" && child !== null);
}

export function text(element: Element, name: string): string | undefined {
  const value = element[name];
  return value === undefined ? undefined : String(value);
}
