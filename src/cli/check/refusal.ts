/** What it means when the store refuses what it should take, and what to do. */
import { type Answer, codeOf, said } from "./http.ts";
import { bad, type Outcome } from "./report.ts";

const MEANINGS: Readonly<Record<string, string>> = {
  AccessDenied:
    "The credentials may not do it, or a policy forbids it. On AWS, new buckets refuse SSE-C: allow it with PutBucketEncryption, BlockedEncryptionTypes NONE.",
  NotImplemented: "The store has no such operation.",
  MethodNotAllowed: "The store has no such operation.",
  InvalidRequest: "Many stores refuse SSE-C over plain http: use https in the endpoint.",
  InvalidArgument: "The store does not take the SSE-C headers as S3 defines them.",
  SignatureDoesNotMatch:
    "The store signs what it got otherwise than it was sent: a proxy on the way may change or drop headers.",
  SlowDown: "The store is overloaded: try again later.",
  ServiceUnavailable: "The store is overloaded or down: try again later.",
};

export function refused(answer: Answer): Outcome {
  return bad(`refused (${said(answer)})`, MEANINGS[codeOf(answer)] ?? "The store's own log says why.");
}

/** The store has no such operation, and says so. */
export function isMissing(answer: Answer): boolean {
  return answer.status === 501 || answer.status === 405 || codeOf(answer) === "NotImplemented";
}

/** Refused for what it is; a 404 or a 500 would prove nothing. */
export function isRefusal({ status }: Answer): boolean {
  return status === 400 || status === 401 || status === 403;
}
