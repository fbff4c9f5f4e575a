/**
 * Finds the key that an object lies under by asking the store: a HEAD per candidate. The store alone knows; it keeps
 * only the key's MD5 and tells nobody.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
 */
import type { Bucket } from "../config/load.ts";
import { Problem } from "../problem.ts";
import type { CustomerKey } from "../ssec/customer-key.ts";
import { ALGORITHM_HEADER, customerKeyHeaders } from "../ssec/headers.ts";
import type { Credentials } from "./credentials.ts";
import { presign } from "./presign.ts";

/** All the time that a request may spend in search of its key, milliseconds. */
export const PROBE_TIME_LIMIT = 10_000;

/** Seconds that a probe's own URL lives: as long as SigV4 allows clocks to differ. */
const PROBE_EXPIRES_IN = 900;

export interface ProbedObject {
  readonly bucket: Bucket;
  readonly key: string;
  readonly versionId?: string | undefined;
}

/** What one HEAD tells: the key opens the object, or does not, or the object lies there in the clear. */
type Finding = "opens" | "refused" | "plain";

export class Probe {
  readonly #object: ProbedObject;
  readonly #credentials: Credentials;
  readonly #deadline: AbortSignal;

  /** @param deadline aborts when the time for probing is over */
  constructor(object: ProbedObject, credentials: Credentials, deadline: AbortSignal) {
    this.#object = object;
    this.#credentials = credentials;
    this.#deadline = deadline;
  }

  /** @throws {Problem} not-found, not-encrypted, store-error, store-timeout */
  async opens(key: CustomerKey): Promise<boolean> {
    const finding = await this.#head(key);
    if (finding === "plain") throw notEncrypted();
    return finding === "opens";
  }

  /**
   * Why none of the keys opened the object.
   *
   * @throws {Problem} not-found, not-encrypted, store-error, store-timeout
   */
  async explain(): Promise<Problem> {
    const finding = await this.#head(undefined);
    if (finding === "plain") return notEncrypted();
    return new Problem("key-unknown", "The object is there, but under none of the keys of this bucket.");
  }

  async #head(key: CustomerKey | undefined): Promise<Finding> {
    const { bucket, key: objectKey, versionId } = this.#object;
    const { url, headers } = await presign(
      {
        method: "HEAD",
        bucket,
        key: objectKey,
        query: versionId === undefined ? {} : { versionId },
        headers: key === undefined ? {} : customerKeyHeaders(key),
      },
      { credentials: this.#credentials, signingDate: new Date(), expiresIn: PROBE_EXPIRES_IN },
    );
    const response = await this.#fetch(url, { method: "HEAD", headers, redirect: "manual" });
    switch (response.status) {
      case 200:
        return response.headers.has(ALGORITHM_HEADER) ? "opens" : "plain";
      case 400:
        return "refused";
      case 403:
        // With a key: not this one. Without: an encrypted object is 400, so it is our credentials that are refused.
        if (key !== undefined) return "refused";
        throw storeError(bucket, "403", "do its credentials allow GetObject and ListBucket?");
      case 404:
      case 405: // a delete marker, asked for by its version
        throw new Problem("not-found", "There is no such object.");
      default:
        throw storeError(bucket, String(response.status));
    }
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    try {
      this.#deadline.throwIfAborted();
      return await fetch(url, { ...init, signal: this.#deadline });
    } catch {
      // The error is not passed on: a runtime may put the URL, signature and all, into its message.
      if (this.#deadline.aborted) {
        throw new Problem("store-timeout", "The store did not say in time which key the object is under.");
      }
      throw storeError(this.#object.bucket, "no answer", "is its endpoint right, and up?");
    }
  }
}

function notEncrypted(): Problem {
  return new Problem("not-encrypted", "The object is there, but was stored without a customer key.");
}

function storeError({ name, store }: Bucket, answer: string, hint = ""): Problem {
  return new Problem(
    "store-error",
    `The store could not be asked which key the object is under (${answer}).`,
    {
      operator: `STORES.${store.name}: ${answer} to a HEAD in BUCKETS.${name} ${hint}`.trimEnd(),
    },
  );
}
