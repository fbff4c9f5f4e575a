/** The object that lies at a key now, whatever it lies under: what a condition is held against. */

import { CustomerKeyError } from "../keys/customer-key.ts";
import { type KeyRing, readers } from "../keys/ring.ts";
import { Refused } from "../refused.ts";
import type { Credentials } from "../s3/store/credentials.ts";
import { headObject, type ObjectRef } from "../s3/store/stored.ts";
import type { State } from "./conditions.ts";

/** The state, and the store's answer that tells it, where there is one. */
export interface CurrentObject {
  readonly state: State;
  readonly headers?: Headers;
}

/**
 * Asks the store under each of the bucket's keys, the likeliest first, and then without one. An object that none of them
 * opens is `hidden`: it is there.
 *
 * @throws {Refused} store-error, store-timeout
 */
export async function currentObject(
  object: ObjectRef,
  { ring, credentials }: { ring: KeyRing; credentials: Credentials },
): Promise<CurrentObject> {
  const { bucket, key } = object;
  try {
    for (const rule of readers(bucket.keys, Date.now())) {
      const customerKey = await usable(ring.keyFor(rule, { storeBucket: bucket.storeBucket, key }));
      const found = customerKey && (await headObject(object, customerKey, credentials));
      if (found) return { state: found.stored, headers: found.headers };
    }
    const plain = await headObject(object, undefined, credentials);
    return plain ? { state: plain.stored, headers: plain.headers } : { state: "hidden" };
  } catch (error) {
    if (error instanceof Refused && error.reason === "not-found") return { state: "absent" };
    throw error;
  }
}

/** @see currentObject */
export async function currentState(...asked: Parameters<typeof currentObject>): Promise<State> {
  return (await currentObject(...asked)).state;
}

/** A key that is broken opens nothing; what it may have locked is there all the same. */
async function usable<T>(key: T | Promise<T>): Promise<T | undefined> {
  try {
    return await key;
  } catch (error) {
    if (error instanceof CustomerKeyError) return undefined;
    throw error;
  }
}
