/** What of a request's fields goes together only in some ways: no single field can tell. */
import type { FieldError } from "../../refused.ts";
import { CHECKSUMS, CONTENT, type FieldValues } from "./fields.ts";
import { contentMd5, tagsXml } from "./tags.ts";

/** The fields, and what beside them is looked at. */
export interface RequestFields extends FieldValues {
  /** Empty where a form has `keyPrefix` instead. */
  readonly key: string;
  readonly keyPrefix?: string;
  /** Whose URL it is to be: the store's own, unless it is said. */
  readonly via?: "store" | "edge" | undefined;
}

export function taggingFault({ tagging, contentMD5 }: FieldValues): FieldError | undefined {
  if (tagging === undefined || contentMD5 === undefined || contentMD5 === contentMd5(tagsXml(tagging)))
    return undefined;
  return { path: "contentMD5", message: "is not that of the body that tagging makes: leave it out" };
}

/** What the edge holds an upload to, no store does. */
export function putFault(request: RequestFields): FieldError | undefined {
  const { via, contentLength = 0, maxBytes } = request;
  const path = "maxBytes";
  if (maxBytes !== undefined && via !== "edge") return { path, message: 'is for via "edge"' };
  if (maxBytes !== undefined && contentLength > maxBytes)
    return { path, message: "is less than contentLength" };
  return newObjectFault(request);
}

/** What of a new object goes together only in some ways. */
export function newObjectFault(request: FieldValues): FieldError | undefined {
  return checksumFault(request) ?? lockFault(request);
}

export function checksumFault(request: FieldValues): FieldError | undefined {
  const [, second] = CHECKSUMS.filter((name) => request[name] !== undefined);
  if (second !== undefined) return { path: second, message: "is a second checksum: S3 takes one" };
  const { checksumAlgorithm, checksumType } = request;
  if (checksumType === undefined) return undefined;
  const path = "checksumType";
  if (checksumAlgorithm === undefined) return { path, message: "needs checksumAlgorithm beside it" };
  // Only CRCs of parts can be put together to that of the whole, and of CRC-64/NVME S3 makes nothing else.
  const only = { CRC32: "", CRC32C: "", CRC64NVME: "FULL_OBJECT", SHA1: "COMPOSITE", SHA256: "COMPOSITE" }[
    checksumAlgorithm
  ];
  return only === "" || only === checksumType
    ? undefined
    : { path, message: `must be "${only}" with ${checksumAlgorithm}` };
}

function lockFault({ objectLockMode, objectLockRetainUntilDate }: FieldValues): FieldError | undefined {
  if ((objectLockMode === undefined) === (objectLockRetainUntilDate === undefined)) return undefined;
  return objectLockMode === undefined
    ? { path: "objectLockMode", message: "is required with objectLockRetainUntilDate" }
    : { path: "objectLockRetainUntilDate", message: "is required with objectLockMode" };
}

export function formFault(request: RequestFields): FieldError | undefined {
  const { key, keyPrefix, minBytes = 0, maxBytes, contentType, contentTypePrefix } = request;
  const { successActionStatus, successActionRedirect } = request;
  if ((key === "") === (keyPrefix === undefined)) {
    return { path: "key", message: "give either key or keyPrefix" };
  }
  const path = keyPrefix === undefined ? "key" : "keyPrefix";
  if (/[\r\n]/.test(keyPrefix ?? key)) {
    return { path, message: "must not hold line breaks: a browser's form rewrites them as CRLF" };
  }
  if (key.includes("${filename}")) {
    return {
      path: "key",
      message: "the store would replace ${filename}: use keyPrefix for names that a form chooses",
    };
  }
  if (maxBytes !== undefined && minBytes > maxBytes)
    return { path: "minBytes", message: "is more than maxBytes" };
  if (contentType !== undefined && contentTypePrefix !== undefined)
    return { path: "contentTypePrefix", message: "is not for a form whose contentType is given" };
  if (successActionStatus !== undefined && successActionRedirect !== undefined)
    return {
      path: "successActionStatus",
      message: "is ignored by S3 beside successActionRedirect: give one",
    };
  return undefined;
}

/** What a copy takes from its source, unless it is told to take all of it from the request. */
const SOURCE_METADATA = [...CONTENT, "expires", "metadata"] as const;

export function copyFault(request: FieldValues): FieldError | undefined {
  const replaced = SOURCE_METADATA.find((name) => request[name] !== undefined);
  if (replaced !== undefined && request.metadataDirective !== "REPLACE") {
    const message = `must be "REPLACE" when ${replaced} is given: otherwise the copy keeps the source's`;
    return { path: "metadataDirective", message };
  }
  if (request.tagging !== undefined && request.taggingDirective !== "REPLACE") {
    const message = 'must be "REPLACE" when tagging is given: otherwise the copy keeps the source\'s';
    return { path: "taggingDirective", message };
  }
  return newObjectFault(request);
}
