/** A part of an upload, or all of it, into the store: again, and by another URL, where that may help. */
import type { CallOptions } from "./api.ts";
import { forbidsPage, SsecError } from "./error.ts";
import { type Persistence, persist } from "./retry.ts";
import type { Answer, PresignedRequest, Sending } from "./send.ts";

/** Milliseconds that a URL must still live for a request to begin. */
const MARGIN = 30_000;
/** What no store says that has not encrypted. */
const ECHO = "x-amz-server-side-encryption-customer-algorithm";

/** What is asked of the service. */
export interface Service {
  json<T>(path: string, body: object, options: CallOptions): Promise<T>;
}

export interface Part {
  /** Bytes. */
  readonly size: number;
  /**
   * Into the store, once.
   *
   * @param requestOf gives what to send; it lives for a while from then on
   * @returns what the store says that has taken it
   */
  put(requestOf: () => Promise<PresignedRequest>, sending: Sending): Promise<Pick<Answer, "headers">>;
}

/**
 * @param requestOf gives one that lives for a while: another than before, where that may be what was at fault
 * @param onSent is told how many bytes have gone out; fewer than before where it begins again
 * @returns its ETag
 * @throws {SsecError} where the store does not say that it has encrypted it
 */
export async function sendPart(
  { size, put }: Part,
  requestOf: (isAnew: boolean) => Promise<PresignedRequest>,
  onSent: (bytes: number) => void,
  signal: AbortSignal | undefined,
  persistence: Persistence | undefined,
): Promise<string> {
  const { headers } = await persist(
    (failures) => {
      onSent(0);
      return put(() => requestOf(failures > 0), { signal, onSent });
    },
    signal,
    persistence,
  );
  const etag = headers.get("etag");
  if (headers.get(ECHO) !== "AES256" || etag === null) {
    const hidden = forbidsPage(() => "read that (`ssec cors`)");
    throw new SsecError(
      "store-error",
      `the store did not say that it encrypted${hidden}: remove the object, and see \`ssec check --live\``,
    );
  }
  onSent(size);
  return etag;
}

/** Whether a request can still begin. */
export function isFresh({ expiresAt }: { readonly expiresAt: string }): boolean {
  return Date.parse(expiresAt) - MARGIN > Date.now();
}
