/** What only the operator can mend, and what time may. */
import type { Bucket } from "../../config/load.ts";
import { type Reason, Refused } from "../../refused.ts";

/** What the store was asked, for the operator: an HTTP method, or S3's name for an operation. */
export interface Asked {
  readonly method: string;
  readonly bucket: Bucket;
}

/**
 * @param hint for the operator
 * @param storeCode what the store said, where `answer` is just that
 */
export function storeError(
  { method, bucket: { name, store } }: Asked,
  answer: string,
  hint = "",
  storeCode?: string,
): Refused {
  return new Refused("store-error", `The store could not do it (${answer}).`, {
    storeCode,
    operator: `STORES.${store.name}: ${answer} to a ${method} in BUCKETS.${name} ${hint}`.trimEnd(),
  });
}

/** What the store refused in a word of its own, or by a status alone. */
export function storeRefusal(asked: Asked, storeCode: string, hint: string): Refused {
  return storeError(asked, storeCode, hint, storeCode);
}

export function storeTimeout(): Refused {
  return new Refused("store-timeout", "The store did not answer in time.");
}

/** An object that the store hands to anybody who may read. */
export function inTheClear(): Refused {
  return new Refused("not-encrypted", "The object is there, but was stored without a customer key.");
}

/** A store that does not say that it encrypted has not. */
export function didNotEncrypt(): Refused {
  return new Refused(
    "store-error",
    "The store did not encrypt the object under the customer key, so it was not kept.",
    {
      operator: "the store did not echo the SSE-C algorithm and the key's MD5: it does not do SSE-C as asked",
    },
  );
}

/** Whether it may be otherwise when it is asked again. */
export function isTransient(error: unknown): boolean {
  const codes: readonly Reason[] = ["store-error", "store-timeout", "unavailable", "rate-limited"];
  return error instanceof Refused && codes.includes(error.reason);
}
