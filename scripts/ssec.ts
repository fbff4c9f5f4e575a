/** `npm run ssec -- COMMAND`: the operator's tools. */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseEnv } from "node:util";
import { Command } from "commander";
import { unstable_readConfig } from "wrangler";
import { type Config, loadConfig } from "../src/config/load.ts";
import { Secrets } from "../src/config/secrets.ts";
import { customerKey, decodeCustomerKey, KEY_BYTES } from "../src/ssec/customer-key.ts";
import { deriveObjectKey } from "../src/ssec/derive.ts";

interface Where {
  readonly config: string;
  readonly env?: string;
}

const program = new Command("ssec")
  .description("The operator's tools of ssec-edge")
  .option("--config <path>", "the Worker's configuration", "wrangler.toml")
  .option("--env <name>", "its environment");

program
  .command("keygen")
  .description("makes a customer key: the key goes to standard output, what to do with it to standard error")
  .argument("[id]", "the key's id in KEYS", "k1")
  .option("--show", "print the key even to a terminal")
  .addHelpText(
    "after",
    "\nExamples:\n  npm run -s ssec -- keygen k2 | npx wrangler secret put SSEC_K2\n  npm run -s ssec -- keygen --show",
  )
  .action((id: string, { show }: { show?: boolean }) => keygen(id, show === true));

program
  .command("derive")
  .description("prints the key of one object under a derived key, for recovery without us")
  .argument("<keyId>", "a key of KEYS with derive = true")
  .argument("<bucket>", "a bucket of BUCKETS")
  .argument("<key>", "the object key")
  .addHelpText(
    "after",
    "\nThe root is read from .dev.vars beside the configuration, or from the environment.",
  )
  .action((keyId: string, bucket: string, key: string) => derive(keyId, bucket, key));

try {
  await program.parseAsync();
} catch (error) {
  console.error(`ssec: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}

function keygen(id: string, show: boolean): void {
  const secret = `SSEC_${id.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`;
  const isTerminal = process.stdout.isTTY === true;
  if (isTerminal && !show) {
    console.error(`A key is not shown on a terminal unless asked. Bind a fresh one without seeing it:

  npm run -s ssec -- keygen ${id} | npx wrangler secret put ${secret}

or see it: npm run ssec -- keygen ${id} --show`);
    process.exitCode = 2;
    return;
  }
  const { base64, md5 } = customerKey(id, randomBytes(KEY_BYTES));
  process.stdout.write(isTerminal ? `${base64}\n` : base64);
  console.error(`MD5 ${md5}
Bind it as ${secret} (wrangler secret put ${secret}), keep a copy in a secret manager — a lost key is lost data — and add:

  [vars.KEYS.${id}]
  secret = "${secret}"

The same by hand: openssl rand -base64 32 | tr -d '\\n'`);
}

async function derive(keyId: string, bucketName: string, objectKey: string): Promise<void> {
  const { config, secrets } = readWorker(program.opts<Where>());
  const rule = config.keys.get(keyId);
  if (rule === undefined)
    throw new Error(`no key "${keyId}" in KEYS (have: ${[...config.keys.keys()].join(", ")})`);
  if (!rule.derive)
    throw new Error(`key "${keyId}" is shared by all objects: its secret ${rule.secret} is their key`);
  const bucket = config.buckets.get(bucketName);
  if (bucket === undefined) {
    throw new Error(`no bucket "${bucketName}" in BUCKETS (have: ${[...config.buckets.keys()].join(", ")})`);
  }
  const root = decodeCustomerKey(await secrets.read(rule.secret));
  const { base64, md5 } = customerKey(keyId, deriveObjectKey(root, bucket.storeBucket, objectKey));
  console.log(base64);
  console.error(`MD5 ${md5}`);
}

/** The Worker's configuration, with its secrets from .dev.vars or the environment. */
function readWorker({ config: path, env }: Where): { config: Config; secrets: Secrets } {
  if (!existsSync(path))
    throw new Error(`there is no ${path}: name the Worker's configuration with --config`);
  const { vars } = unstable_readConfig({ config: path, ...(env && { env }) }, { hideWarnings: true });
  const devVars = join(dirname(path), ".dev.vars");
  const local = existsSync(devVars) ? parseEnv(readFileSync(devVars, "utf8")) : {};
  return { config: loadConfig(vars), secrets: new Secrets({ ...process.env, ...local }) };
}
