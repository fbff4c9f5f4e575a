/** `ssec rotate`: every object of a bucket under the key that writes now. */
import { Command, Option } from "commander";
import { ssec } from "../called-as.ts";
import { type RotateOptions, rotate } from "../rotate/rotate.ts";

/** Of a rotation that is there: nothing is begun. */
const OTHERS = ["prefix", "from", "to", "dryRun", "versions", "removeVersions", "encryptPlain"];

export const rotateCommand = new Command("rotate")
  .argument("<bucket>", "a bucket of BUCKETS")
  .option("--prefix <prefix>", "only objects whose keys begin with it")
  .addOption(
    new Option("--from <id>", "only objects under this key; may be given again").argParser(
      (id: string, before: readonly string[] | undefined) => [...(before ?? []), id],
    ),
  )
  .option("--to <id>", "the key to rotate to; the one that writes now unless given")
  .option("--dry-run", "change nothing: which object is under which key, and what a rotation would take")
  .option("--versions", "copy versions that are not current onto new ones, under the new key")
  .addOption(
    new Option("--remove-versions", "and remove what was copied; implies --versions").implies({
      versions: true,
    }),
  )
  .option("--encrypt-plain", "encrypt what is in the clear as well")
  .option("--local", "rotate in this process, without the Worker, by a ledger in .ssec/")
  .addOption(new Option("--status", "how far the last one is").conflicts([...OTHERS, "cancel", "resume"]))
  .addOption(
    new Option("--errors", "all objects that the last one could not rotate").conflicts([
      ...OTHERS,
      "status",
      "cancel",
      "resume",
    ]),
  )
  .addOption(
    new Option("--cancel", "end the one that runs; what is rotated stays so").conflicts([
      ...OTHERS,
      "resume",
    ]),
  )
  .addOption(
    new Option("--resume", "go on with the last one, where it failed, was cancelled or waits").conflicts(
      OTHERS,
    ),
  )
  .option("--json", "print the rotation as one JSON object; of --errors one a line")
  .addHelpText(
    "after",
    () => `
Where one of the bucket runs already, it is followed. It goes on in the Worker whatever happens here: Ctrl-C ends only the
looking. With --local it stops with this process, and the same command goes on. Readers and writers need not wait for it.

Exit status: 0 all of it is done; 1 some objects could not be rotated, or it failed, was cancelled or refused; 130 Ctrl-C.

Examples:
  ${ssec()} rotate media --dry-run
  ${ssec()} --url https://edge.example.com rotate media
  ${ssec()} rotate media --prefix users/ --from k1
  ${ssec()} rotate media --status
  ${ssec()} rotate media --local`,
  )
  .action((bucket: string, _, command: Command) => rotate(bucket, command.optsWithGlobals<RotateOptions>()));
