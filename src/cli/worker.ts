/** The Worker as it is configured on this machine. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseEnv } from "node:util";
import { type Bucket, type Config, loadConfig } from "../config/load.ts";
import { Secrets } from "../config/secrets.ts";
import { type KeyRule, writer } from "../keys/ring.ts";

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
 */
export async function readWorker({ config: path, env }: Where): Promise<ConfiguredWorker> {
  if (!existsSync(path))
    throw new Error(
      `there is no ${resolve(path)}: go to the Worker's folder, or name its configuration with --config`,
    );
  // It takes a second to load, which commands that only talk to the Worker do not need.
  const { unstable_readConfig } = await import("wrangler");
  const raw = unstable_readConfig({ config: path, ...(env && { env }) }, { hideWarnings: true });
  // Without any environment wrangler takes what is outside of them, and only warns.
  if (env && !raw.definedEnvironments?.includes(env))
    throw new Error(`${path} has no environment ${JSON.stringify(env)}: [env.${env}]`);
  const local = devVarsOf({ config: path, ...(env && { env }) });
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
    name: raw.name,
    hosts: hostsOf(raw),
    others: ["", ...(raw.definedEnvironments ?? [])].filter((other) => other !== (env ?? "")),
  };
}

/** What is used of wrangler's own types, which refer to packages that are not there. */
interface Routed {
  readonly route?: string | { readonly pattern: string };
  readonly routes?: readonly (string | { readonly pattern: string })[];
}

function hostsOf({ route, routes = [] }: Routed): string[] {
  return [...routes, ...(route === undefined ? [] : [route])].map((each) => {
    const pattern = typeof each === "string" ? each : each.pattern;
    return pattern.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  });
}

/** Secrets on this machine, as wrangler reads them: those of an environment, where it has a file of its own. */
export function devVarsOf({ config, env }: Where): Readonly<Record<string, string | undefined>> {
  const common = join(dirname(config), ".dev.vars");
  const own = `${common}.${env}`;
  const path = env && existsSync(own) ? own : common;
  return existsSync(path) ? parseEnv(readFileSync(path, "utf8")) : {};
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
