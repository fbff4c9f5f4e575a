/**
 * Finds the key that an object lies under by asking the store: a HEAD per candidate. The store alone knows; it keeps
 * only the key's MD5 and tells nobody.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
 */
import type { CustomerKey } from "../../keys/customer-key.ts";
import { ALGORITHM_HEADER } from "../../keys/headers.ts";
import { Refused } from "../../refused.ts";
import type { Credentials } from "./credentials.ts";
import type { Sending } from "./fetch.ts";
import { faultBesideKey } from "./silent-refusal.ts";
import { inTheClear } from "./store-error.ts";
import { head, headOf, type ObjectRef } from "./stored.ts";

/** What one HEAD tells: the key opens the object, or does not, or the object lies there in the clear. */
type Finding = "opens" | "refused" | "plain";

export class Probe {
  readonly #object: ObjectRef;
  readonly #sending: Sending;

  /** @param deadline aborts when the time for probing is over */
  constructor(object: ObjectRef, credentials: Credentials, deadline: AbortSignal) {
    this.#object = object;
    this.#sending = { credentials, signal: deadline };
  }

  /** @throws {Refused} not-found, not-encrypted, store-error, store-timeout */
  async opens(key: CustomerKey): Promise<boolean> {
    const finding = await this.#head(key);
    if (finding === "plain") throw inTheClear();
    return finding === "opens";
  }

  /**
   * Why none of the keys opened the object.
   *
   * @throws {Refused} not-found, not-encrypted, store-error, store-timeout
   */
  async explain(): Promise<Refused> {
    const finding = await this.#head(undefined);
    if (finding === "plain") return inTheClear();
    const fault = await faultBesideKey(headOf(this.#object, undefined), this.#sending);
    return (
      fault ?? new Refused("key-unknown", "The object is there, but under none of the keys of this bucket.")
    );
  }

  async #head(key: CustomerKey | undefined): Promise<Finding> {
    const headers = await head(headOf(this.#object, key), this.#sending);
    if (headers === undefined) return "refused";
    return headers.has(ALGORITHM_HEADER) ? "opens" : "plain";
  }
}
