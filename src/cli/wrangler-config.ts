/** What a Worker's configuration comes to in one of its environments, by wrangler's rules of what is inherited. */
import { isTable, readWranglerFile, type Table } from "./wrangler-file.ts";

export interface WranglerConfig {
  /** The Worker's own name, of its environment. */
  readonly name: string | undefined;
  readonly vars: Table;
  /** Names of the bindings that are used here, and "crons" for a cron trigger. */
  readonly bindings: ReadonlySet<string>;
  /** Hosts that its routes and custom domains name. */
  readonly hosts: readonly string[];
  readonly environments: readonly string[];
}

/**
 * Of an environment only, and never inherited: `vars` and all bindings but the assets'. Inherited where it has none of its
 * own: name (with the environment's behind it), routes, triggers and assets.
 *
 * @see https://developers.cloudflare.com/workers/wrangler/configuration/#non-inheritable-keys
 * @throws when the file cannot be read, or has no such environment
 */
export function readWranglerConfig(path: string, env?: string): WranglerConfig {
  const top = readWranglerFile(path);
  const environments = tableAt(path, top, "env");
  // Without any environment wrangler takes what is outside of them, and only warns.
  if (env && !Object.hasOwn(environments, env))
    throw new Error(
      `${path} has no environment ${JSON.stringify(env)}: [env.${env}]${have(Object.keys(environments))}`,
    );
  const own = env ? tableAt(path, environments, env) : top;
  const inherited = (field: string) => own[field] ?? top[field];
  const bindings = namesIn(path, own);
  const { binding: assets } = tableAt(path, { assets: inherited("assets") }, "assets");
  if (typeof assets === "string") bindings.add(assets);
  const { crons } = tableAt(path, { triggers: inherited("triggers") }, "triggers");
  if (Array.isArray(crons) && crons.length > 0) bindings.add("crons");
  return {
    name: nameOf(top, own, env),
    vars: tableAt(path, own, "vars"),
    bindings,
    hosts: [...listOf(inherited("routes")), ...listOf(inherited("route"))].flatMap(hostOf),
    environments: Object.keys(environments),
  };
}

const have = (names: readonly string[]): string => (names.length > 0 ? ` (have: ${names.join(", ")})` : "");

function nameOf({ name: outer }: Table, own: Table, env: string | undefined): string | undefined {
  const name = env ? (own.name ?? (outer === undefined ? undefined : `${outer}-${env}`)) : outer;
  return typeof name === "string" ? name : undefined;
}

/** Lists of bindings, and which field names each. */
const BINDINGS = [
  ["d1_databases", "binding"],
  ["ratelimits", "name"],
  ["analytics_engine_datasets", "binding"],
  ["secrets_store_secrets", "binding"],
] as const;

function namesIn(path: string, own: Table): Set<string> {
  const lists = [
    ...BINDINGS.map(([field, name]) => [field, own[field], name] as const),
    ["queues.producers", tableAt(path, own, "queues").producers, "binding"] as const,
  ];
  return new Set(
    lists.flatMap(([field, list, name]) => {
      if (list !== undefined && !Array.isArray(list)) throw new Error(`${path}: ${field} is no list`);
      return listOf(list).map((entry) => (isTable(entry) ? String(entry[name] ?? "") : ""));
    }),
  );
}

/** A table of another, empty where there is none. @throws when it is something else */
function tableAt(path: string, from: Table, field: string): Table {
  const value = from[field] ?? {};
  if (!isTable(value)) throw new Error(`${path}: ${field} is no table`);
  return value;
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

/** Of `https://edge.example.com/*`, or `{ pattern: "edge.example.com" }`. */
function hostOf(route: unknown): string[] {
  const pattern = isTable(route) ? route.pattern : route;
  return typeof pattern === "string" ? [pattern.replace(/^https?:\/\//, "").replace(/\/.*$/, "")] : [];
}
