/**
 * The AWS SDK's client, for operations whose answer is XML. It is loaded when first used: presigning, which is most of
 * what is asked of the service, does without.
 */
import type { S3Client } from "@aws-sdk/client-s3";
import type { Bucket } from "../config/load.ts";
import { describeUnforeseen } from "../log.ts";
import { Problem } from "../problem.ts";
import type { CustomerKey } from "../ssec/customer-key.ts";
import type { Credentials } from "./credentials.ts";
import { refusal, storeError, storeTimeout } from "./fetch.ts";

export type S3 = typeof import("./sdk.ts");

/** What one operation may take, milliseconds; completing an upload of thousands of parts is the longest. */
const TIME_LIMIT = 60_000;

/** One bucket of a store, by the SDK. */
export class S3Bucket {
  readonly #bucket: Bucket;
  readonly #credentials: Credentials;

  constructor(bucket: Bucket, credentials: Credentials) {
    this.#bucket = bucket;
    this.#credentials = credentials;
  }

  get name(): string {
    return this.#bucket.storeBucket;
  }

  /**
   * Runs one operation.
   *
   * @param operation its S3 name, for the operator's log
   * @throws {Problem} what the store's refusal means; store-error, store-timeout
   */
  async run<T>(
    operation: string,
    call: (s3: S3, client: S3Client, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const s3 = await loadSdk();
    const client = this.#client(s3);
    const signal = AbortSignal.timeout(TIME_LIMIT);
    try {
      return await call(s3, client, signal);
    } catch (error) {
      throw this.#problemOf(error, operation, signal);
    } finally {
      client.destroy();
    }
  }

  #client({ S3Client }: S3): S3Client {
    const { endpoint, region, addressing } = this.#bucket.store;
    return new S3Client({
      endpoint,
      region,
      credentials: this.#credentials,
      forcePathStyle: addressing === "path",
      // Otherwise it adds checksums of its own, which not every store takes beside SSE-C.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      followRegionRedirects: false,
    });
  }

  #problemOf(error: unknown, operation: string, signal: AbortSignal): Problem {
    const request = { method: operation, bucket: this.#bucket };
    if (error instanceof Problem) return error;
    if (signal.aborted) return storeTimeout();
    const { name, $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
    const status = $metadata?.httpStatusCode;
    if (status !== undefined)
      return refusal(status, name === "Unknown" || name === "Error" ? "" : (name ?? ""), request);
    return storeError(request, "no answer", describeUnforeseen(error).message);
  }
}

/** The customer key as the SDK takes it. Given the MD5 as well, it passes both on as they are. */
export function sseCustomerKey({ base64, md5 }: CustomerKey) {
  return {
    SSECustomerAlgorithm: "AES256",
    SSECustomerKey: base64,
    SSECustomerKeyMD5: md5,
  };
}

let sdk: S3 | undefined;

/** The SDK's build for browsers, which bundlers choose for Workers, reads XML by a DOMParser, and workerd has none. */
async function loadSdk(): Promise<S3> {
  if (sdk !== undefined) return sdk;
  const globals = globalThis as { DOMParser?: unknown; Node?: unknown };
  if (globals.DOMParser === undefined) {
    const { DOMParser, Node } = await import("@xmldom/xmldom");
    Object.assign(globals, { DOMParser, Node });
  }
  sdk = await import("./sdk.ts");
  return sdk;
}
