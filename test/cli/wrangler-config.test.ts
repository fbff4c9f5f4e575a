/** A configuration means here what it means to wrangler, which is asked as the witness. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { unstable_readConfig } from "wrangler";
import { readWranglerConfig } from "../../src/cli/wrangler-config.ts";

const dir = mkdtempSync(join(tmpdir(), "ssec-wrangler-config-"));
afterAll(() => rmSync(dir, { recursive: true }));

function witness(config: string, env: string | undefined) {
  const raw = unstable_readConfig({ config, ...(env && { env }) }, { hideWarnings: true });
  const named: { name?: string; binding?: string }[] = [
    ...raw.d1_databases,
    ...(raw.queues.producers ?? []),
    ...raw.ratelimits,
    ...raw.analytics_engine_datasets,
    ...raw.secrets_store_secrets,
  ];
  const { route, routes = [] } = raw as { route?: unknown; routes?: unknown[] };
  const patterns = [...routes, ...(route === undefined ? [] : [route])].map((each) =>
    typeof each === "string" ? each : (each as { pattern: string }).pattern,
  );
  return {
    name: raw.name,
    vars: raw.vars,
    bindings: [
      ...named.map(({ name, binding }) => binding ?? name),
      ...(raw.assets?.binding === undefined ? [] : [raw.assets.binding]),
      ...(raw.triggers.crons?.length ? ["crons"] : []),
    ].sort(),
    hosts: patterns.map((pattern) => pattern.replace(/^https?:\/\//, "").replace(/\/.*$/, "")),
    environments: raw.definedEnvironments ?? [],
  };
}

const WHOLE = `name = "edge"
routes = [{ pattern = "a.example.com", custom_domain = true }, "b.example.com/*"]
[triggers]
crons = ["17 3 * * *"]
[vars]
LIST = ["a"]
NUMBER = 1
FLAG = true
[vars.KEYS.k1]
secret = "K1"
[[d1_databases]]
binding = "DB"
database_name = "d"
database_id = "1"
[[queues.producers]]
binding = "QUEUE"
queue = "q"
[[ratelimits]]
name = "RATE_LIMIT"
namespace_id = "1"
simple = { limit = 1, period = 10 }
[[analytics_engine_datasets]]
binding = "METRICS"
[[secrets_store_secrets]]
binding = "K2"
store_id = "s"
secret_name = "k2"
[assets]
directory = "pages"
binding = "ASSETS"
[env.bare]
[env.named]
name = "other"
routes = []
triggers = { crons = [] }
[env.full]
routes = [{ pattern = "https://c.example.com/v1/*", zone_name = "example.com" }]
triggers = { crons = ["1 1 * * *"] }
[env.full.assets]
directory = "pages"
[env.full.vars]
ONLY = "here"
[[env.full.queues.producers]]
binding = "QUEUE"
queue = "q"
`;

const JSONC = `\uFEFF{
  // a comment
  "name": "edge", /* and another */
  "vars": { "A": { "b": ["c"] } },
  "env": { "x-1": { "vars": { "D": "e" } } },
}`;

test.for([
  ["wrangler.toml", WHOLE, undefined],
  ["wrangler.toml", WHOLE, "bare"],
  ["wrangler.toml", WHOLE, "named"],
  ["wrangler.toml", WHOLE, "full"],
  ["route.toml", 'name = "x"\nroute = "https://r.example.com/*"', undefined],
  ["empty.toml", "", undefined],
  ["nameless.toml", "[env.e]", "e"],
  ["dated.toml", 'name = "x"\n[vars.KEYS.k]\nsecret = "K"\nnotBefore = 2026-11-01', undefined],
  ["wrangler.jsonc", JSONC, undefined],
  ["wrangler.jsonc", JSONC, "x-1"],
  ["wrangler.json", '{"name":"x","triggers":{}}', undefined],
] as const)("%s of environment %3$s", ([file, text, env]) => {
  const path = join(dir, file);
  writeFileSync(path, text);
  const { bindings, ...ours } = readWranglerConfig(path, env);
  expect({ ...ours, bindings: [...bindings].sort() }).toEqual(witness(path, env));
});
