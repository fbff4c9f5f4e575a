/**
 * Finds the key that an object lies under by asking the store: a HEAD per candidate. The store alone knows; it keeps
 * only the key's MD5 and tells nobody.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
 */
import type { Bucket } from "../../config/load.ts";
import type { CustomerKey } from "../../keys/customer-key.ts";
import { ALGORITHM_HEADER, customerKeyHeaders } from "../../keys/headers.ts";
import { Problem } from "../../problem.ts";
import type { Unsigned } from "../sign/presign.ts";
import type { Credentials } from "./credentials.ts";
import { refusalOf, sendToStore, storeError } from "./fetch.ts";
import { versionFault } from "./version-fault.ts";

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
    const fault = await versionFault(this.#request(undefined), this.#credentials, { signal: this.#deadline });
    return (
      fault ?? new Problem("key-unknown", "The object is there, but under none of the keys of this bucket.")
    );
  }

  #request(key: CustomerKey | undefined): Unsigned {
    const { bucket, key: objectKey, versionId } = this.#object;
    return {
      method: "HEAD",
      bucket,
      key: objectKey,
      query: versionId === undefined ? {} : { versionId },
      headers: key === undefined ? {} : customerKeyHeaders(key),
    };
  }

  async #head(key: CustomerKey | undefined): Promise<Finding> {
    const request = this.#request(key);
    const response = await sendToStore(request, { credentials: this.#credentials, signal: this.#deadline });
    switch (response.status) {
      case 200:
        return response.headers.has(ALGORITHM_HEADER) ? "opens" : "plain";
      case 400:
        return "refused";
      case 403:
        // With a key: not this one. Without: an encrypted object is 400, so it is our credentials that are refused.
        if (key !== undefined) return "refused";
        throw storeError(request, "403", "do its credentials allow GetObject and ListBucket?");
      default:
        throw await refusalOf(response, request);
    }
  }
}

function notEncrypted(): Problem {
  return new Problem("not-encrypted", "The object is there, but was stored without a customer key.");
}
