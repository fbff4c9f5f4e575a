/** A form written out by hand, where nothing in a language's own library does it. */
import { fileNameOf, type PresignedRequest, typeOf } from "./request.ts";

/** The fields in order, with the type that its user is to set. */
export function fieldsOf(request: PresignedRequest): Readonly<Record<string, string>> {
  const type = typeOf(request);
  return type === undefined ? (request.fields ?? {}) : { ...request.fields, "content-type": type };
}

/**
 * The headers of the part that is the file.
 *
 * @see https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data
 */
export function fileHeaders(request: PresignedRequest): string {
  const name = fileNameOf(request).replace(/["\r\n]/g, encodeURIComponent);
  return `Content-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: application/octet-stream\r\n\r\n`;
}
