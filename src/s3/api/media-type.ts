/**
 * Media types, by the whole of their grammar. What is not one is refused wherever a type is given: browsers make of
 * `image/png,text/html` a page.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-8.3.1
 */
import * as v from "valibot";
import { faultless } from "../../validation.ts";

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const QUOTED = String.raw`"(?:[\t !#-\[\]-~]|\\[\t -~])*"`;
const MEDIA_TYPE = new RegExp(`^(${TOKEN})/(${TOKEN})((?:[ \\t]*;[ \\t]*${TOKEN}=(?:${TOKEN}|${QUOTED}))*)$`);
const PARAMETER = new RegExp(`(${TOKEN})=(?:${TOKEN}|${QUOTED})`, "g");

/** S3 keeps no more of all headers together, bytes; a longer one is no type. */
const MAX_LENGTH = 2048;

export interface MediaType {
  /** In small letters. */
  readonly type: string;
  readonly subtype: string;
}

/** Undefined for what is no media type: lists, trailing text, a parameter without a value or twice. */
export function mediaTypeOf(text: string): MediaType | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const [, type = "", subtype = "", parameters = ""] = MEDIA_TYPE.exec(text) ?? [];
  if (type === "") return undefined;
  const names = Array.from(parameters.matchAll(PARAMETER), ([, name = ""]) => name.toLowerCase());
  if (new Set(names).size !== names.length) return undefined;
  return { type: type.toLowerCase(), subtype: subtype.toLowerCase() };
}

/** What is wrong with a text as a media type, if anything is. */
export function mediaTypeFault(text: string): string | undefined {
  if (text === "") return "must not be empty: leave it out";
  return mediaTypeOf(text) === undefined
    ? 'must be one media type and nothing else, as "image/png" or "text/plain; charset=utf-8"'
    : undefined;
}

export const mediaType = v.pipe(
  v.string(),
  faultless(mediaTypeFault, {
    pattern: `^${TOKEN}/${TOKEN}`,
    maxLength: MAX_LENGTH,
    examples: ["image/jpeg"],
  }),
);

/** Whether `image/jpeg; q=1` is of `image/*`. Types are case-insensitive. */
export function isOfType(text: string, pattern: string): boolean {
  const given = mediaTypeOf(text);
  const [type, subtype] = pattern.toLowerCase().split("/");
  return (
    given !== undefined &&
    (type === "*" || type === given.type) &&
    (subtype === "*" || subtype === given.subtype)
  );
}
