/** The Worker as it is configured on this machine. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseEnv } from "node:util";
import { type Bucket, type Config, loadConfig } from "../config/load.ts";
import { Secrets } from "../config/secrets.ts";
import { type KeyRule, writer } from "../keys/ring.ts";
import { readText } from "./text-file.ts";
import { readWranglerConfig } from "./wrangler-config.ts";

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
  /** Its own name, of its environment. */
  readonly name: string | undefined;
  /** Hosts that its routes and custom domains name. */
  readonly hosts: readonly string[];
  /** The other environments that are configured there; "" is the one outside of them all. */
  readonly others: readonly string[];
}

/**
 * The Worker's configuration, with its secrets from .dev.vars or the environment.
 *
 * @throws {ConfigError} with every mistake
 * @throws when a file cannot be read
 */
export async function readWorker({ config: path, env }: Where): Promise<ConfiguredWorker> {
  const { vars, bindings, name, hosts, environments } = readWranglerConfig(path, env);
  const values: Readonly<Record<string, string | undefined>> = {
    ...process.env,
    ...devVarsOf({ config: path, ...(env && { env }) }),
  };
  return {
    // What is bound stands for itself: only whether it is there counts here.
    config: loadConfig({ ...vars, ...(bindings.has("QUEUE") && { QUEUE: {} }) }),
    secrets: new Secrets(values),
    has: (secret) => values[secret] !== undefined,
    bindings,
    name,
    hosts,
    others: ["", ...environments].filter((other) => other !== (env ?? "")),
  };
}

/** Secrets on this machine, as wrangler reads them: those of an environment, where it has a file of its own. */
export function devVarsOf({ config, env }: Where): Readonly<Record<string, string | undefined>> {
  const common = join(dirname(config), ".dev.vars");
  const own = `${common}.${env}`;
  const path = env && existsSync(own) ? own : common;
  return existsSync(path) ? parseEnv(readText(path)) : {};
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
