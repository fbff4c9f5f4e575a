/** What a deployment needs of the Cloudflare account, by wrangler's own commands. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { boundSecrets, wranglerFlags } from "../../src/cli/bound.ts";
import { type ConfiguredWorker, secretNames, type Where } from "../../src/cli/worker.ts";
import { runWrangler, wrangler } from "../../src/cli/wrangler.ts";

/** What is used of wrangler's own types, which refer to packages that are not there. */
interface Resources {
  readonly d1_databases: readonly {
    readonly binding: string;
    readonly database_name?: string;
    readonly database_id?: string;
    readonly migrations_dir?: string;
  }[];
  readonly queues: {
    readonly producers?: readonly { readonly queue: string }[];
    readonly consumers?: readonly { readonly queue: string; readonly dead_letter_queue?: string }[];
  };
}

/**
 * A version that lacks a secret answers with errors, so it is not deployed.
 *
 * @throws saying how to bind what is missing
 */
export async function demandSecrets({ config, bindings }: ConfiguredWorker, where: Where): Promise<void> {
  const bound = await boundSecrets(where);
  const missing = secretNames(config).filter((name) => !bound.has(name) && !bindings.has(name));
  if (missing.length === 0) return console.log("✓ every secret that it names is bound");
  const flag = where.env ? ` --env ${where.env}` : "";
  throw new Error(`${missing.length} secrets are not bound; each command reads the value from standard input:

${missing.map((name) => `  npx wrangler secret put ${name}${flag}`).join("\n")}

A fresh customer key is made and bound by: npm run -s ssec --${flag} keygen ID --bind`);
}

/**
 * Makes the databases and queues that are named and not there, all at once: each is asked for by a process of its own.
 *
 * @throws when one cannot be made; the others may be there then, and are found so the next time
 */
export async function makeResources(where: Where): Promise<void> {
  const { d1_databases, queues } = await resources(where);
  const databases = d1_databases.flatMap(({ database_name, database_id }) =>
    database_name && !database_id ? [database_name] : [],
  );
  const names = [
    ...(queues.producers ?? []).map(({ queue }) => queue),
    ...(queues.consumers ?? []).flatMap(({ queue, dead_letter_queue }) => [queue, dead_letter_queue]),
  ];
  const made = await Promise.allSettled([
    ...databases.map((name) => make("d1", name, where)),
    ...[...new Set(names)].flatMap((name) => (name === undefined ? [] : [make("queues", name, where)])),
  ]);
  for (const result of made) if (result.status === "fulfilled") console.log(`✓ ${result.value}`);
  const failed = made.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
}

async function make(kind: string, name: string, where: Where): Promise<string> {
  const run = (verb: string) => runWrangler([kind, verb, name, ...wranglerFlags(where)]);
  if ((await run("info")).status === 0) return `${kind} ${name} is there`;
  // What wrangler says of a success is how to configure what is configured already.
  const { status, stderr } = await run("create");
  if (status !== 0) throw new Error(`wrangler could not make ${kind} ${name}:\n${stderr.trim()}`);
  return `${kind} ${name} is made`;
}

/** Before the new code comes, which may need them; the old code must do with them. */
export async function migrate(where: Where): Promise<void> {
  for (const { binding, migrations_dir } of (await resources(where)).d1_databases) {
    if (migrations_dir === undefined) continue;
    await wrangler(["d1", "migrations", "apply", binding, "--remote", ...wranglerFlags(where)]);
    console.log(`✓ ${binding}: migrations are applied`);
  }
}

/** @returns where the Worker now answers, as wrangler names it */
export async function upload(where: Where): Promise<readonly string[]> {
  const dir = mkdtempSync(join(tmpdir(), "ssec-deploy-"));
  try {
    const output = join(dir, "output.ndjson");
    await wrangler(["deploy", ...wranglerFlags(where)], { env: { WRANGLER_OUTPUT_FILE_PATH: output } });
    console.log("✓ deployed");
    const entries = readFileSync(output, "utf8").trimEnd().split("\n");
    return entries.flatMap((line) => (JSON.parse(line) as { targets?: string[] }).targets ?? []);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** What only reads a configuration that is wrong need not wait for the second that wrangler takes to load. */
async function resources({ config, env }: Where): Promise<Resources> {
  const { unstable_readConfig } = await import("wrangler");
  return unstable_readConfig({ config, ...(env && { env }) }, { hideWarnings: true });
}
