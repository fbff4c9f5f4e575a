/** Every error that a caller of the API can see, as RFC 9457 problem details. */
import { type FieldError, type Reason, Refused, type RefusedOptions } from "../refused.ts";

/** Each reason as HTTP has it: the status, and a title. */
export const PROBLEMS = {
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
} as const satisfies Readonly<Record<Reason, readonly [status: number, title: string]>>;

export type ProblemCode = Reason;
export type ProblemStatus = (typeof PROBLEMS)[Reason][0];

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

interface ProblemOptions extends RefusedOptions {
  /** Headers that belong to the answer, beside those that follow from the refusal. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refusal in HTTP's terms. */
export class Problem extends Refused {
  override name = "Problem";
  readonly code: ProblemCode;
  readonly status: ProblemStatus;
  readonly title: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, detail: string, { headers, ...options }: ProblemOptions = {}) {
    super(code, detail, options);
    this.code = code;
    [this.status, this.title] = PROBLEMS[code];
    this.headers = { ...headersOf(this), ...headers };
  }

  /** What the API answers where something is refused anywhere in the service. */
  static of(refused: Refused): Problem {
    return refused instanceof Problem ? refused : new Problem(refused.reason, refused.message, refused);
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

function headersOf({ reason, retryAfter, objectSize, disbelief }: Refused): Record<string, string> {
  return {
    ...(reason === "unauthenticated" && { "www-authenticate": challenge(disbelief) }),
    ...(retryAfter !== undefined && {
      "retry-after": typeof retryAfter === "number" ? String(retryAfter) : retryAfter.toUTCString(),
    }),
    // RFC 9110, section 14.4.
    ...(objectSize !== undefined && { "content-range": `bytes */${objectSize}` }),
  };
}

/** RFC 6750, section 3. */
function challenge(disbelief: string | undefined): string {
  const realm = 'Bearer realm="ssec-edge"';
  return disbelief === undefined
    ? realm
    : `${realm}, error="invalid_token", error_description="${disbelief}"`;
}
