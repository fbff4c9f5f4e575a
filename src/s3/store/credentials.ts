/** The credentials of a store, read from its bound secrets. */

import type { Store } from "../../config/load.ts";
import { SecretError, type Secrets } from "../../config/secrets.ts";
import { Refused } from "../../refused.ts";
import type { Credentials } from "../sign/sigv4.ts";

export type { Credentials };

const known = new WeakMap<Store, Credentials>();

/**
 * The same object as before, as long as no secret has changed: what is prepared for signing is remembered by it.
 *
 * @throws {Refused} `misconfigured`, with the reason for the operator, when a secret is not there
 */
export async function credentialsOf(store: Store, secrets: Secrets): Promise<Credentials> {
  try {
    return await read(store, secrets);
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    throw Refused.misconfigured(`STORES.${store.name}: ${error.message}`);
  }
}

async function read(store: Store, secrets: Secrets): Promise<Credentials> {
  const accessKeyId = await secrets.read(store.accessKeyId);
  const secretAccessKey = await secrets.read(store.secretAccessKey);
  const sessionToken = store.sessionToken === undefined ? undefined : await secrets.read(store.sessionToken);
  const before = known.get(store);
  const isAsBefore =
    before?.accessKeyId === accessKeyId &&
    before.secretAccessKey === secretAccessKey &&
    before.sessionToken === sessionToken;
  if (isAsBefore) return before;
  const credentials = {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken !== undefined && { sessionToken }),
  };
  known.set(store, credentials);
  return credentials;
}
