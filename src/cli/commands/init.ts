/** `ssec init`: from a few answers to a wrangler.toml, secrets for this machine, and a check of both. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Command, Option } from "commander";
import { ssec } from "../called-as.ts";
import { freshKey, freshToken } from "../fresh-secrets.ts";
import { isPlain, namesIn, withSecrets } from "../init/dev-vars.ts";
import { type Before, readBefore, stage } from "../init/files.ts";
import { type Plan, planOf, type RowName } from "../init/plan.ts";
import { answersFrom, ask, askSecret, Cancelled, type Given, storeNamed } from "../init/questions.ts";
import { type Answers, credentialsOf, type Field, faultIn } from "../init/setup.ts";
import { KNOWN_STORES } from "../init/stores.ts";
import { isStrict } from "../init/strict.ts";
import { varsIn, withPlan } from "../init/wrangler-toml.ts";
import { agree, EXIT } from "../terminal.ts";
import { devVarsOf, type Where } from "../worker.ts";

interface InitOptions extends Where, Given {
  readonly force?: true;
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
  .addOption(new Option("--store <name>", "where the objects are").choices(KNOWN_STORES.map(({ id }) => id)))
  .option("--endpoint <url>", "its endpoint, where that does not follow from the region")
  .option("--region <name>", "as the store spells it")
  .option("--bucket <name>", "a bucket that is there")
  .option("--caller <name>", "the first caller, who gets a token (default: app)")
  .option("--prefix <prefix>", "what the caller's object keys begin with (default: the whole bucket)")
  .option("--origin <origins...>", "pages that may call the API, as https://app.example.com")
  .option("--force", "replace a store or a bucket of that name that is there and says something else")
  .option("--yes", "ask nothing: take the defaults, and agree to the change")
  .addHelpText(
    "after",
    `
At a terminal it asks for what no flag says. The store's credentials are asked for as well, or taken from the environment
by the names that they get as secrets, CW_ACCESS_KEY_ID and CW_SECRET_ACCESS_KEY for CoreWeave; never from the command line.
It only adds. What is there stays, keys and tokens always: another store, bucket or caller comes beside it, another prefix
is another grant. A store or bucket of the same name that says something else is replaced with --force alone. The example
that comes with the project gives way as long as nobody has changed it. An environment (--env NAME) gets a key and a token of
its own, in .dev.vars.NAME.

Examples:
  ${ssec()} init
  ${ssec()} init --store coreweave --region US-EAST-04A --bucket acme-media --caller acme --prefix acme/ --yes
  ${ssec()} init --store coreweave --bucket acme-media --caller other --prefix other/ --yes
  ${ssec()} --env production init --store minio --endpoint https://minio.example.com --bucket media --yes`,
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

async function init({ yes, force, config, env, ...given }: InitOptions, command: Command): Promise<void> {
  if (!config.endsWith(".toml")) throw new Error(`only wrangler.toml is edited here, not ${config}`);
  if (!existsSync(config)) throw new Error(`there is no ${config} to add to: name it with --config`);
  const file = readBefore(config);
  const isAsking = process.stdin.isTTY === true && !yes;
  const wanted = isAsking ? await ask(given) : answersOf(given, command);
  demandSound(wanted, command);

  const vars = varsIn(file.text, env);
  const unforced = planOf(vars, wanted, force === true);
  if (unforced.conflicts.length > 0) await demandForce(unforced, isAsking);
  // Whoever was asked has agreed.
  const isForced = force === true || unforced.conflicts.length > 0;
  const first = planOf(vars, wanted, isForced);

  const path = join(dirname(config), env ? `.dev.vars.${env}` : ".dev.vars");
  const devVars = readBefore(path);
  const secrets = await secretsFor(first, wanted, { config, env }, devVars, isAsking);
  const isNewStore = wanted.store.id in first.add.STORES;
  const strict = isNewStore && wanted.store.isLax ? await isStrict(wanted, secrets.all) : undefined;
  const answers = isNewStore && wanted.store.isLax && !strict?.isStrict ? closed(wanted) : wanted;
  const plan = planOf(vars, answers, isForced);
  const text = withPlan(file.text, plan, env);

  for (const line of summary(config, plan)) console.log(line);
  if (strict !== undefined) console.log(`  ${strict.why}`);
  console.log(`${path}: ${Object.keys(secrets.added).join(", ") || "nothing"} added, what is there stays`);
  if (!(await agree("Write this?", yes === true))) throw new Cancelled("not agreed; nothing was changed");
  write(devVars, withSecrets(devVars.text, secrets.added), file, text);
  console.log(next(env, path, answers));
  check({ config, ...(env && { env }) });
}

const closed = (answers: Answers): Answers => ({ ...answers, presignedUploads: false });

/** @throws naming what would be replaced, where nobody agrees to it */
async function demandForce({ conflicts }: Plan, isAsking: boolean): Promise<void> {
  const others = conflicts.map((row) => `${nameOf(row)} has another ${row.fields.join(", ")}`).join("; ");
  if (!isAsking)
    throw new Error(
      `${others}. Nothing was changed: take another name, or give --force, which replaces these tables and no key`,
    );
  if (!(await agree(`${others}. Replace that?`, false)))
    throw new Cancelled("not agreed; nothing was changed");
}

interface SecretsFor {
  /** Those that are to be added, by name. */
  readonly added: Readonly<Record<string, string>>;
  /** With those that are on this machine already. */
  readonly all: Readonly<Record<string, string | undefined>>;
}

/** Nothing that is on this machine is made anew, nor what belongs to a key or a caller that was there before. */
async function secretsFor(
  { secrets: { key, token } }: Plan,
  { store }: Answers,
  { config, env }: { readonly config: string; readonly env: string | undefined },
  devVars: Before,
  isAsking: boolean,
): Promise<SecretsFor> {
  const there = namesIn(devVars.text);
  const added: Record<string, string> = {};
  for (const [name, value] of [
    [key, freshKey()],
    [token, freshToken()],
  ] as const) {
    if (name !== undefined && !there.has(name)) added[name] = value;
  }
  for (const name of Object.values(credentialsOf(store)).filter((name) => !there.has(name))) {
    const value = process.env[name] || (isAsking ? await askSecret(name) : undefined);
    if (value !== undefined && !isPlain(value))
      throw new Error(`${name} holds what .dev.vars cannot carry plainly`);
    if (value !== undefined) added[name] = value;
  }
  return { added, all: { ...process.env, ...devVarsOf({ config, ...(env && { env }) }), ...added } };
}

const nameOf = ({ table, id }: RowName): string => `${table}.${id}`;

function summary(config: string, { drop, add, addGrant, origins, kept }: Plan): string[] {
  const added = [
    ...Object.entries(add).flatMap(([table, rows]) => Object.keys(rows).map((id) => `${table}.${id}`)),
    ...(addGrant ? [`a grant of CALLERS.${addGrant.caller}`] : []),
    ...(origins ? ["ALLOWED_ORIGINS"] : []),
  ];
  return [
    `${config}: ${added.length === 0 ? "nothing is added" : `added are ${added.join(", ")}`}`,
    ...(drop.length > 0 ? [`  replaced: ${drop.map(nameOf).join(", ")}`] : []),
    ...(kept.length > 0 ? [`  there already, and kept: ${kept.map(nameOf).join(", ")}`] : []),
  ];
}

/** Both files, each as a whole: what is interrupted leaves secrets that nothing names yet, and no half of anything. */
function write(devVars: Before, secrets: string, file: Before, text: string): void {
  const staged = [stage(devVars, secrets, 0o600)];
  try {
    staged.push(stage(file, text));
    for (const each of staged) each.commit();
  } finally {
    for (const each of staged) each.discard();
  }
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

function next(env: string | undefined, devVars: string, { bucket, caller }: Answers): string {
  const flag = env ? ` --env ${env}` : "";
  return `
Written. Next:
  npx wrangler dev${flag}                     the Worker on this machine, with the secrets of ${basename(devVars)}
  npx wrangler secret bulk ${devVars}${flag}   the same secrets for a deployed Worker that has none yet: it replaces them
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
