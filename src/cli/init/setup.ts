/** What the answers come to: the tables of `[vars]`, and the secrets that they name. */
import { ConfigError, loadConfig } from "../../config/load.ts";
import { keySecret, tokenSecret } from "../fresh-secrets.ts";
import { printable } from "../terminal.ts";
import type { KnownStore } from "./stores.ts";

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
  /** Whether a new key is a root. */
  readonly derive?: true;
  /** False where the store takes headers that nobody signed. */
  readonly presignedUploads?: false;
}

export type Field = Exclude<keyof Answers, "store" | "presignedUploads" | "derive">;

/** The key that a new bucket is written under, and the secrets that it and a new caller's token get. */
export interface Names {
  readonly id: string;
  readonly secret: string;
  readonly token: string;
}

export interface Vars {
  readonly STORES: Readonly<Record<string, Readonly<Record<string, string | boolean>>>>;
  readonly KEYS: Readonly<Record<string, { readonly secret: string; readonly derive?: true }>>;
  readonly BUCKETS: Readonly<Record<string, { readonly store: string; readonly keys: readonly string[] }>>;
  readonly CALLERS: Readonly<Record<string, { readonly token: string; readonly grants: readonly Grant[] }>>;
  readonly ALLOWED_ORIGINS?: readonly string[];
}

type Grant = Readonly<Record<string, string | readonly string[]>>;

/** `[vars]`, by table, as if nothing else were there. */
export function varsOf(answers: Answers, { id, secret, token }: Names = namesFor(answers)): Vars {
  const { store, endpoint, region, bucket, caller, prefix, origins, presignedUploads, derive } = answers;
  return {
    STORES: {
      [store.id]: {
        endpoint,
        region,
        addressing: store.addressing,
        ...credentialsOf(store),
        ...(presignedUploads === false && { presignedUploads }),
      },
    },
    KEYS: { [id]: { secret, ...(derive && { derive }) } },
    BUCKETS: { [bucket]: { store: store.id, keys: [id] } },
    CALLERS: { [caller]: { token, grants: [{ bucket, prefix, allow: ["read", "write", "delete"] }] } },
    ...(origins.length > 0 && { ALLOWED_ORIGINS: origins }),
  };
}

function namesFor({ caller }: Answers): Names {
  return { id: "k1", secret: keySecret("k1"), token: tokenSecret(caller) };
}

/** Names of the secrets that hold a store's credentials. */
export function credentialsOf({ secretPrefix }: KnownStore) {
  return {
    accessKeyId: `${secretPrefix}_ACCESS_KEY_ID`,
    secretAccessKey: `${secretPrefix}_SECRET_ACCESS_KEY`,
  };
}

/** Of a caller it would be in every log. */
export const UNPRINTABLE_NAME = "must not hold characters that steer a terminal";

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
  if (field === "caller" && printable(answers.caller) !== answers.caller) return UNPRINTABLE_NAME;
  try {
    loadConfig({ ...varsOf(answers) });
    return undefined;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.errors.find(({ path }) => paths[field].test(path))?.message;
  }
}
