/** What is signed, alike for everyone: an SSE-C GetObject of one bucket. */
export interface Job {
  readonly key: string;
  /** The SSE-C triple. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Makes a presigned URL, synchronously where it can. */
export type Peer = (job: Job) => string | Promise<string>;

export const SITE = {
  endpoint: "https://cwobject.com",
  region: "US-EAST-04A",
  bucket: "acme-media",
} as const;
export const HOST = `${SITE.bucket}.cwobject.com`;
export const CREDENTIALS = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "no-secret-but-as-long-as-real-ones-are-xx",
};
/** Seconds. */
export const EXPIRES_IN = 900;
