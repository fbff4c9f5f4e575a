/** One more row, carried out: shown, agreed to, written, and what to do next. */
import { basename } from "node:path";
import { shownFlags } from "../bound.ts";
import { deploy } from "../called-as.ts";
import { edited, varsIn } from "../edit/carry-out.ts";
import { devVarsPath, namesIn, printing, withSecrets } from "../edit/dev-vars.ts";
import type { Edit, RowName, Tables } from "../edit/edit.ts";
import { type Before, readBefore, writeTogether } from "../edit/files.ts";
import { ignoring } from "../edit/git-ignore.ts";
import { tablesIn } from "../init/plan.ts";
import { agree, EXIT, nextCommand, printable } from "../terminal.ts";
import type { Where } from "../worker.ts";
import { readWranglerConfig } from "../wrangler-config.ts";

export interface AddOptions extends Where {
  readonly yes?: true;
}

interface FreshSecret {
  readonly name: string;
  readonly value: string;
  readonly isKey: boolean;
}

export interface Addition extends Edit {
  readonly row: RowName;
  readonly secret?: FreshSecret;
  /** A bucket that nobody may reach yet. */
  readonly callersNeed?: string;
}

/** The tables that are there. @throws when the file cannot be read, or has no such environment */
export function tablesAt({ config, env }: Where): Tables {
  readWranglerConfig(config, env);
  return tablesIn(varsIn(readBefore(config), env));
}

/** @throws when the outcome would be no valid configuration, or the secret is on this machine already */
export async function add(options: AddOptions, addition: Addition): Promise<void> {
  const { config, env, yes } = options;
  const file = readBefore(config);
  const devVars = readBefore(devVarsPath(config, env));
  const { secret, row } = addition;
  if (secret !== undefined && namesIn(devVars.text).has(secret.name))
    throw new Error(
      `${printable(devVars.path)} has a ${secret.name} already, which may be in use: take another name, or remove it there`,
    );
  const text = edited(file, addition, env);
  console.log(`${config}: added is ${row.table}.${row.id}`);
  for (const bucket of addition.firstKey?.buckets ?? [])
    console.log(`  BUCKETS.${bucket} is written under it; the keys that it has still read`);
  if (secret) console.log(`${devVars.path}: ${secret.name} added, what is there stays`);
  const ignored = secret && ignoring(devVars.path, false);
  if (ignored) console.log(ignored.says);
  // Where nobody is asked, the command line has said it all.
  if (process.stdin.isTTY === true && !(await agree("Write this?", yes === true))) {
    console.error("not agreed; nothing was changed");
    process.exitCode = EXIT.failed;
    return;
  }
  writeTogether([
    ...(ignored ? [ignored] : []),
    ...(secret
      ? [{ before: devVars, text: withSecrets(devVars.text, { [secret.name]: secret.value }), mode: 0o600 }]
      : []),
    { before: file, text },
  ]);
  console.log(`\nWritten. Next:\n${next(addition, devVars, options).join("\n")}`);
}

/** Commands, each with what it is for. */
function next({ secret, callersNeed }: Addition, { path }: Before, where: Where): string[] {
  return [
    ...(secret
      ? [
          `  ${printing(path, secret.name)} | tr -d '\\n' | npx wrangler secret put ${secret.name}${shownFlags(where)}`,
          `      binds the same ${secret.isKey ? "key" : "token"} in production, and shows it nowhere`,
        ]
      : []),
    `  ${deploy(shownFlags(where))}`,
    ...(callersNeed
      ? [`  ${nextCommand("add", "caller", "NAME", "--bucket", callersNeed)}`, "      lets somebody in"]
      : []),
    `  ${nextCommand("check")}`,
    ...(secret?.isKey
      ? [`Keep a copy of ${secret.name} in a secret manager: a lost key is lost data.`]
      : secret
        ? [`The token is in ${basename(path)}: ${printing(path, secret.name)}`]
        : []),
  ];
}
