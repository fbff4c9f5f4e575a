/** The XML of S3's requests and answers, which is elements and text and no more. */
import { parseXml as parseDocument, XmlElement } from "@rgrove/parse-xml";
import { escapeXml } from "../api/escape-xml.ts";
import { wholeNumberIn } from "../api/whole-number.ts";

/** An element's children, by name: the text of each, or its own children. */
export interface Element {
  readonly [name: string]: readonly (string | Element)[] | undefined;
}

/** A document that is no answer of S3's. */
export class XmlError extends Error {
  override name = "XmlError";
}

/**
 * The root element of a document: its name and its children.
 *
 * @throws {XmlError} when the text is not one well-formed element, or defines entities of its own
 */
export function parseXml(text: string): { name: string; element: Element } {
  // S3 has no document types: what they define may grow without end.
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) throw new XmlError("it has a document type");
  try {
    const { root } = parseDocument(prepared(text), { resolveUndefinedEntity: character });
    if (root !== null) return { name: localName(root), element: childrenOf(root) };
  } catch {
    // Of whatever it says it quotes the document, which may hold names that are nobody's business.
  }
  throw new XmlError("it is not one well-formed element");
}

/** Sections that are text as they stand, comments, tags; references by number, and what XML takes for another character or for none. */
// biome-ignore format: the kinds, one beside the other
const ODD =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /<!\[CDATA\[(.*?)(?:\]\]>|$)|<!--.*?(?:-->|$)|<[^>]*>?|&#(x[\da-f]+|\d+);|[\0-\x08\v\f\r\x0e-\x1f\ufffe\uffff]/gis;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const HAS_ODD = /<!\[CDATA\[|&#|[\0-\x08\v\f\r\x0e-\x1f\ufffe\uffff]/;

/**
 * XML takes every line end for a newline, and version 1.0 has no way to write control characters; keys hold both. In their
 * place stand entities, which `character` resolves. Stores send spaces before the declaration to keep a connection open.
 */
function prepared(text: string): string {
  const body = text.replace(/^[\s\uFEFF]*(<\?xml[^>]*\?>)?/, "").trim();
  return HAS_ODD.test(body) ? written(body) : body;
}

function written(text: string): string {
  return text.replace(ODD, (found: string, section?: string, number?: string) => {
    if (section !== undefined && found.endsWith("]]>")) return written(escapeXml(section));
    if (number !== undefined) return `&${ENTITY}${number};`;
    return found.startsWith("<") ? found : `&${ENTITY}${found.charCodeAt(0)};`;
  });
}

/** The name, up to the number, of an entity that a document of S3's has no use for. */
const ENTITY = "ssec-character-";

/** @throws {RangeError} where the number is no character's */
function character(reference: string): string | undefined {
  if (!reference.startsWith(`&${ENTITY}`)) return undefined;
  const number = reference.slice(ENTITY.length + 1, -1);
  const text = String.fromCodePoint(Number(/^x/i.test(number) ? `0${number}` : number));
  if (!text.isWellFormed()) throw new RangeError("half a surrogate pair is no character");
  return text;
}

function childrenOf(parent: XmlElement): Element {
  // Without a prototype: an element may have any name.
  const children: Record<string, (string | Element)[]> = Object.create(null);
  for (const child of parent.children) {
    if (!(child instanceof XmlElement)) continue;
    const name = localName(child);
    const value = child.children.some((each) => each instanceof XmlElement) ? childrenOf(child) : child.text;
    const alike = children[name];
    if (alike === undefined) children[name] = [value];
    else alike.push(value);
  }
  return children;
}

function localName({ name }: XmlElement): string {
  return name.slice(name.indexOf(":") + 1);
}

/** The children of that name: none, one or many; what is text alone is none. */
export function elementsOf(parent: Element, name: string): Element[] {
  return (parent[name] ?? []).filter((child) => typeof child !== "string");
}

/** The text of the child of that name, empty where it is; undefined where there is none or several, or it has children. */
export function textOf(parent: Element, name: string): string | undefined {
  const [child, another] = parent[name] ?? [];
  return typeof child === "string" && another === undefined ? child : undefined;
}

/** The whole number that a child's text is; undefined where it is none. */
export function numberOf(parent: Element, name: string): number | undefined {
  return wholeNumberIn(textOf(parent, name)?.trim());
}
