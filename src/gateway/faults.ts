/**
 * What S3's clients are told of refusals: S3's codes, each with its status, in S3's XML. Programs go by the codes, so that
 * none is made up here.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
import { type Reason, Refused, type RefusedOptions } from "../refused.ts";

/** Each code that is answered: its status, and the reason that the trail has. */
export const FAULTS = {
  AccessDenied: [403, "forbidden"],
  AuthorizationHeaderMalformed: [400, "unauthenticated"],
  AuthorizationQueryParametersError: [400, "unauthenticated"],
  BadDigest: [400, "invalid-request"],
  BucketAlreadyOwnedByYou: [409, "conflict"],
  ConditionalRequestConflict: [409, "conflict"],
  EntityTooLarge: [400, "too-large"],
  EntityTooSmall: [400, "invalid-request"],
  ExpiredToken: [400, "unauthenticated"],
  IncompleteBody: [400, "invalid-request"],
  InternalError: [500, "internal"],
  InvalidAccessKeyId: [403, "unauthenticated"],
  InvalidArgument: [400, "invalid-request"],
  InvalidBucketState: [409, "no-writable-key"],
  InvalidChunkSizeError: [403, "invalid-request"],
  InvalidDigest: [400, "invalid-request"],
  InvalidObjectState: [403, "conflict"],
  InvalidPart: [400, "invalid-request"],
  InvalidPartNumber: [416, "range-not-satisfiable"],
  InvalidPartOrder: [400, "invalid-request"],
  InvalidRange: [416, "range-not-satisfiable"],
  InvalidRequest: [400, "invalid-request"],
  InvalidStorageClass: [400, "invalid-request"],
  InvalidTag: [400, "invalid-request"],
  InvalidToken: [400, "unauthenticated"],
  InvalidURI: [400, "invalid-request"],
  KeyTooLongError: [400, "invalid-request"],
  MalformedTrailerError: [400, "invalid-request"],
  MalformedXML: [400, "invalid-request"],
  MetadataTooLarge: [400, "invalid-request"],
  MethodNotAllowed: [405, "method-not-allowed"],
  MissingContentLength: [411, "length-required"],
  MissingRequestBodyError: [400, "invalid-request"],
  NoSuchKey: [404, "not-found"],
  NoSuchTagSet: [404, "not-found"],
  NoSuchUpload: [404, "not-found"],
  NoSuchVersion: [404, "not-found"],
  NotImplemented: [501, "invalid-request"],
  OperationAborted: [409, "conflict"],
  PreconditionFailed: [412, "precondition-failed"],
  RequestTimeout: [400, "invalid-request"],
  RequestTimeTooSkewed: [403, "unauthenticated"],
  ServiceUnavailable: [503, "unavailable"],
  SignatureDoesNotMatch: [403, "unauthenticated"],
  SlowDown: [503, "unavailable"],
  XAmzContentChecksumMismatch: [400, "invalid-request"],
  XAmzContentSHA256Mismatch: [400, "invalid-request"],
} as const satisfies Readonly<Record<string, readonly [status: number, reason: Reason]>>;

export type FaultCode = keyof typeof FAULTS;

/** A refusal in S3's terms, told of in the trail by its reason as any other. */
export class S3Fault extends Refused {
  override name = "S3Fault";
  readonly code: FaultCode;
  readonly status: number;

  /** @param message for whoever reads what their client shows: a sentence */
  constructor(code: FaultCode, message: string, options: RefusedOptions = {}) {
    const [status, reason] = FAULTS[code];
    super(reason, message, options);
    this.code = code;
    this.status = status;
  }
}

/** What a reason is to S3, where the store has not said more of it. */
const OF_REASON = {
  "invalid-request": "InvalidRequest",
  "method-not-allowed": "MethodNotAllowed",
  "length-required": "MissingContentLength",
  "too-large": "EntityTooLarge",
  "unsupported-type": "AccessDenied",
  unauthenticated: "AccessDenied",
  forbidden: "AccessDenied",
  // Clients wait, and ask again.
  "rate-limited": "SlowDown",
  "not-found": "NoSuchKey",
  conflict: "OperationAborted",
  "precondition-failed": "PreconditionFailed",
  "range-not-satisfiable": "InvalidRange",
  // As S3 answers where the key of SSE-C is not the object's.
  "key-unknown": "AccessDenied",
  "not-encrypted": "InvalidRequest",
  "no-writable-key": "InvalidBucketState",
  "key-invalid": "InternalError",
  "store-error": "InternalError",
  "store-timeout": "ServiceUnavailable",
  "audit-unavailable": "ServiceUnavailable",
  unavailable: "SlowDown",
  misconfigured: "InternalError",
  internal: "InternalError",
} as const satisfies Readonly<Record<Reason, FaultCode>>;

/** Of what: where a refusal of the domain does not say which thing is not there, or wrong. */
export interface Asked {
  /** Whether it is about an upload alone. */
  readonly ofUpload?: boolean;
  /** Whether its parts were. */
  readonly ofParts?: boolean;
}

/** What a caller is told of a refusal, wherever it was made. */
export function faultOf(refused: Refused, asked: Asked = {}): S3Fault {
  if (refused instanceof S3Fault) return refused;
  return new S3Fault(codeOf(refused, asked), refused.message, refused);
}

function codeOf(refused: Refused, { ofUpload = false, ofParts = false }: Asked): FaultCode {
  const { reason, storeCode, isMismatch, errors: [first] = [] } = refused;
  // Some stores know no object, where it is an upload that there is not.
  if (reason === "not-found" && ofUpload) return "NoSuchUpload";
  // Only of what the caller can mend the store's own word is passed on.
  const isCallers = !["store-error", "store-timeout", "internal", "misconfigured"].includes(reason);
  if (isCallers && storeCode !== undefined && Object.hasOwn(FAULTS, storeCode)) return storeCode as FaultCode;
  if (reason === "invalid-request" && first !== undefined) {
    if (ofParts && first.path.startsWith("parts[")) return "InvalidPart";
    if (isMismatch) return first.path === "x-amz-content-sha256" ? "XAmzContentSHA256Mismatch" : "BadDigest";
    if (first.path === "metadata") return "MetadataTooLarge";
    if (first.path === "content-md5") return "InvalidDigest";
    if (first.path.startsWith("x-amz-checksum-")) return "InvalidRequest";
    return "InvalidArgument";
  }
  return OF_REASON[reason];
}
