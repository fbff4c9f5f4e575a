/** An object is removed, through the edge. */

import { preconditionsOf } from "../edge/conditions.ts";
import { type Removed, removeObject as remove } from "../edge/upload.ts";
import type { Service } from "../service.ts";
import type { Addressed, Operating } from "./operate.ts";
import { seenNow } from "./seen-now.ts";

export interface Removing {
  readonly versionId: string | undefined;
  /** Of the client's request: conditions. */
  readonly headers: Headers;
}

/** @throws {Refused} precondition-failed; what the store's refusal means */
export async function removeObject(
  { request: { key }, bucket, draft, ...use }: Operating<Addressed>,
  { versionId, headers }: Removing,
  service: Service,
): Promise<Removed> {
  const conditions = preconditionsOf(headers);
  draft.versionId = versionId;
  const credentials = await use.credentials();
  const seen = await seenNow(service, conditions, { bucket, key, versionId, credentials }, "DELETE");
  // Where a condition demands that nothing is there, there is nothing to remove.
  if (seen.ifNoneMatch !== undefined) return {};
  // A version never changes; stores hold a condition against the newest one.
  const held = versionId === undefined ? seen : {};
  return remove({ bucket, key, versionId, seen: held, credentials });
}
