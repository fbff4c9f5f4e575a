/** A part of an upload, or all of it, into the store: again, and by another URL, where that may help. */
import type { CallOptions } from "./api.ts";
import { persist } from "./retry.ts";
import type { PresignedRequest, Sending } from "./send.ts";

/** Milliseconds that a URL must still live for a request to begin. */
const MARGIN = 30_000;

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
   * @returns its ETag
   */
  put(requestOf: () => Promise<PresignedRequest>, sending: Sending): Promise<string>;
}

/**
 * @param requestOf gives one that lives for a while: another than before, where that may be what was at fault
 * @param onSent is told how many bytes have gone out; fewer than before where it begins again
 * @param slow is called where the store says that it is too much
 * @returns its ETag
 */
export async function sendPart(
  { size, put }: Part,
  requestOf: (isAnew: boolean) => Promise<PresignedRequest>,
  onSent: (bytes: number) => void,
  signal: AbortSignal | undefined,
  slow?: () => void,
): Promise<string> {
  const etag = await persist(
    (failures) => {
      onSent(0);
      return put(() => requestOf(failures > 0), { signal, onSent });
    },
    signal,
    {
      onFailure: ({ isStale }) => {
        if (!isStale) slow?.();
      },
    },
  );
  onSent(size);
  return etag;
}

/** Whether a request can still begin. */
export function isFresh({ expiresAt }: { readonly expiresAt: string }): boolean {
  return Date.parse(expiresAt) - MARGIN > Date.now();
}
