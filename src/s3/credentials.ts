/** The credentials of a store, read from its bound secrets. */

import type { Store } from "../config/load.ts";
import { SecretError, type Secrets } from "../config/secrets.ts";
import { Problem } from "../problem.ts";
import { type Awaitable, ready, run, type Steps } from "../steps.ts";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const known = new WeakMap<Store, Credentials>();

/**
 * The same object as before, as long as no secret has changed: what is prepared for signing is remembered by it.
 *
 * @throws {Problem} `misconfigured`, with the reason for the operator, when a secret is not there
 */
export function credentialsOf(store: Store, secrets: Secrets): Awaitable<Credentials> {
  return run(read(store, secrets));
}

function* read(store: Store, secrets: Secrets): Steps<Credentials> {
  try {
    const credentials = {
      accessKeyId: yield* ready(secrets.get(store.accessKeyId)),
      secretAccessKey: yield* ready(secrets.get(store.secretAccessKey)),
      ...(store.sessionToken !== undefined && {
        sessionToken: yield* ready(secrets.get(store.sessionToken)),
      }),
    };
    const before = known.get(store);
    if (before !== undefined && areSame(before, credentials)) return before;
    known.set(store, credentials);
    return credentials;
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    throw new Problem("misconfigured", "The service is not configured correctly; its operator can see why.", {
      operator: `STORES.${store.name}: ${error.message}`,
    });
  }
}

function areSame(a: Credentials, b: Credentials): boolean {
  return (
    a.accessKeyId === b.accessKeyId &&
    a.secretAccessKey === b.secretAccessKey &&
    a.sessionToken === b.sessionToken
  );
}
