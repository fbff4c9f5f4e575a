/** `ssec init`: from a few answers to a wrangler.toml, secrets for this machine, and a check of both. */
import { existsSync, mkdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Command, Option } from "commander";
import type { ApiOptions } from "../api.ts";
import { shownFlags } from "../bound.ts";
import { deploy, quoted, ssec } from "../called-as.ts";
import { marked } from "../check/line.ts";
import { edited, varsIn } from "../edit/carry-out.ts";
import { devVarsPath, isPlain, namesIn, printing, withSecrets } from "../edit/dev-vars.ts";
import type { Row, RowName } from "../edit/edit.ts";
import { type Before, readBefore, writeTogether } from "../edit/files.ts";
import { ignoring } from "../edit/git-ignore.ts";
import { freshKey, freshToken } from "../fresh-secrets.ts";
import { asksDerive, WHY_DERIVE } from "../init/derive.ts";
import { newConfiguration, WORKER } from "../init/new-worker.ts";
import { type Plan, planOf, tablesIn } from "../init/plan.ts";
import { answersFrom, ask, askSecret, Cancelled, type Given, storeNamed } from "../init/questions.ts";
import { type Answers, credentialsOf, type Field, faultIn } from "../init/setup.ts";
import { KNOWN_STORES } from "../init/stores.ts";
import { isStrict } from "../init/strict.ts";
import { ownPackage } from "../package.ts";
import { agree, EXIT, printable } from "../terminal.ts";
import { bucketOf, devVarsOf, readWorker, type Where } from "../worker.ts";
import { readWranglerFile } from "../wrangler-file.ts";

interface InitOptions extends Where, ApiOptions, Given {
  readonly force?: true;
  readonly yes?: true;
  readonly derive?: boolean;
  readonly firstUpload?: true;
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
  .option("--derive", "the key is a root: every object gets a key of its own (recommended: docs/keys.md)")
  .addOption(new Option("--no-derive", "one key for all objects (default without a terminal)"))
  .option("--first-upload", "put, get and remove a small object in the end, as proof")
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

async function init(options: InitOptions, command: Command): Promise<void> {
  const { yes, force, config, env, derive, firstUpload, ...given } = options;
  const where = { config, ...(env && { env }) };
  const file = fileAt(config);
  const isAsking = process.stdin.isTTY === true && !yes;
  const answered = isAsking ? await ask(given) : answersOf(given, command);
  demandSound(answered, command);

  const vars = varsIn(file, env);
  const unforced = planOf(vars, answered, force === true);
  if (unforced.conflicts.length > 0) await demandForce(unforced, isAsking);
  // Whoever was asked has agreed.
  const isForced = force === true || unforced.conflicts.length > 0;
  const isNewKey = unforced.secrets.key !== undefined;
  const isDerived = isNewKey && (derive ?? (await asksDerive(yes)));
  const wanted = { ...answered, ...(isDerived && { derive: true as const }) };
  const first = planOf(vars, wanted, isForced);

  const path = devVarsPath(config, env);
  const devVars = readBefore(path);
  const secrets = await secretsFor(first, wanted, where, devVars, isAsking);
  const isNewStore = wanted.store.id in first.add.STORES;
  const strict = isNewStore && wanted.store.isLax ? await isStrict(wanted, secrets.all) : undefined;
  const answers = isNewStore && wanted.store.isLax && !strict?.isStrict ? closed(wanted) : wanted;
  const plan = planOf(vars, answers, isForced);
  const text = edited(file, plan, env);
  const worker = file.isThere ? undefined : readBefore(join(dirname(config), WORKER.path));

  for (const line of summary(config, plan)) console.log(line);
  if (strict !== undefined) console.log(`  ${strict.why}`);
  if (isNewKey && !isDerived) console.log(`  ${plan.secrets.key} is one key for all objects. ${WHY_DERIVE}`);
  console.log(`${path}: ${Object.keys(secrets.added).join(", ") || "nothing"} added, what is there stays`);
  if (worker?.isThere === false) console.log(`${worker.path}: the Worker, which is the package's own`);
  const ignored = Object.keys(secrets.added).length > 0 ? ignoring(path, !file.isThere) : undefined;
  if (ignored) console.log(ignored.says);
  if (!(await agree("Write this?", yes === true))) throw new Cancelled("not agreed; nothing was changed");
  if (worker?.isThere === false) mkdirSync(dirname(worker.path), { recursive: true });
  writeTogether([
    ...(ignored ? [ignored] : []),
    { before: devVars, text: withSecrets(devVars.text, secrets.added), mode: 0o600 },
    ...(worker?.isThere === false ? [{ before: worker, text: WORKER.text, mode: 0o644 }] : []),
    { before: file, text, mode: file.isThere ? file.mode : 0o644 },
  ]);
  console.log(next(where, path, answers, varsIn({ ...file, text }, env)));
  const { check } = await import("./check.ts");
  await check({ ...where, url: options.url, timeout: 10 });
  if (firstUpload || (isAsking && (await agree("Try a first upload? It is removed again.", false, true))))
    await upload(where, answers);
}

/** The configuration as it is; where there is none, and the package is installed, what one begins with. */
function fileAt(config: string): Before {
  if (existsSync(config) || ownPackage().isSource) {
    readWranglerFile(config);
    return readBefore(config);
  }
  if (!existsSync(dirname(config))) throw new Error(`there is no folder for ${printable(config)}`);
  return { ...readBefore(config), text: newConfiguration(config) };
}

async function upload(where: Where, { bucket: name }: Answers): Promise<void> {
  const { firstUpload } = await import("../init/first-upload.ts");
  const worker = await readWorker(where);
  for (const { verdict, what } of await firstUpload(bucketOf(worker.config, name), worker)) {
    console.log(marked(verdict, what));
    if (verdict === "bad") process.exitCode = EXIT.failed;
  }
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
  where: Where,
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
  return { added, all: { ...process.env, ...devVarsOf(where), ...added } };
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

function next(where: Where, path: string, { bucket, caller }: Answers, vars: Row): string {
  const flags = shownFlags(where);
  const { token } = tablesIn(vars).CALLERS[caller] ?? {};
  const isToken = typeof token === "string";
  return `
Written. Next:
  npx wrangler dev${flags}
      the Worker on this machine, with the secrets of ${basename(path)}${
        isToken
          ? `
  export SSEC_TOKEN="$(${printing(path, token)})"
      reads the token of ${caller} (${token} in ${basename(path)}), for ssec and as $SSEC_TOKEN`
          : ""
      }
  npx wrangler secret bulk ${quoted(path)}${flags}
      the same secrets for a deployed Worker that has none yet: it replaces them
  ${deploy(flags)}
Keep a copy of the key in a secret manager: a lost key is lost data. ${caller} may now reach ${bucket}.
`;
}
