/** How lists are asked for in pages. */
import { encodeKey } from "../s3/api/encode.ts";
import { S3Fault } from "./faults.ts";
import { single } from "./fields.ts";

/**
 * As many entries as are asked for, and at most so many; more is no fault.
 *
 * @param otherwise where nothing is asked
 * @throws {S3Fault} InvalidArgument
 */
export function pageSize(query: URLSearchParams, name: string, most = 1000, otherwise = most): number {
  const text = single(query, name);
  if (text === undefined || text === "") return otherwise;
  if (!/^\d{1,10}$/.test(text))
    throw new S3Fault("InvalidArgument", `Provided ${name} not an integer or within integer range`);
  return Math.min(Number(text), most);
}

/** How names are written: encoded where the client asks for it. @throws {S3Fault} InvalidArgument */
export function namesIn(query: URLSearchParams): {
  show: (name: string) => string;
  encoding: string | undefined;
} {
  const encoding = single(query, "encoding-type") || undefined;
  if (encoding !== undefined && encoding !== "url")
    throw new S3Fault("InvalidArgument", "Invalid Encoding Method specified in Request");
  return { show: encoding === undefined ? (name) => name : encodeKey, encoding };
}

/** S3's order: that of the bytes of UTF-8. */
export function compareNames(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Comes after every key that begins with a prefix: no key goes on with the last character that there is. */
export function beyond(prefix: string): string {
  return `${prefix}\u{10ffff}`;
}
