/** `ssec cp`: objects to others, each under its own key. */
import { basename } from "node:path";
import { Command } from "commander";
import { Api } from "../api.ts";
import { ssec } from "../called-as.ts";
import { Slots } from "../parallel.ts";
import { printable } from "../terminal.ts";
import { copyObject } from "../transfer/copy.ts";
import { type Found, foundIn } from "../transfer/found.ts";
import {
  inFolder,
  isFolderName,
  keyFault,
  lastSegment,
  nameOf,
  type ObjectName,
  objectName,
  placeName,
  targetName,
} from "../transfer/location.ts";
import { doEach, type Faulty } from "../transfer/many.ts";
import {
  argument,
  jsonOption,
  type Options,
  parallelOption,
  recursiveOption,
  report,
  sourcesAndTarget,
} from "../transfer/options.ts";
import { type Moved, Progress } from "../transfer/progress.ts";

export const cpCommand = new Command("cp")
  .usage("[options] <from...> <to>")
  .argument("<from...>", "BUCKET/KEY; and last where they go: after a / at its end the source's name is put")
  .addOption(recursiveOption)
  .addOption(parallelOption)
  .addOption(jsonOption)
  .addHelpText(
    "after",
    `
The store copies where it can. Where it cannot (another store, more than 5 GiB, or a store that does not copy encrypted
objects), the bytes pass through this machine, and are not kept on it. Content headers, metadata, tags, storage class and
redirect go along; a copy that lacks one of them is a failure.

Examples:
  ${ssec()} cp media/users/42/cat.jpg archive/cats/
  ${ssec()} cp -r media/users/42 archive/`,
  )
  .action(async (given: string[], _, command: Command) => {
    const options = command.optsWithGlobals<Options<{ parallel: number }>>();
    const { parallel, recursive = false } = options;
    const [texts, last] = sourcesAndTarget(command, given, "to");
    const target = argument(command, targetName, last);
    const sources = texts.map((text) => argument(command, recursive ? placeName : objectName, text));
    if (sources.length > 1 && !isFolderName(target))
      command.error(`error: several objects go into a folder: end it with a slash, as ${last}/`);
    const api = new Api(options);

    const [only] = sources.length === 1 && !recursive ? sources : [];
    if (only !== undefined) {
      const job = jobOf(only, inFolder(target, lastSegment(only)));
      if ("fault" in job) command.error(`error: '${nameOf(only)}' is invalid: ${job.fault}`);
      const progress = (size: number) => new Progress(printable(job.to.key), size);
      await copyOne(api, job, { ...options, slots: new Slots(parallel), progress });
      return;
    }
    const whole = new Progress("copying", undefined);
    const many = { parallel, nameOf: ({ from }: Job) => nameOf(from), done: "copied" };
    const items = recursive
      ? recursiveJobs(api, sources, target)
      : sources.map((from) => jobOf(from, inFolder(target, lastSegment(from))));
    await doEach(items, many, (job, slots) =>
      copyOne(api, job, { ...options, slots, progress: () => whole.share() }),
    ).finally(() => whole.end());
  });

interface Job {
  readonly from: ObjectName;
  readonly to: ObjectName;
}

/** Each object of each folder, and what it becomes. */
async function* recursiveJobs(
  api: Api,
  places: readonly ObjectName[],
  target: ObjectName,
): AsyncGenerator<Job | Faulty> {
  for (const place of places) {
    const name = basename(place.key) || place.bucket;
    const base = isFolderName(target) ? `${target.key}${name}` : target.key;
    // All of them before the first is copied: copies may lie in the very folder that is listed.
    const found: Found[] = [];
    for await (const each of foundIn(api, place)) found.push(each);
    if (found.length === 0) yield { name: nameOf(place), fault: "nothing is there" };
    for (const { object, below } of found) {
      yield jobOf(object, { ...target, key: below === "" ? base : `${base}/${below}` });
    }
  }
}

/** What neither may be read nor written by its name cannot be copied. */
function jobOf(from: ObjectName, to: ObjectName): Job | Faulty {
  const fault = keyFault(from.key) ?? keyFault(to.key);
  if (fault !== undefined) return { name: nameOf(from), fault: `the key ${fault}` };
  return isFolderName(to) && !isFolderName(from)
    ? { name: nameOf(from), fault: "the copy has no name" }
    : { from, to };
}

async function copyOne(
  api: Api,
  { from, to }: Job,
  { slots, progress, json }: { slots: Slots; progress: (size: number) => Moved; json?: true },
): Promise<void> {
  const copied = await copyObject(api, from, to, { slots, progress });
  const { keyId, size, byStore } = copied;
  const how = byStore ? "by the store" : "through this machine";
  report({ ...(json && { json }) }, { ...to, ...copied }, `${size} bytes under ${keyId}, copied ${how}`);
}
