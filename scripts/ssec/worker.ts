/** The Worker as it is configured on this machine. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseEnv } from "node:util";
import { type Bucket, type Config, loadConfig } from "../../src/config/load.ts";
import { Secrets } from "../../src/config/secrets.ts";
import { type KeyRule, writer } from "../../src/ssec/ring.ts";

export interface Where {
  readonly config: string;
  readonly env?: string;
}

export interface ConfiguredWorker {
  readonly config: Config;
  readonly secrets: Secrets;
  /** Whether a secret of that name is on this machine. */
  readonly has: (secret: string) => boolean;
  /** Names of the optional bindings and of the Secrets Store's that are there, and "crons" for a cron trigger. */
  readonly bindings: ReadonlySet<string>;
}

/**
 * The Worker's configuration, with its secrets from .dev.vars or the environment.
 *
 * @throws {ConfigError} with every mistake
 */
export async function readWorker({ config: path, env }: Where): Promise<ConfiguredWorker> {
  if (!existsSync(path))
    throw new Error(`there is no ${path}: name the Worker's configuration with --config`);
  // It takes a second to load, which commands that only talk to the Worker do not need.
  const { unstable_readConfig } = await import("wrangler");
  const raw = unstable_readConfig({ config: path, ...(env && { env }) }, { hideWarnings: true });
  const devVars = join(dirname(path), ".dev.vars");
  const local = existsSync(devVars) ? parseEnv(readFileSync(devVars, "utf8")) : {};
  const named: { name?: string; binding?: string }[] = [
    ...raw.d1_databases,
    ...(raw.queues.producers ?? []),
    ...raw.ratelimits,
    ...raw.analytics_engine_datasets,
    ...raw.secrets_store_secrets,
  ];
  const bindings = new Set(named.map(({ name, binding }) => binding ?? name ?? ""));
  if (raw.triggers.crons?.length) bindings.add("crons");
  const values: Readonly<Record<string, string | undefined>> = { ...process.env, ...local };
  return {
    // What is bound stands for itself: only whether it is there counts here.
    config: loadConfig({ ...raw.vars, ...(bindings.has("QUEUE") && { QUEUE: {} }) }),
    secrets: new Secrets(values),
    has: (secret) => values[secret] !== undefined,
    bindings,
  };
}

/** @throws when there is no such bucket */
export function bucketOf({ buckets }: Config, name: string): Bucket {
  const bucket = buckets.get(name);
  if (bucket !== undefined) return bucket;
  throw new Error(`no bucket "${name}" in BUCKETS (have: ${[...buckets.keys()].join(", ")})`);
}

/** @throws when there is no such key */
export function keyOf({ keys }: Config, id: string): KeyRule {
  const rule = keys.get(id);
  if (rule !== undefined) return rule;
  throw new Error(`no key "${id}" in KEYS (have: ${[...keys.keys()].join(", ")})`);
}

/** The key that uploads to a bucket go under. @throws when none may write now */
export function writerOf({ name, keys }: Bucket): KeyRule {
  const rule = writer(keys, Date.now());
  if (rule === undefined) throw new Error(`BUCKETS.${name}: none of its keys may write now`);
  return rule;
}

/** The secrets that the tables name. */
export function secretNames(config: Config): string[] {
  return [...new Set([...[...config.keys.values()].map(({ secret }) => secret), ...credentialNames(config)])];
}

/** Those of them that are no customer keys: the stores' credentials and the callers' tokens. */
export function credentialNames({ stores, tokenCallers }: Config): string[] {
  const names = [
    ...[...stores.values()].flatMap((store) => [
      store.accessKeyId,
      store.secretAccessKey,
      store.sessionToken,
    ]),
    ...tokenCallers.map(({ token }) => token),
  ];
  return [...new Set(names.filter((name) => name !== undefined))];
}
