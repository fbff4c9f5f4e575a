/** An object on its way from the store to a client, through the edge. */
import type { Bucket } from "../config/load.ts";
import { Problem } from "../problem.ts";
import type { Credentials } from "../s3/credentials.ts";
import { mayBeAboutKey, readRefusal, sendToStore } from "../s3/fetch.ts";
import type { CustomerKey } from "../ssec/customer-key.ts";
import { customerKeyHeaders } from "../ssec/headers.ts";
import { answeredHeaders } from "./headers.ts";
import { confirmUnderKey, isUnderKey } from "./stored.ts";

/** What the store has to begin its answer, milliseconds. */
const TIME_LIMIT = 20_000;

export interface Wanted {
  readonly method: "GET" | "HEAD";
  readonly bucket: Bucket;
  readonly key: string;
  readonly versionId: string | undefined;
  readonly query: Readonly<Record<string, string>>;
  /** Of the client's request, those that the store is to see. */
  readonly headers: Readonly<Record<string, string>>;
  /** S3 knows no If-Range, and would give the range of another object: it is made a condition here. */
  readonly ifRange: string | undefined;
  readonly customerKey: CustomerKey;
  readonly credentials: Credentials;
}

/** What the client may have of the store's answer. */
export interface Downloaded {
  readonly status: 200 | 206 | 304;
  readonly headers: Readonly<Record<string, string>>;
  /** Untouched, so that a body which the store breaks off is broken off for the client too. */
  readonly body: ReadableStream<Uint8Array> | null;
}

/**
 * @throws {Problem} not-found, key-unknown, not-encrypted, precondition-failed, range-not-satisfiable, store-error,
 * store-timeout
 */
export async function download({ ifRange, ...wanted }: Wanted): Promise<Downloaded> {
  const { range, ...whole } = wanted.headers;
  if (ifRange === undefined || range === undefined) return downloadOnce(wanted);
  // A weak tag, as a proxy that compresses makes of a strong one, does not promise the same bytes.
  if (ifRange.startsWith("W/")) return downloadOnce({ ...wanted, headers: whole });
  const condition = ifRange.startsWith('"') ? { "if-match": ifRange } : { "if-unmodified-since": ifRange };
  try {
    return await downloadOnce({ ...wanted, headers: { ...wanted.headers, ...condition } });
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "precondition-failed") throw error;
    return downloadOnce({ ...wanted, headers: whole });
  }
}

async function downloadOnce(wanted: Omit<Wanted, "ifRange">): Promise<Downloaded> {
  const { method, bucket, key, versionId, customerKey, credentials } = wanted;
  const request = {
    method,
    bucket,
    key,
    query: { ...wanted.query, ...(versionId !== undefined && { versionId }) },
    headers: { ...wanted.headers, ...customerKeyHeaders(customerKey) },
  };
  const response = await sendToStore(request, { credentials, timeLimit: TIME_LIMIT });
  const { status } = response;
  if (status === 304) return { status, headers: answeredHeaders(response.headers), body: null };
  if (status === 200 || status === 206) {
    if (isUnderKey(response.headers, customerKey)) {
      return { status, headers: answeredHeaders(response.headers), body: response.body };
    }
    await response.body?.cancel();
    throw new Problem("not-encrypted", "The object is there, but was stored without a customer key.");
  }
  const { code, argument, problem } = await readRefusal(response, request);
  // Whether it is the key that is wrong, a request for nothing but the object tells.
  if ((status === 400 || status === 403) && mayBeAboutKey(code, argument))
    await confirmUnderKey({ bucket, key, versionId }, customerKey, credentials);
  throw problem;
}
