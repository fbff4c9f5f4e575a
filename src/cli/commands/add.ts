/** `ssec add bucket|key|caller`: one more of them, beside what is there. */
import { Command, InvalidArgumentError, Option } from "commander";
import { addBucket, addCaller, addKey } from "../add/rows.ts";
import { ssec } from "../called-as.ts";
import { wholeNumber } from "../options.ts";

const yesOption = new Option("--yes", "do not ask");

const bucket = new Command("bucket")
  .description("a bucket of a store that is there, under keys that are there")
  .argument("<name>", "what callers call it")
  .option("--store <name>", "a store of STORES; the only one unless given")
  .option("--name <name>", "what the store calls it, where that differs")
  .option("--key <id...>", "keys of KEYS, of which the first writes; the only one unless given")
  .addOption(yesOption)
  .addHelpText("after", () => `\nExample:\n  ${ssec()} add bucket archive --store coreweave --key k2 k1`)
  .action((name: string, _, command: Command) => addBucket(name, command.optsWithGlobals()));

const key = new Command("key")
  .description("a customer key, made here and written to .dev.vars")
  .argument("[id]", "its id; the next of k1, k2, … unless given")
  .option(
    "--bucket <name...>",
    "write these of BUCKETS under it from now on; the keys that are there still read",
  )
  .option("--derive", "a root: every object gets a key of its own (docs/keys.md)")
  .addOption(new Option("--no-derive", "one key for all objects"))
  .addOption(new Option("--not-before <date>", "it writes from then on, as 2027-01-31").argParser(date))
  .addOption(new Option("--write-until <date>", "it writes no longer, and still reads").argParser(date))
  .addOption(yesOption)
  .addHelpText("after", () => `\nExample:\n  ${ssec()} add key k2 --bucket media --derive`)
  .action((id: string | undefined, _, command: Command) => addKey(id, command.optsWithGlobals()));

const caller = new Command("caller")
  .description(
    "a caller with a token, made here and written to .dev.vars; or, with --issuer, users with JWTs",
  )
  .argument("<name>", "the caller's name")
  .option("--bucket <name>", "a bucket of BUCKETS; the only one unless given")
  .option("--prefix <prefix>", "what its object keys begin with; default is the whole bucket", "")
  .addOption(
    new Option("--allow <permission...>", "what it may do")
      .choices(["read", "write", "delete", "admin"])
      .default(["read", "write", "delete"], "read write delete"),
  )
  .addOption(new Option("--max-bytes <n>", "the largest upload").argParser(wholeNumber))
  .addOption(new Option("--max-expires-in <seconds>", "how long a URL may live").argParser(wholeNumber))
  .option("--content-type <type...>", "the only types that it may upload, as image/*")
  .option("--issuer <url>", "who issues the JWTs")
  .option("--audience <name>", "their aud")
  .option("--jwks <url>", "the issuer's keys")
  .addOption(yesOption)
  .addHelpText(
    "after",
    () => `
Examples:
  ${ssec()} add caller partner --bucket media --prefix partner/ --allow read write
  ${ssec()} add caller app --prefix 'users/{sub}/' --issuer https://login.example.com/ \\
    --audience ssec-edge --jwks https://login.example.com/.well-known/jwks.json`,
  )
  .action((name: string, _, command: Command) => addCaller(name, command.optsWithGlobals()));

export const addCommand = new Command("add")
  .addCommand(bucket)
  .addCommand(key)
  .addCommand(caller)
  .addHelpText(
    "after",
    () => `
wrangler.toml, or .json or .jsonc, keeps all that is in it, comments too; what is there already is refused. Secrets that are
made go to .dev.vars beside it (of an environment, .dev.vars.NAME), which only you can read, and are not shown.

Examples:
  ${ssec()} add key --bucket media --derive
  ${ssec()} --env production add caller partner --prefix partner/`,
  );

function date(text: string): string {
  if (Number.isNaN(Date.parse(text))) throw new InvalidArgumentError("a date, as 2027-01-31.");
  return text;
}
