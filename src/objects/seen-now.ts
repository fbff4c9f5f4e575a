/** What a request that changes an object is held against. */
import { areNone, demand, type Preconditions, type Seen } from "../edge/conditions.ts";
import { currentObject } from "../edge/current.ts";
import { checkVersion } from "../edge/echoes.ts";
import type { Credentials } from "../s3/store/credentials.ts";
import type { ObjectRef } from "../s3/store/stored.ts";
import type { Service } from "../service.ts";

/**
 * Holds the conditions of a request that changes an object against what is there now; and a version that is named
 * against the store's word that it is that.
 *
 * @throws {Refused} precondition-failed; invalid-request for a version that is none
 */
export async function seenNow(
  { ring }: Pick<Service, "ring">,
  conditions: Preconditions,
  { credentials, ...object }: ObjectRef & { credentials: Credentials },
  method: "PUT" | "DELETE" = "PUT",
): Promise<Seen> {
  if (areNone(conditions) && object.versionId === undefined) return {};
  const { state, headers } = await currentObject(object, { ring, credentials });
  if (headers !== undefined) checkVersion(object.versionId, headers);
  return demand(conditions, state, method);
}
