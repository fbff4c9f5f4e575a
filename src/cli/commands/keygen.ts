/** `ssec keygen`: a customer key from the CSPRNG, and how to bind it. */
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { Command, InvalidArgumentError } from "commander";
import { KEY_ID } from "../../config/schema.ts";
import { customerKey, KEY_BYTES } from "../../keys/customer-key.ts";
import { bindSecret } from "../bound.ts";
import { ssec } from "../called-as.ts";
import { keySecret } from "../fresh-secrets.ts";
import { type HandOut, isUnasked, outOption, refuseTerminal, warnOfReaders, writeOut } from "../hand-out.ts";
import { print } from "../output.ts";
import type { Where } from "../worker.ts";

interface KeygenOptions extends Where, HandOut {
  readonly bind?: true;
  readonly json?: true;
}

export const keygenCommand = new Command("keygen")
  .argument("[id]", "the key's id in KEYS", keyId, "k1")
  .option("--show", "print the key even to a terminal, or after --bind")
  .addOption(outOption)
  .option(
    "--bind",
    "bind it to the deployed Worker with wrangler; the key is then printed only with --show, or written with --out",
  )
  .option("--json", "print {id, secret, md5, key}, the key on the same terms")
  .addHelpText(
    "after",
    `
Examples:
  ${ssec()} keygen k2 | npx wrangler secret put SSEC_K2
  ${ssec()} keygen k2 --bind --show | vault kv put -mount=secret ssec/k2 key=-
  ${ssec()} --env production keygen k2 --bind
  ${ssec()} keygen k2 --out k2.key
  ${ssec()} keygen --show`,
  )
  .action((id: string, _, command: Command) => keygen(id, command.optsWithGlobals<KeygenOptions>()));

async function keygen(id: string, { show, out, bind, json, ...where }: KeygenOptions): Promise<void> {
  const secret = keySecret(id);
  const handOut = { ...(show && { show }), ...(out !== undefined && { out }) };
  if (isUnasked(handOut) && !bind) {
    return refuseTerminal(`Bind a fresh one without seeing it:

  ${ssec()}${envFlag(where)} keygen ${id} --bind

or write it to a file that only you can read: ${ssec()} keygen ${id} --out FILE
or see it: ${ssec()} keygen ${id} --show`);
  }
  const { base64, md5 } = customerKey(id, randomBytes(KEY_BYTES));
  // Before it is bound: a bound key that could not be written would be lost.
  const isWritten = writeOut(handOut, base64);
  if (bind)
    await bindSecret(secret, base64, where).catch((error: unknown) => takeBack(isWritten, out, error));
  const isShown = !isWritten && (show || !bind);
  if (isShown) warnOfReaders();
  if (json) print(JSON.stringify({ id, secret, md5, ...(isShown && { key: base64 }) }));
  else if (isShown) process.stdout.write(process.stdout.isTTY ? `${base64}\n` : base64);
  console.error(`MD5 ${md5}\n`);
  if (!bind) console.error(howToBind(secret, where));
  console.error(`${howToKeep(secret, isShown || isWritten)}\n\n${howToConfigure(id, secret, where)}`);
  if (!bind) console.error(`\n${bySecretsStore(secret, where)}\n\n${byHand(secret, where)}`);
}

/** A key that was not bound is nobody's, and its file would be in the way of the next. */
function takeBack(isWritten: boolean, out: string | undefined, error: unknown): never {
  if (isWritten && out !== undefined) rmSync(out, { force: true });
  throw error;
}

function howToBind(secret: string, where: Where): string {
  return `Bind it, with the key on standard input:

  npx wrangler secret put ${secret}${envFlag(where)}
`;
}

function howToKeep(secret: string, isShown: boolean): string {
  const reason = "Cloudflare gives no secret back, and a lost key is lost data.";
  return isShown
    ? `Keep a copy in a secret manager: ${reason}`
    : `There is no copy of it, and ${reason}
To have one, before anything lies under it: npx wrangler secret delete ${secret}, and again with --show.`;
}

function howToConfigure(id: string, secret: string, { config, env }: Where): string {
  return `In ${config}, and then before the others in its buckets' keys:

  [${env ? `env.${env}.` : ""}vars.KEYS.${tomlKey(id)}]
  secret = "${secret}"`;
}

function bySecretsStore(secret: string, { env }: Where): string {
  return `Where several Workers share it, the Secrets Store instead of a Worker's own secret:

  npx wrangler secrets-store secret create STORE_ID --name ${secret} --scopes workers --remote

  [[${env ? `env.${env}.` : ""}secrets_store_secrets]]
  binding = "${secret}"
  store_id = "STORE_ID"
  secret_name = "${secret}"`;
}

function byHand(secret: string, where: Where): string {
  return `The same without ssec, and the MD5 of a key on standard input:

  openssl rand -base64 32 | tr -d '\\n' | npx wrangler secret put ${secret}${envFlag(where)}
  base64 -d | openssl md5 -binary | base64`;
}

function envFlag({ env }: Where): string {
  return env ? ` --env ${env}` : "";
}

/** A dot in a TOML key begins a table of its own. */
function tomlKey(id: string): string {
  return id.includes(".") ? `"${id}"` : id;
}

function keyId(text: string): string {
  if (!KEY_ID.test(text)) throw new InvalidArgumentError("1 to 64 of A-Z a-z 0-9 . _ -");
  return text;
}
