/** The credentials of a store, read from its bound secrets. */

import type { Store } from "../config/load.ts";
import { SecretError, type Secrets } from "../config/secrets.ts";
import { Problem } from "../problem.ts";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** @throws {Problem} `misconfigured`, with the reason for the operator, when a secret is not there */
export async function credentialsOf(store: Store, secrets: Secrets): Promise<Credentials> {
  try {
    return {
      accessKeyId: await secrets.read(store.accessKeyId),
      secretAccessKey: await secrets.read(store.secretAccessKey),
      ...(store.sessionToken !== undefined && { sessionToken: await secrets.read(store.sessionToken) }),
    };
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    throw new Problem("misconfigured", "The service is not configured correctly; its operator can see why.", {
      operator: `STORES.${store.name}: ${error.message}`,
    });
  }
}
