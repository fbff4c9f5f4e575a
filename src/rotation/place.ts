/** Where a bucket lies, whatever callers call it: two names may mean one, and one name another after a deployment. */
import type { Bucket } from "../config/load.ts";

export function placeOf({ store, storeBucket }: Bucket): string {
  return `${store.endpoint}/${storeBucket}`;
}
