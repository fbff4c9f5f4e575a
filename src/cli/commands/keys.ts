/** `ssec keys`: every key, what still needs it, and its end. */
import { Command, Option } from "commander";
import type { ReportedKey } from "../../rotation/needed.ts";
import { ssec } from "../called-as.ts";
import { briefly, moment, needOf } from "../keys/needs.ts";
import { type RetireOptions, retire } from "../keys/retire.ts";
import { print } from "../output.ts";
import { accountOf } from "../rotate/account.ts";
import { type RotationsOptions, rotationsFor } from "../rotate/open.ts";
import { beginOrFollow, commandsFor, followToEnd } from "../rotate/rotate.ts";
import { table } from "../table.ts";
import { EXIT, printable } from "../terminal.ts";

interface KeysOptions extends RotationsOptions {
  readonly json?: true;
}

/** Enough to tell keys apart by eye. */
const MD5_SHOWN = 8;

const localOption = new Option("--local", "by the ledger in .ssec/, without the Worker");
const jsonOption = new Option("--json", "one JSON object a line");

const scan = new Command("scan")
  .description("looks at every object of a bucket: which is under which key, and what still needs which")
  .argument("<bucket>", "a bucket of BUCKETS")
  .addOption(localOption)
  .addOption(jsonOption)
  .addHelpText(
    "after",
    () => `
It changes nothing: it is a dry run of a rotation of all of the bucket, and goes on in the Worker after Ctrl-C. Exit status 1
where some objects could be seen neither under a key nor under none.

Example:
  ${ssec()} keys scan media`,
  )
  .action((bucket: string, _, command: Command) =>
    scanBucket(bucket, command.optsWithGlobals<KeysOptions>()),
  );

const retireCommand = new Command("retire")
  .description("takes a key out of the configuration, where a scan has shown that nothing needs it")
  .argument("<id>", "a key of KEYS")
  .addOption(localOption)
  .option("--yes", "do not ask")
  .addHelpText(
    "after",
    () => `
It refuses where any bucket that has the key was not scanned since it was last written under, or where an object or an older
version is still under it. The secret itself stays until you destroy it: the last lines say how.

Example:
  ${ssec()} keys retire k1`,
  )
  .action((id: string, _, command: Command) => retire(id, command.optsWithGlobals<RetireOptions>()));

export const keysCommand = new Command("keys")
  .addOption(localOption)
  .addOption(jsonOption)
  .addCommand(scan)
  .addCommand(retireCommand)
  .addHelpText(
    "after",
    () => `
Examples:
  ${ssec()} --url https://edge.example.com keys
  ${ssec()} keys --json | jq -r 'select(.neededBy.removable) | .id'
  ${ssec()} keys scan media
  ${ssec()} keys retire k1`,
  )
  .action((_, command: Command) => list(command.optsWithGlobals<KeysOptions>()));

async function list(options: KeysOptions): Promise<void> {
  const rotations = await rotationsFor(options, "look");
  try {
    const keys = await rotations.keys();
    if (options.json) for (const key of keys) print(JSON.stringify(key));
    else print(keys.length === 0 ? "nothing" : table(HEAD, keys.map(row)));
  } finally {
    await rotations.close();
  }
}

const HEAD = ["id", "state", "mode", "buckets", "MD5", "from", "until", "needed by", "scan"];

function row(key: ReportedKey): string[] {
  const { id, state, mode, buckets, md5 = "", notBefore = "", writeUntil = "", neededBy } = key;
  return [
    id,
    state,
    mode,
    buckets.join(", "),
    md5.slice(0, MD5_SHOWN),
    notBefore.slice(0, 10),
    writeUntil.slice(0, 10),
    briefly(key),
    neededBy === undefined ? "" : moment(neededBy.scannedAt),
  ].map(printable);
}

async function scanBucket(bucket: string, options: KeysOptions): Promise<void> {
  const rotations = await rotationsFor(options, "work");
  try {
    const report = await followToEnd(rotations, await beginOrFollow(rotations, { bucket, dryRun: true }));
    if (report === undefined) return;
    const keys = (await rotations.keys()).filter(({ buckets }) => buckets.includes(bucket));
    if (options.json) {
      print(JSON.stringify(report));
      for (const key of keys) print(JSON.stringify(key));
    } else {
      for (const line of accountOf(report, commandsFor(bucket, rotations))) print(line);
      for (const key of keys) print(`  ${needOf(key, rotations.flags)}`);
    }
    const isUnclear = ({ neededBy }: ReportedKey) =>
      neededBy?.buckets.some(({ doubt }) => doubt === "unclear");
    if (report.state !== "done" || keys.some(isUnclear)) process.exitCode = EXIT.failed;
  } finally {
    await rotations.close();
  }
}
