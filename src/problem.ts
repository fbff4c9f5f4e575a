/**
 * Every error that a caller can see, as RFC 9457 problem details. A problem tells a caller what they can mend;
 * what only the operator can mend goes to the log.
 */

const PROBLEMS = {
  "invalid-request": [400, "The request is not valid"],
  unauthenticated: [401, "Who is calling is not known"],
  forbidden: [403, "The caller may not do this"],
  "not-found": [404, "There is nothing here"],
  "method-not-allowed": [405, "This method is not for this address"],
  "key-unknown": [409, "The object is under none of the bucket's keys"],
  "not-encrypted": [409, "The object is not encrypted with a customer key"],
  "no-writable-key": [409, "None of the bucket's keys may write now"],
  conflict: [409, "The object or upload is not as expected"],
  "length-required": [411, "The length must be given"],
  "precondition-failed": [412, "A condition of the request does not hold"],
  "too-large": [413, "Too large"],
  "unsupported-type": [415, "This content type is not allowed"],
  "range-not-satisfiable": [416, "The range is not within the object"],
  "rate-limited": [429, "Too many requests"],
  misconfigured: [500, "The service is not configured correctly"],
  "key-invalid": [500, "The customer key cannot be used"],
  internal: [500, "Something went wrong in the service"],
  "store-error": [502, "The store did not do as asked"],
  "audit-unavailable": [503, "The audit trail cannot be written"],
  unavailable: [503, "Not ready to serve"],
  "store-timeout": [504, "The store did not answer in time"],
} as const;

export type ProblemCode = keyof typeof PROBLEMS;
export type ProblemStatus = (typeof PROBLEMS)[ProblemCode][0];

/** One field at fault: `path` as in `source.key` or `requests[3].bucket`. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

/** The JSON of a problem (RFC 9457, section 3). */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: ProblemStatus;
  readonly detail: string;
  readonly code: ProblemCode;
  readonly requestId: string;
  readonly errors?: readonly FieldError[];
}

interface ProblemOptions {
  /** Fields at fault. */
  errors?: readonly FieldError[];
  /** Headers that belong to the answer, e.g. WWW-Authenticate. */
  headers?: Readonly<Record<string, string>>;
  /** What the operator should know; logged, never answered. */
  operator?: string;
}

export class Problem extends Error {
  override name = "Problem";
  readonly code: ProblemCode;
  readonly status: ProblemStatus;
  readonly title: string;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly operator: string | undefined;

  constructor(code: ProblemCode, detail: string, { errors, headers = {}, operator }: ProblemOptions = {}) {
    super(detail);
    this.code = code;
    [this.status, this.title] = PROBLEMS[code];
    this.errors = errors;
    this.headers = headers;
    this.operator = operator;
  }

  /** A field that is wrong in itself, whoever asks. */
  static field(path: string, message: string): Problem {
    return new Problem("invalid-request", `${path}: ${message}`, { errors: [{ path, message }] });
  }

  /** Several of them, told at once. */
  static fields(errors: readonly FieldError[]): Problem {
    const detail = errors
      .map(({ path, message }) => (path === "" ? message : `${path}: ${message}`))
      .join("; ");
    return new Problem("invalid-request", detail, { errors });
  }

  /** @param operator what is wrong, where the log does not say so yet */
  static misconfigured(operator?: string): Problem {
    return new Problem(
      "misconfigured",
      "The service is not configured correctly; its operator can see why.",
      {
        ...(operator !== undefined && { operator }),
      },
    );
  }

  details(requestId: string): ProblemDetails {
    const { title, status, message: detail, code, errors } = this;
    return {
      type: `urn:ssec-edge:problem:${code}`,
      title,
      status,
      detail,
      code,
      requestId,
      ...(errors && { errors }),
    };
  }
}
