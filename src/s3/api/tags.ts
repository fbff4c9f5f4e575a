/**
 * The tags of an object, checked as S3 documents them, and in its two spellings: a header's and an XML document's.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
 */
import * as v from "valibot";
import { toBase64 } from "../../hash/base64.ts";
import { md5 } from "../../hash/md5.ts";
import { faultless } from "../../validation.ts";
import { encodeRfc3986 } from "./encode.ts";
import { escapeXml } from "./escape-xml.ts";
import { hasSafeNames } from "./safe-names.ts";

const utf8 = new TextEncoder();

const MAX_TAGS = 10;
/** S3 counts characters of UTF-16. */
const MAX_NAME = 128;
const MAX_VALUE = 256;

type Tag = readonly [name: string, value: string];

/** Tags as an object of strings or as `a=1&b=2`; a header's spelling of them comes out. */
export const tagging = v.pipe(
  v.unknown(),
  hasSafeNames({
    anyOf: [{ type: "string" }, { type: "object", additionalProperties: { type: "string" } }],
    examples: [{ project: "cats" }, "project=cats"],
  }),
  v.union([v.string(), v.record(v.string(), v.string())], "must be tags: an object of strings, or a=1&b=2"),
  faultless((given) => {
    const tags = tagsOf(given);
    return tags === undefined ? "must be percent-encoded UTF-8, as a=1&b=2" : faultOf(tags);
  }, {}),
  v.transform((given) => encoded(tagsOf(given) ?? [])),
);

/** The body of PutObjectTagging, and the field `tagging` of a form. */
export function tagsXml(tagging: string): string {
  const tags = (tagsOf(tagging) ?? []).map(
    ([name, value]) => `<Tag><Key>${escapeXml(name)}</Key><Value>${escapeXml(value)}</Value></Tag>`,
  );
  return `<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet>${tags.join("")}</TagSet></Tagging>`;
}

/** The MD5 of such a document, in base64, as content-md5 has it. */
export function contentMd5(xml: string): string {
  return toBase64(md5(utf8.encode(xml)));
}

function tagsOf(given: string | Readonly<Record<string, string>>): Tag[] | undefined {
  if (typeof given !== "string") return Object.entries(given);
  if (given === "") return [];
  try {
    return given.split("&").map((pair) => {
      const cut = pair.indexOf("=");
      return cut < 0 ? [decode(pair), ""] : [decode(pair.slice(0, cut)), decode(pair.slice(cut + 1))];
    });
  } catch {
    return undefined;
  }
}

/** The header is written as a URL's query, where "+" is a space. */
function decode(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}

function encoded(tags: readonly Tag[]): string {
  return tags.map(([name, value]) => `${encodeRfc3986(name)}=${encodeRfc3986(value)}`).join("&");
}

function faultOf(tags: readonly Tag[]): string | undefined {
  if (tags.length === 0) return "must hold at least one tag: leave it out for none";
  if (tags.length > MAX_TAGS) return `must hold at most ${MAX_TAGS} tags`;
  if (new Set(tags.map(([name]) => name)).size !== tags.length) return "must not name a tag twice";
  for (const [name, value] of tags) {
    const fault = faultOfName(name) ?? faultOfValue(value);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function faultOfName(name: string): string | undefined {
  if (name === "") return "must not have a tag without a name";
  if (name.length > MAX_NAME) return `must have names of at most ${MAX_NAME} characters`;
  if (/^aws:/i.test(name)) return 'must not have names that begin with "aws:", which S3 keeps for itself';
  return faultOfCharacters(name);
}

function faultOfValue(value: string): string | undefined {
  if (value.length > MAX_VALUE) return `must have values of at most ${MAX_VALUE} characters`;
  return faultOfCharacters(value);
}

function faultOfCharacters(text: string): string | undefined {
  return /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u.test(text)
    ? undefined
    : "must have letters, digits, spaces and _ . : / = + - @ alone in its tags";
}
