/** What a snippet is made of, and what each operation does with files. */
import { OPERATIONS, type Operation, type OperationName } from "../s3/api/operations.ts";

/** A presigned request as the API answers it. */
export interface PresignedRequest {
  readonly operation: OperationName;
  readonly method: string;
  readonly url: string;
  /** The object key, or the prefix before a name that a form chooses. */
  readonly key: string;
  /** Exactly what must be sent; printable ASCII. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A form's fields, in order; the file goes last. */
  readonly fields?: Readonly<Record<string, string>>;
  /** The body to send, where the operation's fields make it up; printable ASCII but for tags. */
  readonly body?: string | undefined;
  /** How the type begins that a form's user is to set. */
  readonly contentTypePrefix?: string | undefined;
}

/** What goes up: a file, a form with a file, the body that the answer holds, a body of no bytes, or no body. */
type Upload = "file" | "form" | "body" | "empty" | "none";

export function trafficOf({ operation, body }: PresignedRequest): {
  upload: Upload;
  answer: Operation["answer"];
} {
  const { upload, answer } = OPERATIONS[operation];
  if (upload === "document") return { upload: body === undefined ? "file" : "body", answer };
  return { upload, answer };
}

/** Longest name of a file, bytes: ext4, APFS and NTFS agree closely enough. */
const MAX_NAME_BYTES = 255;

/** The local file that a snippet reads or writes: the last segment of the key, where that can be a file's name. */
export function fileNameOf({ key, operation }: PresignedRequest): string {
  const { document } = OPERATIONS[operation];
  if (document !== undefined) return document.file;
  const name = key.slice(key.lastIndexOf("/") + 1);
  return name === "" || new TextEncoder().encode(name).length > MAX_NAME_BYTES ? "object" : name;
}

/** The type that a form's user sets, where the store takes any that begins so; to be replaced by the file's own. */
export function typeOf({ contentTypePrefix }: PresignedRequest): string | undefined {
  if (contentTypePrefix === undefined) return undefined;
  return contentTypePrefix.endsWith("/") ? `${contentTypePrefix}octet-stream` : contentTypePrefix;
}

/** What S3 calls an object whose type nobody tells, where a platform would tell another of its own. */
export function namedType(request: PresignedRequest): Readonly<Record<string, string>> {
  const { upload } = trafficOf(request);
  if (upload === "none" || upload === "form" || "content-type" in (request.headers ?? {})) return {};
  return { "content-type": "binary/octet-stream" };
}

/** What a reader should know before pasting, without the comment marks. */
export function notesOn(request: PresignedRequest): string[] {
  const { operation, headers, fields, body, contentTypePrefix } = request;
  const { document } = OPERATIONS[operation];
  const names = Object.keys(headers ?? fields ?? {});
  return [
    ...(names.some((name) => name.endsWith("-customer-key"))
      ? ["Holds a customer key: treat it as a secret."]
      : []),
    ...(operation === "UploadPart"
      ? ["The file holds the bytes of this part; the answer's ETag is needed to complete."]
      : []),
    ...(document !== undefined && body === undefined ? [`${document.file} is like`, document.example] : []),
    ...(contentTypePrefix !== undefined ? ["The content-type is to be that of the file."] : []),
  ];
}
