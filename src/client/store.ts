/** The store, which a presigned request is for. */
import { heard } from "./api.ts";
import { SsecError } from "./error.ts";
import { refusalOf } from "./refusal.ts";
import type { Answer } from "./send.ts";

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

/**
 * What a store answers that does as asked.
 *
 * @throws {SsecError}
 */
export async function heardByStore<T extends Answer>(
  ask: () => Promise<T>,
  url: string,
  signal: AbortSignal | undefined,
  bucket: string,
): Promise<T> {
  const mend = (origin: string) => `the operator runs \`ssec cors ${bucket} --origin ${origin} --apply\``;
  const answer = await heard(ask, url, signal, mend);
  const { status } = answer;
  if (status < 300) return answer;
  const { code, isBusy } = refusalOf(status, await answer.text().catch(() => ""));
  // A URL that has expired, or a clock that was wrong, is a 403: another URL may do.
  throw new SsecError(CODES[status] ?? "store-error", `the store answers ${status} ${code}`.trimEnd(), {
    status,
    isPassing: isBusy || status === 403,
    isStale: status === 403,
  });
}

const CODES: Readonly<Record<number, string>> = {
  403: "forbidden",
  404: "not-found",
  412: "precondition-failed",
  416: "range-not-satisfiable",
};
