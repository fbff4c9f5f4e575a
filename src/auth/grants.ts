/** What a caller may do: the one place where grants are read. */
import type { Bucket, Config, Grant } from "../config/load.ts";
import type { Permission } from "../config/schema.ts";
import { Refused } from "../refused.ts";
import { isOfType, mediaTypeFault } from "../s3/api/media-type.ts";
import { OPERATIONS, type PresignRequest } from "../s3/api/operations.ts";
import type { Caller } from "./callers.ts";

/** A bucket that the caller may use as asked, and the grants that say so. */
export interface Authorised {
  readonly bucket: Bucket;
  /** Never empty; the longest prefix first. */
  readonly grants: readonly Grant[];
}

/**
 * Whether some grant allows `permission` on exactly this object key (or prefix of keys).
 *
 * @throws {Refused} `forbidden`, in the same words for a bucket that does not exist
 */
export function authorise(
  { buckets }: Config,
  caller: Caller,
  permission: Permission,
  { bucket: name, key }: { bucket: string; key: string },
): Authorised {
  const bucket = buckets.get(name);
  const grants = caller.grants
    .filter(
      (grant) => grant.bucket === name && grant.allow.includes(permission) && key.startsWith(grant.prefix),
    )
    .sort((a, b) => b.prefix.length - a.prefix.length);
  if (bucket === undefined || grants.length === 0) {
    throw new Refused(
      "forbidden",
      `The caller may not ${permission} this key of this bucket, or there is no such bucket.`,
    );
  }
  return { bucket, grants };
}

/** What of a request its grants may limit. */
export type Limited = Pick<PresignRequest, "operation"> & {
  readonly [Field in
    | "expiresIn"
    | "contentLength"
    | "minBytes"
    | "maxBytes"
    | "contentType"
    | "contentTypePrefix"]?: PresignRequest[Field] | undefined;
};

/** What a grant makes of a request: how long the URL lives, and how large a form's file may be. */
export interface Limits {
  /** Seconds. */
  readonly expiresIn: number;
  readonly maxBytes: number | undefined;
}

/** How long a URL lives that is of use without any header, unless more is asked for. Seconds. */
const BARE_EXPIRES_IN = 60;

/**
 * Holds a request against its grants: it must keep the limits of one of them.
 *
 * @param lengthField what the caller knows the content length by; of a copy, that of what is copied
 * @param typeField and the content type
 * @throws {Refused} what the grant with the longest prefix has against it; invalid-request where what is no media type
 * would be taken
 */
export function limit(
  request: Limited,
  grants: readonly Grant[],
  defaultExpiresIn: number,
  lengthField = "contentLength",
  typeField = "contentType",
): Limits {
  const objections = grants.map((grant) => objectionOf(grant, request, lengthField, typeField));
  const grant = grants[objections.indexOf(undefined)];
  if (grant === undefined) throw objections[0];
  const isBare = OPERATIONS[request.operation].customerKey === "none";
  const otherwise = isBare ? Math.min(BARE_EXPIRES_IN, defaultExpiresIn) : defaultExpiresIn;
  return {
    expiresIn: request.expiresIn ?? Math.min(otherwise, grant.maxExpiresIn),
    maxBytes: request.maxBytes ?? grant.maxBytes,
  };
}

/** Whether how much is written may matter. */
export function isLimited(grants: readonly Grant[]): boolean {
  return grants.some(({ maxBytes }) => maxBytes !== undefined);
}

function objectionOf(
  grant: Grant,
  request: Limited,
  lengthField: string,
  typeField: string,
): Refused | undefined {
  return (
    objectToTime(grant, request) ??
    objectToSize(grant, request, lengthField) ??
    objectToType(grant, request, typeField)
  );
}

function objectToTime({ maxExpiresIn }: Grant, { expiresIn = 0 }: Limited): Refused | undefined {
  if (expiresIn <= maxExpiresIn) return undefined;
  return Refused.field("expiresIn", `must be at most ${maxExpiresIn} seconds for this caller`);
}

function objectToSize({ maxBytes }: Grant, request: Limited, lengthField: string): Refused | undefined {
  if (maxBytes === undefined) return undefined;
  const { sized } = OPERATIONS[request.operation];
  if (sized === "parts") {
    return new Refused(
      "forbidden",
      "This caller's uploads are limited in size, which only the sum of all parts tells: complete through POST /v1/multipart/complete.",
    );
  }
  if (sized === "contentLength" && request.contentLength === undefined && request.maxBytes === undefined) {
    return new Refused("length-required", `This caller's uploads are limited in size: give ${lengthField}.`, {
      errors: [{ path: lengthField, message: "is required" }],
    });
  }
  const field = (["contentLength", "minBytes", "maxBytes"] as const).find(
    (name) => (request[name] ?? 0) > maxBytes,
  );
  if (field === undefined) return undefined;
  return new Refused("too-large", `This caller's uploads may have at most ${maxBytes} bytes.`, {
    errors: [
      { path: field === "contentLength" ? lengthField : field, message: `must be at most ${maxBytes}` },
    ],
  });
}

function objectToType(
  { contentTypes }: Grant,
  { operation, contentType, contentTypePrefix }: Limited,
  typeField: string,
): Refused | undefined {
  if (OPERATIONS[operation].typed === undefined) return undefined;
  if (contentTypes === undefined) {
    const fault = contentType === undefined ? undefined : mediaTypeFault(contentType);
    return fault === undefined ? undefined : Refused.field(typeField, fault);
  }
  if (contentTypePrefix !== undefined) {
    // A browser takes `image/png,text/html` for a page, and to the store it begins as a picture does.
    const message = "is not for a caller whose types are limited: the store would take whatever follows it";
    return new Refused("unsupported-type", `contentTypePrefix: ${message}; give contentType.`, {
      errors: [{ path: "contentTypePrefix", message }],
    });
  }
  if (contentTypes.some((pattern) => isOfType(contentType ?? "", pattern))) return undefined;
  return new Refused(
    "unsupported-type",
    `This caller's uploads must have a contentType of ${contentTypes.join(", ")}.`,
    {
      errors: [{ path: typeField, message: `must be of ${contentTypes.join(", ")}` }],
    },
  );
}
