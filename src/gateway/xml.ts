/** XML as S3's clients send and read it. */
import { escapeXml } from "../s3/api/escape-xml.ts";
import { type Element, parseXml, XmlError } from "../s3/store/xml.ts";
import type { VerifiedBody } from "./body.ts";
import { S3Fault } from "./faults.ts";

const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";
/** 10,000 parts with a checksum each, and a thousand long keys; bytes. */
const MAX_DOCUMENT = 2 * 2 ** 20;

/** What an element holds: text, elements by name, or several of the same name. Undefined is left out. */
export type Content = string | number | boolean | undefined | Children | readonly (string | Children)[];
export interface Children {
  readonly [name: string]: Content;
}

/** A whole document. Errors alone have no namespace. */
export function document(root: string, children: Children): string {
  const namespace = root === "Error" ? "" : ` xmlns="${NAMESPACE}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${namespace}>${inner(children)}</${root}>`;
}

function inner(children: Children): string {
  return Object.entries(children)
    .map(([name, content]) => element(name, content))
    .join("");
}

function element(name: string, content: Content): string {
  if (content === undefined) return "";
  if (Array.isArray(content)) return content.map((one: Content) => element(name, one)).join("");
  return `<${name}>${typeof content === "object" ? inner(content as Children) : text(String(content))}</${name}>`;
}

/** Keys may hold what XML 1.0 has no way to write: S3 writes it all the same, for clients that know. */
function text(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return escapeXml(value).replace(/[\0-\x08\v\f\x0e-\x1f\ufffe\uffff]/g, (c) => `&#${c.charCodeAt(0)};`);
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The body of a request, which is one element of that name.
 *
 * @throws {S3Fault} MalformedXML where it is not, or is too long; MissingRequestBodyError where there is none
 */
export async function readDocument(body: VerifiedBody, root: string): Promise<Element> {
  const bytes = await body.bytes(MAX_DOCUMENT);
  if (bytes.length === 0) throw new S3Fault("MissingRequestBodyError", "Request body is empty.");
  try {
    const { name, element } = parseXml(utf8.decode(bytes));
    if (name === root) return element;
  } catch (error) {
    // A TypeError is of bytes that are no UTF-8.
    if (!(error instanceof XmlError) && !(error instanceof TypeError)) throw error;
  }
  throw malformed();
}

export function malformed(
  what = "The XML you provided was not well-formed or did not validate against our published schema",
): S3Fault {
  return new S3Fault("MalformedXML", what);
}
