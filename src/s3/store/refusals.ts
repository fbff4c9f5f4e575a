/**
 * What a store's refusals mean: for each of S3's codes whether the caller can mend it, and in which words. What only the
 * operator can mend is a store-error, whose reason goes to the log.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
import { type DeleteMarker, type Reason, Refused } from "../../refused.ts";
import { type Asked, storeRefusal, storeTimeout } from "./store-error.ts";
import { type Element, textOf } from "./xml.ts";

/** What a refusal says beside its code. */
export interface Told {
  /** The argument at fault, by S3's name. */
  readonly argument?: string | undefined;
  /** As the header has it. */
  readonly retryAfter?: string | undefined;
  readonly deleteMarker?: DeleteMarker | undefined;
}

/** For the caller, who can do something about it. */
const CALLERS: Readonly<Record<string, readonly [Reason, string]>> = {
  // the object
  NoSuchKey: ["not-found", "There is no such object."],
  NoSuchVersion: ["not-found", "There is no such version of the object."],
  NoSuchUpload: [
    "not-found",
    "There is no such multipart upload: it was completed or aborted, or never begun.",
  ],
  InvalidObjectState: ["conflict", "The object is archived: it must be restored before it can be read."],
  ObjectNotInActiveTierError: [
    "conflict",
    "The object is archived: it must be restored before it can be read.",
  ],
  RestoreAlreadyInProgress: ["conflict", "The object is being restored: wait until it is."],
  PreconditionFailed: ["precondition-failed", "The object is not as the request's condition demands."],
  ConditionalRequestConflict: [
    "conflict",
    "Another request changed the object at the same time: look at it, and try again.",
  ],
  OperationAborted: ["conflict", "Another request was at work on the same thing: try again."],
  InvalidRange: ["range-not-satisfiable", "The object does not reach so far."],
  // its name and what goes with it
  KeyTooLongError: ["invalid-request", "The object's key is too long for the store."],
  KeyTooLong: ["invalid-request", "The object's key is too long for the store."],
  InvalidObjectName: ["invalid-request", "The store does not take this object key."],
  XMinioInvalidObjectName: ["invalid-request", "The store does not take this object key."],
  InvalidURI: ["invalid-request", "The store does not take this object key."],
  MetadataTooLarge: [
    "invalid-request",
    "The metadata is too large: S3 takes 2 KB, names and values together.",
  ],
  RequestHeaderSectionTooLarge: [
    "invalid-request",
    "The headers are too large: give less metadata, or fewer tags.",
  ],
  InvalidTag: [
    "invalid-request",
    "The store does not take these tags: at most ten, each once, keys up to 128 and values up to 256 characters, of letters, digits, spaces and + - = . _ : / @.",
  ],
  MalformedTaggingHeader: ["invalid-request", "The tags are not written as a=1&b=2."],
  InvalidStorageClass: ["invalid-request", "The store does not have this storage class."],
  InvalidRetentionPeriod: ["invalid-request", "The store does not take this retention period."],
  ObjectLockConfigurationNotFoundError: [
    "invalid-request",
    "The bucket has no object lock: leave its fields out.",
  ],
  NoSuchObjectLockConfiguration: ["invalid-request", "The object has no lock."],
  // the body
  BadDigest: ["invalid-request", "The body is not what its checksum says."],
  InvalidDigest: ["invalid-request", "The checksum is not one that the store can read."],
  XAmzContentChecksumMismatch: ["invalid-request", "The body is not what its checksum says."],
  XAmzContentSHA256Mismatch: ["invalid-request", "The body is not what its checksum says."],
  ChecksumTypeMismatch: ["invalid-request", "The checksum is of another type than the upload's."],
  IncompleteBody: ["invalid-request", "The body is shorter than its content-length: send it again."],
  RequestTimeout: ["invalid-request", "The body did not come in time: send it again."],
  MissingContentLength: ["length-required", "The store demands a content-length."],
  EntityTooLarge: ["too-large", "The store takes no object of this size."],
  MaxMessageLengthExceeded: ["too-large", "The store takes no request of this size."],
  MaxPostPreDataLengthExceededError: ["too-large", "The fields before the file are too large."],
  QuotaExceeded: ["too-large", "The store has no room left for it: its quota is used up."],
  XMinioAdminBucketQuotaExceeded: ["too-large", "The store has no room left for it: its quota is used up."],
  InsufficientCapacity: ["too-large", "The store has no room left for it."],
  // parts
  EntityTooSmall: ["invalid-request", "A part is too small: every part but the last must have 5 MiB."],
  InvalidPart: ["invalid-request", "A part is missing, or is another than the one named."],
  InvalidPartOrder: ["invalid-request", "A part is named twice, or out of order."],
  InvalidPartNumber: ["range-not-satisfiable", "The object has no part of this number."],
  // what the store does not have
  InvalidArgument: ["invalid-request", "The store does not take a value of this request."],
  InvalidRequest: ["invalid-request", "The store does not take a request of this kind."],
  NotImplemented: [
    "invalid-request",
    "The store does not have what the request asks for: leave out what it can do without.",
  ],
  UnexpectedContent: ["invalid-request", "The store does not take a body here."],
  InvalidAdditionalChecksumAlgorithm: ["invalid-request", "The store does not know this checksum algorithm."],
  InvalidWebsiteRedirectLocation: ["invalid-request", "The store does not take this redirect."],
  InvalidWriteOffset: ["conflict", "The object does not end where the request goes on."],
  // who waits may try again
  TooManyRequests: ["rate-limited", "The store is asked too much at once: wait, and try again."],
  TooManyRequestsException: ["rate-limited", "The store is asked too much at once: wait, and try again."],
  Throttling: ["rate-limited", "The store is asked too much at once: wait, and try again."],
  ThrottlingException: ["rate-limited", "The store is asked too much at once: wait, and try again."],
  RequestLimitExceeded: ["rate-limited", "The store is asked too much at once: wait, and try again."],
  BandwidthLimitExceeded: ["rate-limited", "The store is asked too much at once: wait, and try again."],
  SlowDown: ["unavailable", "The store is overloaded: wait, and try again."],
  SlowDownRead: ["unavailable", "The store is overloaded: wait, and try again."],
  SlowDownWrite: ["unavailable", "The store is overloaded: wait, and try again."],
  Busy: ["unavailable", "The store is overloaded: wait, and try again."],
  ServiceUnavailable: ["unavailable", "The store is not ready: wait, and try again."],
};

const CREDENTIALS = "are its credentials right, and do they allow it?";
const ADDRESS = "are endpoint, region and addressing those of this bucket?";
const CLOCK = "is the clock right, here and there?";
const SSE = "does it take SSE-C for this bucket?";
const OURS = "it did not understand a request of the service's own";

/** For the operator, with a hint; every code that is not here has none. */
const OPERATORS: Readonly<Record<string, string>> = {
  NoSuchBucket: "is there a bucket of this name?",
  AccessDenied: "do its credentials allow it, and the bucket's policy?",
  AccessForbidden: CREDENTIALS,
  AccountProblem: CREDENTIALS,
  AllAccessDisabled: CREDENTIALS,
  InvalidAccessKeyId: CREDENTIALS,
  InvalidPayer: CREDENTIALS,
  InvalidSecurity: CREDENTIALS,
  NotSignedUp: CREDENTIALS,
  SignatureDoesNotMatch: CREDENTIALS,
  UnauthorizedAccess: CREDENTIALS,
  UserSuspended: CREDENTIALS,
  CredentialsNotSupported: CREDENTIALS,
  ExpiredToken: "its session token has expired",
  InvalidToken: "is its session token right?",
  TokenRefreshRequired: "its session token has expired",
  MissingSecurityHeader: OURS,
  MissingSecurityElement: OURS,
  AuthorizationHeaderMalformed: ADDRESS,
  AuthorizationQueryParametersError: ADDRESS,
  IllegalLocationConstraintException: ADDRESS,
  InvalidAddressingHeader: ADDRESS,
  InvalidBucketName: ADDRESS,
  InvalidLocationConstraint: ADDRESS,
  InvalidRegion: ADDRESS,
  PathStyleRequestNotAllowed: ADDRESS,
  PermanentRedirect: ADDRESS,
  Redirect: ADDRESS,
  TemporaryRedirect: ADDRESS,
  WrongRegion: ADDRESS,
  EndpointNotFound: ADDRESS,
  InvalidHostHeader: ADDRESS,
  RequestTimeTooSkewed: CLOCK,
  RequestExpired: CLOCK,
  InvalidEncryptionAlgorithmError: SSE,
  InvalidEncryptionRequest: SSE,
  ServerSideEncryptionConfigurationNotFoundError: SSE,
  InvalidBucketState: "is the bucket in a state that takes this?",
  KMSDisabled: "its KMS refuses",
  MalformedXML: OURS,
  MissingRequestBodyError: OURS,
  RequestIsNotMultiPartContent: OURS,
  UnsupportedSignature: OURS,
  InternalError: "it failed",
};

/** Where there is no code, as in every answer to a HEAD. */
const BY_STATUS: Readonly<Record<number, string>> = {
  404: "NoSuchKey",
  409: "OperationAborted",
  411: "MissingContentLength",
  412: "PreconditionFailed",
  413: "EntityTooLarge",
  416: "InvalidRange",
  429: "TooManyRequests",
  503: "ServiceUnavailable",
};

const REFUSAL_CODES: readonly string[] = [...Object.keys(CALLERS), ...Object.keys(OPERATORS)];

/** Which codes stores use for a wrong customer key as well. */
const OF_KEYS_TOO = ["", "AccessDenied", "InvalidArgument", "InvalidRequest"];

/** Whether a refusal may be about the customer key: a code that nobody knows may be about anything. */
export function mayBeAboutKey(status: number, code: string, argument: string | undefined): boolean {
  if ((status !== 400 && status !== 403) || argument === "versionId") return false;
  return OF_KEYS_TOO.includes(code) || !REFUSAL_CODES.includes(code);
}

/** Seconds, where the store does not say. */
const RETRY_AFTER = 5;

/**
 * @param status the answer's; 200 where an error came under it
 * @param code S3's, empty where the answer had none
 */
export function refusal(status: number, code: string, asked: Asked, told: Told = {}): Refused {
  const isReading = asked.method === "GET" || asked.method === "HEAD";
  // A delete marker, asked for by its version.
  if (isReading && (code === "MethodNotAllowed" || (code === "" && status === 405))) {
    return new Refused("not-found", "This version marks that the object was deleted.", {
      storeCode: "MethodNotAllowed",
      deleteMarker: told.deleteMarker,
    });
  }
  const answer = code || String(status);
  const known = own(CALLERS, code);
  if (known !== undefined) return callers(known, code, status, asked, told);
  const hint = status === 429 || status === 503 ? undefined : own(OPERATORS, code);
  if (hint !== undefined) return storeRefusal(asked, answer, hint);
  // What is missing may be anything, where the store has a word of its own for it.
  const meant = status === 404 && code !== "" ? undefined : own(CALLERS, BY_STATUS[status]);
  if (meant !== undefined) return callers(meant, code, status, asked, told);
  if (status === 400)
    return callers(["invalid-request", "The store does not take this request."], code, status, asked, told);
  if (status === 504) return storeTimeout();
  return storeRefusal(asked, answer, status === 403 ? CREDENTIALS : "");
}

function callers(
  [reason, detail]: readonly [Reason, string],
  code: string,
  status: number,
  { method, bucket: { name, store } }: Asked,
  { argument, retryAfter, deleteMarker }: Told,
): Refused {
  const answer = code || String(status);
  const isLater = reason === "rate-limited" || reason === "unavailable";
  const fault = argument === undefined ? "" : ` (${argument})`;
  // What is not sure to be the caller's doing, the operator hears of as well.
  const isUnsure = isLater || /^(\d+|InvalidRequest|InvalidArgument|NotImplemented)$/.test(answer);
  return new Refused(reason, `${detail.slice(0, -1)}${fault}.`, {
    ...(isLater && { retryAfter: timeToWait(retryAfter) }),
    ...(isUnsure &&
      reason !== "not-found" && {
        operator: `STORES.${store.name}: ${answer}${fault} to a ${method} in BUCKETS.${name}`,
      }),
    storeCode: code === "" ? undefined : code,
    ...(reason === "not-found" && { deleteMarker }),
  });
}

/** What an answer's headers tell of it. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html */
export function deleteMarkerIn(headers: Headers): DeleteMarker | undefined {
  if (headers.get("x-amz-delete-marker") !== "true") return undefined;
  const since = new Date(headers.get("last-modified") ?? "");
  return {
    versionId: headers.get("x-amz-version-id") ?? undefined,
    since: Number.isNaN(since.getTime()) ? undefined : since,
  };
}

/** Seconds, or a date (RFC 9110, section 10.2.3); nothing else of the store's is passed on. */
function timeToWait(value = ""): number | Date {
  if (/^\d{1,6}$/.test(value)) return Number(value);
  const date = /^[A-Z][a-z]{2}, [\w :]{11,21} GMT$/.test(value) ? new Date(value) : undefined;
  return date === undefined || Number.isNaN(date.getTime()) ? RETRY_AFTER : date;
}

function own<T>(table: Readonly<Record<string, T>>, name: string | undefined): T | undefined {
  return name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined;
}

/** S3's code; empty where there is none. */
export function codeIn(error: Element): string {
  return nameIn(error, "Code") ?? "";
}

/** The argument at fault, of which nothing but its name is passed on. */
export function argumentIn(error: Element): string | undefined {
  return nameIn(error, "ArgumentName");
}

function nameIn(error: Element, child: string): string | undefined {
  return /^\s*([\w.-]{1,64})\s*$/.exec(textOf(error, child) ?? "")?.[1];
}
