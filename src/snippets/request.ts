/** What a snippet is made of, and what each operation does with files. */
import type { OperationName } from "../s3/operations.ts";

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
}

/** What goes up: a file, a form with a file, the XML that lists the parts, nothing at all, or no body. */
type Upload = "file" | "form" | "parts" | "empty" | "none";
/** What comes back: the object, headers worth reading, XML worth reading, or nothing. */
type Answer = "file" | "headers" | "body" | "none";

const TRAFFIC: Readonly<Record<OperationName, { upload: Upload; answer: Answer }>> = {
  GetObject: { upload: "none", answer: "file" },
  HeadObject: { upload: "none", answer: "headers" },
  PutObject: { upload: "file", answer: "none" },
  PostObject: { upload: "form", answer: "none" },
  DeleteObject: { upload: "none", answer: "none" },
  CopyObject: { upload: "empty", answer: "body" },
  CreateMultipartUpload: { upload: "empty", answer: "body" },
  UploadPart: { upload: "file", answer: "headers" },
  UploadPartCopy: { upload: "empty", answer: "body" },
  ListParts: { upload: "none", answer: "body" },
  CompleteMultipartUpload: { upload: "parts", answer: "body" },
  AbortMultipartUpload: { upload: "none", answer: "none" },
};

export function trafficOf({ operation }: PresignedRequest): { upload: Upload; answer: Answer } {
  return TRAFFIC[operation];
}

/** The file that CompleteMultipartUpload sends. */
export const PARTS_FILE = "complete.xml";

/** Longest name of a file, bytes: ext4, APFS and NTFS agree closely enough. */
const MAX_NAME_BYTES = 255;

/** The local file that a snippet reads or writes: the last segment of the key, where that can be a file's name. */
export function fileNameOf({ key, operation }: PresignedRequest): string {
  if (TRAFFIC[operation].upload === "parts") return PARTS_FILE;
  const name = key.slice(key.lastIndexOf("/") + 1);
  return name === "" || new TextEncoder().encode(name).length > MAX_NAME_BYTES ? "object" : name;
}

/** What a reader should know before pasting, without the comment marks. */
export function notesOn(request: PresignedRequest): string[] {
  const { upload } = trafficOf(request);
  const names = Object.keys(request.headers ?? request.fields ?? {});
  return [
    ...(names.some((name) => name.endsWith("-customer-key"))
      ? ["Holds a customer key: treat it as a secret."]
      : []),
    ...(request.operation === "UploadPart"
      ? ["The file holds the bytes of this part; the answer's ETag is needed to complete."]
      : []),
    ...(upload === "parts"
      ? [
          `${PARTS_FILE} lists the parts in order:`,
          '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"..."</ETag></Part></CompleteMultipartUpload>',
        ]
      : []),
  ];
}
