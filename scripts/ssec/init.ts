/** `ssec init`: from a few answers to a wrangler.toml, secrets for this machine, and a check of both. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Command, Option } from "commander";
import { addTo, isPlain, namesIn } from "./init/dev-vars.ts";
import { answersFrom, ask, askSecret, Cancelled, type Given, storeNamed } from "./init/questions.ts";
import { type Answers, credentialsOf, type Field, faultIn, freshSecrets, varsOf } from "./init/setup.ts";
import { KNOWN_STORES } from "./init/stores.ts";
import { agree, EXIT } from "./terminal.ts";
import type { Where } from "./worker.ts";

interface InitOptions extends Where, Given {
  readonly yes?: true;
}

/** Flags by the answers that they give. */
const FLAGS: Record<Field, string> = {
  endpoint: "--endpoint",
  region: "--region",
  bucket: "--bucket",
  caller: "--caller",
  prefix: "--prefix",
  origins: "--origin",
};

export const initCommand = new Command("init")
  .description("sets up a store, a bucket, a key and a caller: wrangler.toml, .dev.vars, and a check of both")
  .addOption(new Option("--store <name>", "where the objects are").choices(KNOWN_STORES.map(({ id }) => id)))
  .option("--endpoint <url>", "its endpoint, where that does not follow from the region")
  .option("--region <name>", "as the store spells it")
  .option("--bucket <name>", "a bucket that is there")
  .option("--caller <name>", "the first caller, who gets a token (default: app)")
  .option("--prefix <prefix>", "what the caller's object keys begin with (default: the whole bucket)")
  .option("--origin <origins...>", "pages that may call the API, as https://app.example.com")
  .option("--yes", "ask nothing: take the defaults, and agree to the change")
  .addHelpText(
    "after",
    `
At a terminal it asks for what no flag says. The store's credentials are asked for as well, or taken from the environment
by the names that they get as secrets, CW_ACCESS_KEY_ID and CW_SECRET_ACCESS_KEY for CoreWeave; never from the command line.
The tables STORES, KEYS, BUCKETS and CALLERS are replaced, all else in the configuration stays. In .dev.vars nothing is
replaced: a key or token that is there stays the one.

Examples:
  npm run -s ssec -- init
  npm run -s ssec -- init --store coreweave --region US-EAST-04A --bucket acme-media --caller acme --prefix acme/ --yes
  npm run -s ssec -- --env production init --store minio --endpoint https://minio.example.com --bucket media --yes`,
  )
  .action(async (_, command: Command) => {
    try {
      await init(command.optsWithGlobals<InitOptions>(), command);
    } catch (error) {
      if (!(error instanceof Cancelled)) throw error;
      console.error(error.message);
      process.exitCode = EXIT.failed;
    }
  });

async function init({ yes, config, env, ...given }: InitOptions, command: Command): Promise<void> {
  if (!config.endsWith(".toml")) throw new Error(`only wrangler.toml is edited here, not ${config}`);
  if (!existsSync(config)) throw new Error(`there is no ${config} to add to: name it with --config`);
  const isAsking = process.stdin.isTTY === true && !yes;
  const answers = isAsking ? await ask(given) : answersOf(given, command);
  demandSound(answers, command);

  // It takes a second to load, for which no other command should wait.
  const { withVars } = await import("./init/wrangler-toml.ts");
  const devVars = join(dirname(config), ".dev.vars");
  const { text, replaced } = withVars(readFileSync(config, "utf8"), varsOf(answers), env);
  const there = namesIn(devVars);
  const credentials = Object.values(credentialsOf(answers.store)).filter((name) => !there.has(name));
  const secrets: Record<string, string> = {};
  for (const [name, value] of Object.entries(freshSecrets(answers.caller))) {
    if (!there.has(name)) secrets[name] = value;
  }
  for (const name of credentials) {
    const value = process.env[name] || (isAsking ? await askSecret(name) : undefined);
    if (value !== undefined && !isPlain(value))
      throw new Error(`${name} holds what .dev.vars cannot carry plainly`);
    if (value !== undefined) secrets[name] = value;
  }

  console.log(
    `${config}: ${replaced.length === 0 ? "tables are added" : `these tables are replaced: ${replaced.join(" ")}`}`,
  );
  console.log(`${devVars}: ${Object.keys(secrets).join(", ") || "nothing"} added, what is there stays`);
  if (!(await agree("Write this?", yes === true))) throw new Cancelled("not agreed; nothing was changed");
  addTo(devVars, secrets);
  writeFileSync(`${config}.new`, text, { flush: true });
  renameSync(`${config}.new`, config);
  console.log(next(env, answers));
  check({ config, ...(env && { env }) });
}

function answersOf(given: Given, command: Command): Answers {
  if (given.store === undefined) command.error("say which store it is: --store", { exitCode: EXIT.usage });
  return answersFrom(given, storeNamed(given.store));
}

function demandSound(answers: Answers, command: Command): void {
  const faults = (Object.keys(FLAGS) as Field[]).flatMap((field) => {
    const fault = faultIn(field, answers);
    return fault === undefined ? [] : [`${FLAGS[field]} ${fault}`];
  });
  if (faults.length > 0) command.error(faults.join("\n"), { exitCode: EXIT.usage });
}

function next(env: string | undefined, { bucket, caller }: Answers): string {
  const flag = env ? ` --env ${env}` : "";
  return `
Written. Next:
  npx wrangler dev${flag}                     the Worker on this machine, with the secrets of .dev.vars
  npx wrangler secret bulk .dev.vars${flag}   the same secrets for a deployed Worker that has none yet: it replaces them
  npm run deploy${flag && ` --${flag}`}
Keep a copy of the key in a secret manager: a lost key is lost data. ${caller} may now reach ${bucket}.
`;
}

/** In a process of its own, as the operator would. */
function check({ config, env }: Where): void {
  const script = process.argv[1] ?? "";
  const args = [script, "--config", config, ...(env ? ["--env", env] : []), "check"];
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) process.exitCode = EXIT.failed;
}
