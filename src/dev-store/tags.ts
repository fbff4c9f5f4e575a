/** An object's tags. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html */
import { S3Error } from "./errors.ts";
import { all, allElements, malformed, parseXml, text, xml } from "./xml.ts";

export type Tags = readonly (readonly [name: string, value: string])[];

const MAX_TAGS = 10;
/** UTF-16 units, as S3 counts them. */
const MAX_NAME = 128;
const MAX_VALUE = 256;
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** Of x-amz-tagging: `a=1&b=2`. @throws {S3Error} */
export function tagsInHeader(header: string): Tags {
  const wrong = () =>
    new S3Error(
      "InvalidArgument",
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
      { ArgumentName: "x-amz-tagging", ArgumentValue: header },
    );
  const pairs = header === "" ? [] : header.split("&");
  const tags = pairs.map((pair): [string, string] => {
    const cut = pair.indexOf("=");
    try {
      const [name = "", value = ""] = (cut < 0 ? [pair, ""] : [pair.slice(0, cut), pair.slice(cut + 1)]).map(
        (part) => decodeURIComponent(part.replaceAll("+", " ")),
      );
      return [name, value];
    } catch {
      throw wrong();
    }
  });
  if (new Set(tags.map(([name]) => name)).size < tags.length) throw wrong();
  return checked(tags);
}

/** Of PutObjectTagging, and of a form's field. @throws {S3Error} */
export function tagsInXml(document: string): Tags {
  const sets = all(parseXml(document, "Tagging"), "TagSet");
  const [set] = sets;
  if (sets.length !== 1) throw malformed("there must be one TagSet.");
  const elements =
    typeof set === "object" && set !== null ? allElements(set as Record<string, unknown>, "Tag") : [];
  const tags = elements.map((tag): [string, string] => {
    const [name, value] = [text(tag, "Key"), text(tag, "Value")];
    if (name === undefined || value === undefined) throw malformed("a Tag has a Key and a Value.");
    return [name, value];
  });
  if (new Set(tags.map(([name]) => name)).size < tags.length)
    throw new S3Error("InvalidTag", "Cannot provide multiple Tags with the same key");
  return checked(tags);
}

export function tagsXml(tags: Tags): string {
  return xml("Tagging", { TagSet: { Tag: tags.map(([Key, Value]) => ({ Key, Value })) } });
}

/** HEAD and GET say how many, when there are any. */
export function tagCount(tags: Tags): Record<string, string> {
  return tags.length === 0 ? {} : { "x-amz-tagging-count": String(tags.length) };
}

function checked(tags: Tags): Tags {
  if (tags.length > MAX_TAGS) throw new S3Error("BadRequest", "Object tags cannot be greater than 10");
  for (const [name, value] of tags) {
    if (name === "" || name.length > MAX_NAME || !ALLOWED.test(name))
      throw new S3Error("InvalidTag", "The TagKey you have provided is invalid", { TagKey: name });
    if (value.length > MAX_VALUE || !ALLOWED.test(value))
      throw new S3Error("InvalidTag", "The TagValue you have provided is invalid", { TagValue: value });
    if (/^aws:/i.test(name))
      throw new S3Error("InvalidTag", "System tags cannot be added/updated by requester", { TagKey: name });
  }
  return tags;
}
