/** The XML of S3's answers, which is elements and text and no more. */
import type { XMLParser } from "fast-xml-parser";
import { wholeNumberIn } from "../api/whole-number.ts";

/** An element's children, by name. */
export type Element = Readonly<Record<string, unknown>>;

/** A document that is no answer of S3's. */
export class XmlError extends Error {
  override name = "XmlError";
}

/**
 * The root element of a document: its name and its children.
 *
 * @throws {XmlError} when the text is not one well-formed element, or defines entities of its own
 */
export async function parseXml(text: string): Promise<{ name: string; element: Element }> {
  // S3 has no document types: what they define may grow without end.
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) throw new XmlError("it has a document type");
  const roots = Object.entries(parse(await loadParser(), prepared(text))).filter(
    ([name]) => !/^(#text|\?xml)$/.test(name),
  );
  const [[name, element] = ["", undefined]] = roots;
  if (roots.length !== 1 || Array.isArray(element)) throw new XmlError("it is not one element");
  return { name, element: isElement(element) ? element : {} };
}

let loaded: XMLParser | undefined;

/**
 * It is loaded when first used: presigning, which is most of what is asked of the service, does without.
 *
 * Nothing is mended: white space, zeros before a number and line ends belong to a key. References by number, and
 * entities that only HTML has, are what some stores write for quotes.
 */
async function loadParser(): Promise<XMLParser> {
  if (loaded !== undefined) return loaded;
  const { XMLParser } = await import("./xml-parser.ts");
  loaded = new XMLParser({
    ignoreAttributes: true,
    removeNSPrefix: true,
    parseTagValue: false,
    trimValues: false,
    processEntities: true,
    htmlEntities: true,
  });
  return loaded;
}

function parse(parser: XMLParser, text: string): Record<string, unknown> {
  try {
    return parser.parse(text, true);
  } catch {
    throw new XmlError("it is not well-formed");
  }
}

/**
 * XML takes every line end for a newline, and has no way but that of version 1.1 to write control characters; keys hold
 * both. Stores send spaces before the declaration to keep a connection open.
 */
function prepared(text: string): string {
  const body = text.replace(/^[\s\uFEFF]*(<\?xml[^>]*\?>)?/, "");
  const kept = body.includes("\r")
    ? body.replace(/>[^<]+/g, (between) => between.replaceAll("\r", "&#13;"))
    : body;
  return `<?xml version="1.1"?>${kept}`;
}

/** The children of that name: none, one or many; what is text alone is none. */
export function elementsOf(parent: Element, name: string): Element[] {
  const value = childOf(parent, name);
  return (Array.isArray(value) ? value : [value]).filter(isElement);
}

/** The text of the child of that name, empty where it is; undefined where there is none, or it has children. */
export function textOf(parent: Element, name: string): string | undefined {
  const value = childOf(parent, name);
  return typeof value === "string" ? value : undefined;
}

/** The whole number that a child's text is; undefined where it is none. */
export function numberOf(parent: Element, name: string): number | undefined {
  return wholeNumberIn(textOf(parent, name)?.trim());
}

function childOf(parent: Element, name: string): unknown {
  return Object.hasOwn(parent, name) ? parent[name] : undefined;
}

function isElement(value: unknown): value is Element {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
