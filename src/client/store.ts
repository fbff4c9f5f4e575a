/** The store, which a presigned request is for. */
import { heard } from "./api.ts";
import { SsecError } from "./error.ts";
import { type Answer, type Body, type PresignedRequest, type Sending, sendBody } from "./send.ts";

/** What the service gives for an operation. */
export interface Presigned {
  readonly operation: string;
  readonly bucket: string;
  readonly key: string;
  readonly keyId?: string;
  readonly method: string;
  readonly url: string;
  /** Exactly what the request must carry. */
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresAt: string;
}

/** What no store says that has not encrypted. */
const ECHO = "x-amz-server-side-encryption-customer-algorithm";

/**
 * Bytes into the store, once.
 *
 * @returns its ETag
 * @throws {SsecError} also where the store does not say that it has encrypted them
 */
export async function putInStore(
  bucket: string,
  request: PresignedRequest,
  body: Body,
  sending: Sending,
): Promise<string> {
  const answer = await heard(
    () => sendBody(request, body, sending),
    request.url,
    sending.signal,
    corsOf(bucket),
  );
  if (answer.status >= 300) throw await refusalOf(answer);
  if (answer.header(ECHO) !== "AES256")
    throw new SsecError(
      "store-error",
      "the store does not say that it has encrypted this, or its CORS rules do not let a page read that: remove the object, and run `ssec check --live`",
    );
  const etag = answer.header("etag");
  if (etag === null)
    throw new SsecError(
      "store-error",
      "the store's CORS rules do not let a page read the ETag: run `ssec cors`",
    );
  return etag;
}

/** What the operator of a bucket does whose store a page cannot read. */
export const corsOf = (bucket: string) => (origin: string) =>
  `the operator runs \`ssec cors ${bucket} --origin ${origin} --apply\``;

/** What a store means that does not do as asked. */
export async function refusalOf({ status, text }: Pick<Answer, "status" | "text">): Promise<SsecError> {
  const [, code = ""] = /<Code>(\w{1,64})<\/Code>/.exec(await text().catch(() => "")) ?? [];
  const isBusy = status === 429 || (status >= 500 && status !== 501);
  // A URL that has expired, or a clock that was wrong, is a 403: another URL may do.
  return new SsecError(CODES[status] ?? "store-error", `the store answers ${status} ${code}`.trimEnd(), {
    status,
    isPassing: isBusy || status === 403 || code === "RequestTimeout",
    isStale: status === 403,
  });
}

const CODES: Readonly<Record<number, string>> = {
  403: "forbidden",
  404: "not-found",
  412: "precondition-failed",
  416: "range-not-satisfiable",
};
