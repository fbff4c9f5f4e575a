/**
 * US dollars a million, November 2026. Cloudflare's are those beyond what its plan includes, as docs/costs.md has them: a
 * test holds the two together. The store's are AWS's, S3 Standard in us-east-1; others take less, or nothing.
 *
 * @see https://aws.amazon.com/s3/pricing/
 */
export const PRICES = {
  /** Requests to the Worker. */
  requests: 0.3,
  /** Milliseconds of CPU. */
  cpu: 0.02,
  /** Operations of a queue, of which a message is three. */
  queue: 0.4,
  /** Rows that D1 writes. */
  rows: 1,
  /** Requests to the store that read, as HEAD does; and such that write, copy or list. */
  reads: 0.4,
  writes: 5,
} as const;
