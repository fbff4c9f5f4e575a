/** `ssec get`: objects into files, or to standard output. */
import { basename } from "node:path";
import { Command } from "commander";
import { Api } from "../api.ts";
import { ssec } from "../called-as.ts";
import { print } from "../output.ts";
import { printable } from "../terminal.ts";
import { descriptorOf, STANDARD } from "../transfer/descriptor.ts";
import { type Downloaded, downloadFile, downloadStream } from "../transfer/download.ts";
import { foundIn } from "../transfer/found.ts";
import { hearInterrupt } from "../transfer/interrupt.ts";
import { LocalFolder } from "../transfer/local-folder.ts";
import { localName } from "../transfer/local-name.ts";
import { lastSegment, nameOf, type ObjectName, objectName, placeName } from "../transfer/location.ts";
import { doEach, doOne, type Faulty, type Share } from "../transfer/many.ts";
import {
  argument,
  given,
  keyIdOption,
  onlyForOne,
  pickWhich,
  resumeOption,
  type SeveralOptions,
  takingSeveral,
  versionIdOption,
} from "../transfer/options.ts";
import { partFault } from "../transfer/partial-file.ts";
import { isFolder, sinkOf } from "../transfer/sink.ts";
import type { Which } from "../transfer/stored.ts";

type GetOptions = SeveralOptions<Which & { readonly resume?: true; readonly force?: true }>;

export const getCommand = takingSeveral(new Command("get"))
  .usage("[options] <object...> [file]")
  .argument(
    "<object...>",
    'BUCKET/KEY; where there are two or more the last is where they go: a path, a folder, or "-" for standard output',
  )
  .option("--force", "replace files that are there")
  .addOption(keyIdOption)
  .addOption(versionIdOption)
  .addOption(resumeOption)
  .addHelpText(
    "after",
    `
A file appears under its name only when it is whole, and what is there is not replaced without --force. Its SHA-256 is
checked where the object's metadata holds it, as \`ssec put\` writes it. A link is followed; a pipe or a device gets the bytes.

Examples:
  ${ssec()} get media/users/42/cat.jpg
  ${ssec()} get -r media/users/42/ media/notes.txt ~/copies/
  ${ssec()} get media/backup.tar /tmp/backup.tar --resume
  ${ssec()} get media/db.sql - | psql db`,
  )
  .action(async (names: string[], _, command: Command) => {
    const options = given<GetOptions>(command);
    const { recursive = false } = options;
    const sources = names.length > 1 ? names.slice(0, -1) : names;
    const to = names.length > 1 ? (names.at(-1) as string) : ".";
    const isOne = sources.length === 1 && !recursive;
    onlyForOne(command, options, isOne);
    const objects = sources.map((text) => argument(command, recursive ? placeName : objectName, text));
    const [only] = isOne ? objects : [];
    if (only === undefined && isStream(to))
      command.error("error: only one object goes to standard output: the others would follow without an end");
    const api = new Api(options);
    if (!isStream(to)) hearInterrupt(true);

    if (only !== undefined) {
      const job = { object: only, path: to };
      return doOne(only.key, options, (share) => getOne(api, job, options, share));
    }
    const many = {
      ...options,
      nameOf: ({ object }: Job) => nameOf(object),
      sizeOf: ({ size }: Job) => size,
      doing: "downloading",
      done: "downloaded",
    };
    const items = recursive ? recursiveJobs(api, objects, to) : plainJobs(objects, to);
    await doEach(items, many, (job, share) => getOne(api, job, options, share));
  });

function isStream(path: string): boolean {
  return path === STANDARD || descriptorOf(path) !== undefined;
}

interface Job {
  readonly object: ObjectName;
  /** A file, or a folder that is there. */
  readonly path: string;
  /** Bytes, where the object was found in a list. */
  readonly size?: number;
}

/** Each object, and the file of its own name in the folder. */
async function* plainJobs(objects: readonly ObjectName[], to: string): AsyncGenerator<Job | Faulty> {
  const folder = await LocalFolder.at(to);
  for (const object of objects) yield await jobOf(object, () => folder.fileFor(lastSegment(object)));
}

/** Each object of each folder, and the file that it becomes. */
async function* recursiveJobs(
  api: Api,
  places: readonly ObjectName[],
  to: string,
): AsyncGenerator<Job | Faulty> {
  const isInto = places.length > 1 || to.endsWith("/") || (await isFolder(to));
  const into = isInto ? await LocalFolder.at(to) : undefined;
  let root: LocalFolder | undefined;
  for (const place of places) {
    const name = basename(place.key) || place.bucket;
    let isEmpty = true;
    for await (const { object, below, size } of foundIn(api, place)) {
      isEmpty = false;
      // As with cp: into a folder that is there, else what there is becomes it.
      if (below === "")
        yield into ? await jobOf(object, () => into.fileFor(name), size) : { object, path: to, size };
      else {
        root ??= into ?? (await LocalFolder.at(to));
        const within = root;
        const local = into ? `${name}/${below}` : below;
        // Whoever makes folders in a browser leaves such an object.
        if (!below.endsWith("/") || size > 0) yield await jobOf(object, () => within.fileFor(local), size);
        else if (below !== "/") yield* faultOf(object, () => within.makeFolder(local.slice(0, -1)));
      }
    }
    if (isEmpty) yield { name: nameOf(place), fault: "nothing is there" };
  }
}

async function jobOf(
  object: ObjectName,
  pathOf: () => Promise<string>,
  size?: number,
): Promise<Job | Faulty> {
  try {
    return { object, path: await pathOf(), ...(size !== undefined && { size }) };
  } catch (error) {
    return { name: nameOf(object), fault: (error as Error).message };
  }
}

async function* faultOf(object: ObjectName, work: () => Promise<void>): AsyncGenerator<Faulty> {
  try {
    await work();
  } catch (error) {
    yield { name: nameOf(object), fault: (error as Error).message };
  }
}

async function getOne(
  api: Api,
  { object, path }: Job,
  options: GetOptions,
  { slots, progress }: Share,
): Promise<void> {
  const { force = false, resume = false, quiet } = options;
  const downloading = { which: pickWhich(options), slots, force, resume, progress };
  const sink = await sinkOf(path, { force, name: () => localName(object) });
  const downloaded = await ("open" in sink
    ? downloadStream(api, object, sink, downloading)
    : downloadFile(api, object, sink, downloading).catch((error: unknown) => {
        throw partFault(error, sink.path) ?? error;
      }));
  if (!isStream(path) && !quiet) say("open" in sink ? path : sink.path, downloaded);
}

function say(path: string, { size, sha256, isChecked }: Downloaded): void {
  print(
    `${printable(path)}: ${size} bytes, SHA-256 ${sha256}${isChecked ? ", as uploaded" : " (the object's metadata has none to check it against)"}`,
  );
}
