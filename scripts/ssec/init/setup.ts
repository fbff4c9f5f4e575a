/** What the answers come to: the tables of `[vars]`, and the secrets that they name. */
import { randomBytes } from "node:crypto";
import { ConfigError, loadConfig } from "../../../src/config/load.ts";
import { KEY_BYTES } from "../../../src/ssec/customer-key.ts";
import { keySecret } from "../keygen.ts";
import type { KnownStore } from "./stores.ts";

const KEY = "k1";

export interface Answers {
  readonly store: KnownStore;
  readonly endpoint: string;
  readonly region: string;
  /** The bucket's name, for callers and in the store alike. */
  readonly bucket: string;
  readonly caller: string;
  readonly prefix: string;
  /** Browsers that may call the API. */
  readonly origins: readonly string[];
}

export type Field = Exclude<keyof Answers, "store">;

/** `[vars]`, by table. */
export function varsOf({ store, endpoint, region, bucket, caller, prefix, origins }: Answers) {
  return {
    STORES: { [store.id]: { endpoint, region, addressing: store.addressing, ...credentialsOf(store) } },
    KEYS: { [KEY]: { secret: keySecret(KEY) } },
    BUCKETS: { [bucket]: { store: store.id, keys: [KEY] } },
    CALLERS: {
      [caller]: {
        token: tokenOf(caller),
        grants: [{ bucket, prefix, allow: ["read", "write", "delete"] }],
      },
    },
    ...(origins.length > 0 && { ALLOWED_ORIGINS: origins }),
  };
}

export type Vars = ReturnType<typeof varsOf>;

/** Names of the secrets that hold a store's credentials. */
export function credentialsOf({ secretPrefix }: KnownStore) {
  return {
    accessKeyId: `${secretPrefix}_ACCESS_KEY_ID`,
    secretAccessKey: `${secretPrefix}_SECRET_ACCESS_KEY`,
  };
}

/** A fresh key and a fresh token, by the names that the tables have for them. */
export function freshSecrets(caller: string): Record<string, string> {
  return {
    [keySecret(KEY)]: randomBytes(KEY_BYTES).toString("base64"),
    [tokenOf(caller)]: randomBytes(32).toString("base64url"),
  };
}

/** What is wrong with one of the answers, in the configuration's own words. */
export function faultIn(field: Field, answers: Answers): string | undefined {
  const paths: Record<Field, RegExp> = {
    endpoint: /^STORES\..*\.endpoint$/,
    region: /^STORES\..*\.region$/,
    bucket: /^BUCKETS/,
    caller: /^CALLERS.*(\.token|[^.]*)$/,
    prefix: /\.prefix$/,
    origins: /^ALLOWED_ORIGINS/,
  };
  if (answers[field] === "" && field !== "prefix") return "must not be empty";
  try {
    loadConfig(varsOf(answers));
    return undefined;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.errors.find(({ path }) => paths[field].test(path))?.message;
  }
}

function tokenOf(caller: string): string {
  return `${caller.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}_TOKEN`;
}
