/** An upload by a link of the edge, held against what the link says of it. */
import { CONTENT_TYPE, MAX_BYTES } from "../objects/link-limits.ts";
import { FIELDS } from "../s3/api/fields.ts";
import { wholeNumberIn } from "../s3/api/whole-number.ts";
import { check } from "../validation.ts";
import type { Call } from "./call.ts";
import { S3Fault } from "./faults.ts";
import { single } from "./fields.ts";

/**
 * @param length of the body, bytes
 * @returns the request's headers, with the type that the link gives
 * @throws {S3Fault} EntityTooLarge; AccessDenied for another type; InvalidArgument
 */
export function heldByLink({ headers, query }: Call, length: number): Headers {
  const most = single(query, MAX_BYTES);
  const maxBytes = wholeNumberIn(most);
  if (most !== undefined && maxBytes === undefined)
    throw new S3Fault("InvalidArgument", `${MAX_BYTES} must be a number of bytes.`);
  if (maxBytes !== undefined && length > maxBytes)
    throw new S3Fault("EntityTooLarge", `This link takes uploads of at most ${maxBytes} bytes.`);
  const contentType = single(query, CONTENT_TYPE);
  if (contentType === undefined) return headers;
  const checked = check(FIELDS.contentType.schema, contentType);
  if (!checked.ok) throw new S3Fault("InvalidArgument", `${CONTENT_TYPE} ${checked.errors[0]?.message}.`);
  const given = headers.get("content-type") ?? contentType;
  if (given !== contentType)
    throw new S3Fault("AccessDenied", `This link takes uploads of the content type ${contentType} only.`);
  const typed = new Headers(headers);
  typed.set("content-type", contentType);
  return typed;
}
