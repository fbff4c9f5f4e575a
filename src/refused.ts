/**
 * Why the service does not do as asked, in words of its own. Whoever answers (src/http, or another front) makes of a
 * reason what its callers understand: nothing here knows of statuses or headers. A refusal tells a caller what they can
 * mend; what only the operator can mend goes to the log.
 */

/** The contract's codes, which the trail has as well: one word each, whoever finds it out. */
export type Reason =
  // What is asked is wrong, or more than may be.
  | "invalid-request"
  | "method-not-allowed"
  | "length-required"
  | "too-large"
  | "unsupported-type"
  // The caller may not, or not now.
  | "unauthenticated"
  | "forbidden"
  | "rate-limited"
  // The object is not there, or not as it should be.
  | "not-found"
  | "conflict"
  | "precondition-failed"
  | "range-not-satisfiable"
  // Its customer key.
  | "key-unknown"
  | "not-encrypted"
  | "no-writable-key"
  | "key-invalid"
  // What time or the operator mends.
  | "store-error"
  | "store-timeout"
  | "audit-unavailable"
  | "unavailable"
  | "misconfigured"
  | "internal";

/** One field at fault: `path` as in `source.key` or `requests[3].bucket`. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

/** An object's newest version, or the one asked for, where it says that the object was deleted. */
export interface DeleteMarker {
  readonly versionId?: string | undefined;
  readonly since?: Date | undefined;
}

/** What a front may need beside the reason. */
export interface RefusedOptions {
  /** Fields at fault. */
  readonly errors?: readonly FieldError[] | undefined;
  /** Whether the fields are well-formed digests, and the body that came is another. */
  readonly isMismatch?: boolean | undefined;
  /** What the operator should know; logged, never answered. */
  readonly operator?: string | undefined;
  /** When it is of use to ask again: in so many seconds, or then. */
  readonly retryAfter?: number | Date | undefined;
  /** Of the object whose end a range is beyond, bytes. */
  readonly objectSize?: number | undefined;
  /** Why the token that came does not count: ASCII without quotes. */
  readonly disbelief?: string | undefined;
  /** S3's own word, where it was the store that refused; of a store-error without one its status. */
  readonly storeCode?: string | undefined;
  /** What is there in the place of an object that is not. */
  readonly deleteMarker?: DeleteMarker | undefined;
}

export class Refused extends Error {
  override name = "Refused";
  readonly reason: Reason;
  readonly errors: readonly FieldError[] | undefined;
  readonly isMismatch: boolean;
  readonly operator: string | undefined;
  readonly retryAfter: number | Date | undefined;
  readonly objectSize: number | undefined;
  readonly disbelief: string | undefined;
  readonly storeCode: string | undefined;
  readonly deleteMarker: DeleteMarker | undefined;

  /** @param detail for the caller, a sentence */
  constructor(reason: Reason, detail: string, options: RefusedOptions = {}) {
    super(detail);
    this.reason = reason;
    this.errors = options.errors;
    this.isMismatch = options.isMismatch ?? false;
    this.operator = options.operator;
    this.retryAfter = options.retryAfter;
    this.objectSize = options.objectSize;
    this.disbelief = options.disbelief;
    this.storeCode = options.storeCode;
    this.deleteMarker = options.deleteMarker;
  }

  /** A field that is wrong in itself, whoever asks. */
  static field(path: string, message: string): Refused {
    return new Refused("invalid-request", `${path}: ${message}`, { errors: [{ path, message }] });
  }

  /** Several of them, told at once. */
  static fields(errors: readonly FieldError[], isMismatch = false): Refused {
    const detail = errors
      .map(({ path, message }) => (path === "" ? message : `${path}: ${message}`))
      .join("; ");
    return new Refused("invalid-request", detail, { errors, isMismatch });
  }

  /** Digests of the body that are not its own. @param message what of each is wrong */
  static mismatch(paths: Iterable<string>, message: string): Refused {
    return Refused.fields(
      Array.from(paths, (path) => ({ path, message })),
      true,
    );
  }

  /** @param operator what is wrong, where the log does not say so yet */
  static misconfigured(operator?: string): Refused {
    const detail = "The service is not configured correctly; its operator can see why.";
    return new Refused("misconfigured", detail, { operator });
  }
}
