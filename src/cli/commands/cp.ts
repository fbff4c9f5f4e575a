/** `ssec cp`: objects to others, each under its own key. */
import { basename } from "node:path";
import { Command } from "commander";
import { Api } from "../api.ts";
import { ssec } from "../called-as.ts";
import { copyObject } from "../transfer/copy.ts";
import { type Found, foundIn } from "../transfer/found.ts";
import { hearInterrupt } from "../transfer/interrupt.ts";
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
import { doEach, doOne, type Faulty, type Share } from "../transfer/many.ts";
import {
  argument,
  given,
  jsonOption,
  report,
  type SeveralOptions,
  sourcesAndTarget,
  takingSeveral,
} from "../transfer/options.ts";

export const cpCommand = takingSeveral(new Command("cp"))
  .usage("[options] <from...> <to>")
  .argument("<from...>", "BUCKET/KEY; and last where they go: after a / at its end the source's name is put")
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
  .action(async (names: string[], _, command: Command) => {
    const options = given(command);
    const { recursive = false } = options;
    const [texts, last] = sourcesAndTarget(command, names, "to");
    const target = argument(command, targetName, last);
    const sources = texts.map((text) => argument(command, recursive ? placeName : objectName, text));
    if (sources.length > 1 && !isFolderName(target))
      command.error(`error: several objects go into a folder: end it with a slash, as ${last}/`);
    const api = new Api(options);
    hearInterrupt(false);

    const [only] = sources.length === 1 && !recursive ? sources : [];
    if (only !== undefined) {
      const job = jobOf(only, inFolder(target, lastSegment(only)));
      if ("fault" in job) return command.error(`error: '${nameOf(only)}' is invalid: ${job.fault}`);
      return doOne(job.to.key, options, (share) => copyOne(api, job, options, share));
    }
    const many = {
      ...options,
      nameOf: ({ from }: Job) => nameOf(from),
      sizeOf: ({ size }: Job) => size,
      doing: "copying",
      done: "copied",
    };
    const items = recursive
      ? recursiveJobs(api, sources, target)
      : sources.map((from) => jobOf(from, inFolder(target, lastSegment(from))));
    await doEach(items, many, (job, share) => copyOne(api, job, options, share));
  });

interface Job {
  readonly from: ObjectName;
  readonly to: ObjectName;
  /** Bytes, where the object was found in a list. */
  readonly size?: number;
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
    for (const { object, below, size } of found) {
      yield jobOf(object, { ...target, key: below === "" ? base : `${base}/${below}` }, size);
    }
  }
}

/** What neither may be read nor written by its name cannot be copied. */
function jobOf(from: ObjectName, to: ObjectName, size?: number): Job | Faulty {
  const fault = keyFault(from.key) ?? keyFault(to.key);
  if (fault !== undefined) return { name: nameOf(from), fault: `the key ${fault}` };
  return isFolderName(to) && !isFolderName(from)
    ? { name: nameOf(from), fault: "the copy has no name" }
    : { from, to, ...(size !== undefined && { size }) };
}

async function copyOne(api: Api, { from, to }: Job, options: SeveralOptions, share: Share): Promise<void> {
  const copied = await copyObject(api, from, to, share);
  const { keyId, size, byStore } = copied;
  const how = byStore ? "by the store" : "through this machine";
  report(options, { ...to, ...copied }, `${size} bytes under ${keyId}, copied ${how}`);
}
