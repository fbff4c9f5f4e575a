/** `ssec keygen`: a customer key from the CSPRNG, and how to bind it. */
import { randomBytes } from "node:crypto";
import { Command } from "commander";
import { customerKey, KEY_BYTES } from "../../src/ssec/customer-key.ts";
import { EXIT } from "./terminal.ts";

export const keygenCommand = new Command("keygen")
  .description("makes a customer key: the key goes to standard output, what to do with it to standard error")
  .argument("[id]", "the key's id in KEYS", "k1")
  .option("--show", "print the key even to a terminal")
  .addHelpText(
    "after",
    "\nExamples:\n  npm run -s ssec -- keygen k2 | npx wrangler secret put SSEC_K2\n  npm run -s ssec -- keygen --show",
  )
  .action((id: string, { show }: { show?: boolean }) => keygen(id, show === true));

function keygen(id: string, show: boolean): void {
  const secret = `SSEC_${id.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`;
  const isTerminal = process.stdout.isTTY === true;
  if (isTerminal && !show) {
    console.error(`A key is not shown on a terminal unless asked. Bind a fresh one without seeing it:

  npm run -s ssec -- keygen ${id} | npx wrangler secret put ${secret}

or see it: npm run ssec -- keygen ${id} --show`);
    process.exitCode = EXIT.usage;
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
