/**
 * An audit event: who was handed which key for which object, and when. Its field names are stable: collectors,
 * queries and the columns of the database go by them. It never holds a key, a token, a signature or a URL.
 */

export type Outcome = "allowed" | "denied" | "failed";

export interface AuditEvent {
  /** UUIDv7 (RFC 9562): in order of time. */
  readonly id: string;
  /** ISO 8601, UTC, milliseconds. */
  readonly time: string;
  /** Ours, and the answer's x-request-id. */
  readonly requestId: string;
  /** What the client calls the request: its own x-request-id. */
  readonly clientRequestId?: string;
  readonly caller?: string;
  readonly subject?: string;
  /** S3's own name, or VerifyObject, ListObjectsV2. */
  readonly operation?: string;
  /**
   * "s3" where an S3 client asked for it, or a link was used, of the gateway; "edge" where such a link was handed out; left
   * out for the rest of the API.
   */
  readonly via?: "s3" | "edge";
  readonly bucket?: string;
  readonly key?: string;
  readonly versionId?: string;
  /** Of a copy. */
  readonly source?: {
    readonly bucket: string;
    readonly key: string;
    readonly versionId?: string;
    readonly keyId?: string;
  };
  readonly keyId?: string;
  /** base64 of the MD5 of the customer key: what the store knows it by. */
  readonly keyMD5?: string;
  readonly outcome: Outcome;
  /** Of the problem, where the outcome is not "allowed". */
  readonly code?: string;
  /** Of the URL that was handed out; without it, the service itself acted. */
  readonly expiresAt?: string;
  readonly bytes?: number;
  /** Of refusals that are alike: how many this event stands for, 2 or more. The rest of it is that of the last. */
  readonly count?: number;
  readonly ip?: string;
  /** ISO 3166-1 alpha-2. */
  readonly country?: string;
  readonly userAgent?: string;
}

/** An event that is not JSON yet: what does not apply is undefined there, and then left out. */
export type UnwrittenEvent = Pick<AuditEvent, "id" | "time" | "requestId" | "outcome"> & {
  readonly [Field in keyof AuditEvent]: AuditEvent[Field] | undefined;
};

/** What is known of an operation so far; filled in as its steps are taken, so that a failure tells how far it came. */
export type Draft = {
  -readonly [Field in
    | "operation"
    | "via"
    | "bucket"
    | "key"
    | "versionId"
    | "source"
    | "keyId"
    | "keyMD5"
    | "code"
    | "expiresAt"
    | "bytes"]?: AuditEvent[Field] | undefined;
};

/**
 * Refused before anything was done: what anyone may bring about as often as they like, for nothing. What a client reports
 * of the store is taken on its word, and so is no better.
 */
export function isRefusal({ outcome, code = "" }: Pick<UnwrittenEvent, "outcome" | "code">): boolean {
  return outcome === "denied" || (outcome === "failed" && (code === "invalid-request" || isOfStore(code)));
}

/** Codes of S3 are in capitals, as those of problems are not. */
function isOfStore(code: string): boolean {
  return /^[A-Z]/.test(code);
}

/** Every field, in the order in which they are told. */
export const EVENT_FIELDS = [
  "id",
  "time",
  "requestId",
  "clientRequestId",
  "caller",
  "subject",
  "operation",
  "via",
  "bucket",
  "key",
  "versionId",
  "source",
  "keyId",
  "keyMD5",
  "outcome",
  "code",
  "expiresAt",
  "bytes",
  "count",
  "ip",
  "country",
  "userAgent",
] as const satisfies readonly (keyof AuditEvent)[];
