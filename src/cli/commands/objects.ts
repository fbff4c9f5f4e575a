/** `ssec head`, `rm` and `ls`: what is there. */
import { Command, Option } from "commander";
import { Api, ApiError } from "../api.ts";
import { ssec } from "../called-as.ts";
import { wholeNumber } from "../options.ts";
import { print } from "../output.ts";
import { agree, printable, thisCommandWith } from "../terminal.ts";
import {
  type Found,
  foundIn,
  type Listed,
  type ListedFolder,
  listed,
  listedInFolder,
} from "../transfer/found.ts";
import {
  keyFault,
  nameOf,
  type ObjectName,
  objectName,
  objectPath,
  placeName,
} from "../transfer/location.ts";
import { doEach, type Faulty } from "../transfer/many.ts";
import {
  argument,
  given,
  jsonOption,
  keyIdOption,
  type Options,
  onlyForOne,
  pickWhich,
  recursiveOption,
  type SeveralOptions,
  takingSeveral,
  versionIdOption,
} from "../transfer/options.ts";
import { inUnits } from "../transfer/progress.ts";
import { headObject, type Which } from "../transfer/stored.ts";

export const headCommand = new Command("head")
  .argument("<object>", "BUCKET/KEY", objectName)
  .addOption(keyIdOption)
  .addOption(versionIdOption)
  .addOption(jsonOption)
  .addHelpText("after", `\nExample:\n  ${ssec()} head media/users/42/cat.jpg --json | jq .keyId`)
  .action(async (object: ObjectName, _, command: Command) => {
    const options = command.optsWithGlobals<Options<Which>>();
    const { content, metadata, missingMetadata, tagCount, ...stored } = await headObject(
      new Api(options),
      object,
      pickWhich(options),
    );
    const known = {
      ...object,
      ...stored,
      ...content,
      ...(tagCount > 0 && { tagCount }),
      ...(missingMetadata > 0 && { missingMetadata }),
    };
    if (options.json) return print(JSON.stringify({ ...known, metadata }));
    const lines = [
      ...Object.entries(known),
      ...Object.entries(metadata).map(([name, value]) => [`metadata.${name}`, value]),
    ];
    for (const [name, value] of lines) print(`${String(name).padEnd(20)} ${printable(String(value))}`);
  });

type RmOptions = SeveralOptions<Which & { readonly force?: true; readonly yes?: true }>;

export const rmCommand = takingSeveral(new Command("rm"))
  .argument("<object...>", "BUCKET/KEY")
  .option("-y, --yes", "with -r: do not ask")
  .option("--force", "be content where nothing is there; with -r, do not ask, and also empty a whole bucket")
  .addOption(versionIdOption)
  .addHelpText(
    "after",
    `
With -r it tells how much there is, and asks; where no terminal is, only --yes or --force agrees.

Examples:
  ${ssec()} rm media/users/42/cat.jpg
  ${ssec()} rm -r media/users/42/
  ${ssec()} rm -r media/users/42/ --yes`,
  )
  .action(async (names: string[], _, command: Command) => {
    const options = given<RmOptions>(command);
    const { recursive = false, force = false, yes = false, versionId } = options;
    const objects = names.map((text) => argument(command, recursive ? placeName : objectName, text));
    const [only] = objects.length === 1 && !recursive ? objects : [];
    onlyForOne(command, options, only !== undefined);
    const bucket = objects.find(({ key }) => key === "")?.bucket;
    if (bucket !== undefined && !force)
      command.error(
        `error: that is all of the bucket ${bucket}; if it is meant:\n\n  ${thisCommandWith("--force")}`,
      );
    const api = new Api(options);

    if (only !== undefined) {
      if (!force) await confirmThere(api, only, versionId);
      return remove(api, only, versionId);
    }
    const many = { ...options, nameOf, doing: "deleting", done: "deleted" };
    if (!recursive)
      return doEach(objects, many, (object, { slots }) => slots.run(() => removeOne(api, object, force)));
    const doomed =
      yes || force
        ? objects.map((place) => ({ place, found: foundIn(api, place) }))
        : await agreed(api, objects);
    if (doomed === undefined) throw new Error("nothing was deleted");
    return doEach(recursiveJobs(doomed, force), many, (object, { slots }) =>
      slots.run(() => remove(api, object)),
    );
  });

/** What is to be deleted in a place. */
interface Doomed {
  readonly place: ObjectName;
  readonly found: AsyncIterable<Found> | readonly Found[];
}

/**
 * Looks what is there, and asks.
 *
 * @throws where nobody can be asked
 */
async function agreed(api: Api, places: readonly ObjectName[]): Promise<readonly Doomed[] | undefined> {
  // Before anything is looked for.
  if (!process.stdin.isTTY) await agree("", false);
  const doomed: Doomed[] = [];
  let objects = 0;
  let bytes = 0;
  for (const place of places) {
    const found = await Array.fromAsync(foundIn(api, place));
    doomed.push({ place, found });
    objects += found.length;
    bytes += found.reduce((sum, { size }) => sum + size, 0);
  }
  const where = places.map((place) => printable(nameOf(place))).join(", ");
  const question = `Delete ${objects} object${objects === 1 ? "" : "s"}, ${inUnits(bytes)}, of ${where}?`;
  return objects === 0 || (await agree(question, false)) ? doomed : undefined;
}

async function* recursiveJobs(
  doomed: readonly Doomed[],
  force: boolean,
): AsyncGenerator<ObjectName | Faulty> {
  for (const { place, found } of doomed) {
    let isEmpty = true;
    for await (const { object } of found) {
      isEmpty = false;
      const fault = keyFault(object.key);
      yield fault === undefined ? object : { name: nameOf(object), fault: `the key ${fault}` };
    }
    if (isEmpty && !force) yield { name: nameOf(place), fault: "nothing is there" };
  }
}

async function removeOne(api: Api, object: ObjectName, force: boolean): Promise<void> {
  if (!force) await confirmThere(api, object);
  await remove(api, object);
}

async function remove(api: Api, object: ObjectName, versionId?: string): Promise<void> {
  await api.fetch(`${objectPath(object)}${versionQuery(versionId)}`, { method: "DELETE" });
}

/**
 * S3 deletes what is not there as readily as what is.
 *
 * @throws when nothing is there
 */
async function confirmThere(api: Api, object: ObjectName, versionId?: string): Promise<void> {
  try {
    await api.fetch(`${objectPath(object)}${versionQuery(versionId)}`, { method: "HEAD" });
  } catch (error) {
    // Any other refusal is of something that is there, or of a caller who may delete but not read.
    if (!(error instanceof ApiError) || error.status !== 404) return;
    throw new Error(`there is no ${printable(nameOf(object))}`);
  }
}

function versionQuery(versionId: string | undefined): string {
  return versionId === undefined ? "" : `?versionId=${encodeURIComponent(versionId)}`;
}

export const lsCommand = new Command("ls")
  .argument("<place...>", "BUCKET or BUCKET/PREFIX")
  .addOption(recursiveOption)
  .addOption(new Option("--limit <n>", "at most so many").argParser(wholeNumber))
  .addOption(new Option("--json", "one JSON object a line: {key, …}, or {prefix} of a folder"))
  .addHelpText(
    "after",
    `
Keys that go on behind a slash are shown once, as the folder that they are in. As the place is the beginning of keys,
media/users shows users/ and users.txt; media/users/ shows what is in the folder.

Examples:
  ${ssec()} ls media/users/42/
  ${ssec()} ls -r media --json | jq -r .key`,
  )
  .action(async (names: string[], _, command: Command) => {
    const options = command.optsWithGlobals<Options<{ limit?: number; recursive?: true }>>();
    const places = names.map((text) => argument(command, placeName, text));
    const api = new Api(options);
    const list = options.recursive ? listed : listedInFolder;
    for (const place of places) {
      // Of several it has to be said whose the keys are.
      const bucket = places.length > 1 ? { bucket: place.bucket } : {};
      for await (const entry of list(api, place, options.limit))
        print(options.json ? JSON.stringify({ ...bucket, ...entry }) : lineOf(entry, bucket));
    }
  });

/** When, how long, and what: of a folder only what. */
function lineOf(entry: Listed | ListedFolder, { bucket }: { bucket?: string }): string {
  const [modified, size, name] =
    "prefix" in entry ? ["", "folder", entry.prefix] : [entry.lastModified, String(entry.size), entry.key];
  const shown = bucket === undefined ? name : nameOf({ bucket, key: name });
  return `${modified.padEnd(MODIFIED_WIDTH)}  ${size.padStart(14)}  ${printable(shown)}`;
}

/** `2026-01-01T00:00:00.000Z` */
const MODIFIED_WIDTH = 24;
