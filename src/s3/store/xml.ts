/** The XML of S3's requests and answers, which is elements and text and no more. */
import { parseXml as parseDocument, XmlElement } from "@rgrove/parse-xml";
import { wholeNumberIn } from "../api/whole-number.ts";

/** An element's children, by name: the text of each, or its own children. */
export interface Element {
  readonly [name: string]: readonly (string | Element)[] | undefined;
}

/** A document that is no answer of S3's. */
export class XmlError extends Error {
  override name = "XmlError";
}

/** Deeper than any of S3's. */
const MAX_DEPTH = 16;

/**
 * The root element of a document: its name and its children.
 *
 * @throws {XmlError} when the text is not one well-formed element, defines entities of its own, or is nested deeper than S3's are
 */
export function parseXml(text: string): { name: string; element: Element } {
  // S3 has no document types: what they define may grow without end.
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) throw new XmlError("it has a document type");
  try {
    const { root } = parseDocument(prepared(text));
    if (root !== null) return { name: localName(root), element: childrenOf(root, MAX_DEPTH) };
  } catch {
    // Of whatever it says it quotes the document, which may hold names that are nobody's business.
  }
  throw new XmlError("it is not one well-formed element");
}

/**
 * Keys hold what XML takes for another character, as every carriage return for a newline, and what it takes for none. In a
 * document each stands as this character, for private use, and another behind it; the last of them is this one itself.
 */
const ESCAPE = "\uf8ff";
const ODD = [
  ...Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).filter((c) => !"\t\n".includes(c)),
  ...["\ufffe", "\uffff", ESCAPE],
].map((character, i) => ({ character, inPlace: ESCAPE + String.fromCharCode(0xe000 + i) }));
const IS_ODD = new RegExp(`[${ODD.map(({ character }) => character).join("")}]`);
const MAY_BE_ODD = new RegExp(`${IS_ODD.source}|&#|\\]\\]>`);
/** Sections that are text as they stand, comments, tags, and text. */
const PIECES = /<!\[CDATA\[.*?(?:\]\]>|$)|<!--.*?(?:-->|$)|<[^>]*>?|[^<]+/gs;

/** Stores send spaces before the declaration to keep a connection open. */
function prepared(text: string): string {
  const body = text.replace(/^(?:[\s\uFEFF]|<\?.*?\?>|<!--.*?-->)*/s, "");
  if (!MAY_BE_ODD.test(body)) return body;
  // What is behind the root is no text.
  const end = body.lastIndexOf("</");
  return end < 0 ? body : body.slice(0, end).replace(PIECES, escapedPiece) + body.slice(end);
}

function escapedPiece(piece: string): string {
  if (!MAY_BE_ODD.test(piece)) return piece;
  if (piece.startsWith("<![CDATA[")) return escaped(piece);
  if (piece.startsWith("<")) return piece;
  return escaped(piece)
    .replace(/&#(?:x([\da-f]+)|(\d+));/gi, escapedReference)
    .replaceAll("]]>", "]]&gt;");
}

/** Of other characters the parser knows what they are, and whether they are any. */
function escapedReference(reference: string, hexadecimal?: string, decimal?: string): string {
  const code = hexadecimal === undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16);
  const found = ODD.find(({ character }) => character.charCodeAt(0) === code);
  return found?.inPlace ?? reference;
}

/** By whole strings: there may be a million of them, and a function called for each would cost memory. */
function escaped(text: string): string {
  if (!IS_ODD.test(text)) return text;
  // This character itself comes first, and last when they are put back.
  return ODD.reduceRight((all, { character, inPlace }) => all.split(character).join(inPlace), text);
}

function unescaped(text: string): string {
  if (!text.includes(ESCAPE)) return text;
  return ODD.reduce((all, { character, inPlace }) => all.split(inPlace).join(character), text);
}

/** @param depth of elements that there may be within */
function childrenOf(parent: XmlElement, depth: number): Element {
  if (depth === 0) throw new RangeError("its elements are nested too deep");
  // Without a prototype: an element may have any name.
  const children: Record<string, (string | Element)[]> = Object.create(null);
  for (const child of parent.children) {
    if (!(child instanceof XmlElement)) continue;
    const name = localName(child);
    const hasElements = child.children.some((each) => each instanceof XmlElement);
    const value = hasElements ? childrenOf(child, depth - 1) : unescaped(child.text);
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
