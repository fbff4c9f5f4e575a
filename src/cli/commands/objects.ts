/** `ssec head`, `rm` and `ls`: what is there. */
import { Command, Option } from "commander";
import { Api, ApiError } from "../api.ts";
import { ssec } from "../called-as.ts";
import { wholeNumber } from "../options.ts";
import { print } from "../output.ts";
import { printable, thisCommandWith } from "../terminal.ts";
import { foundIn, listed } from "../transfer/found.ts";
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
  jsonOption,
  keyIdOption,
  type Options,
  onlyForOne,
  parallelOption,
  pickWhich,
  recursiveOption,
  versionIdOption,
} from "../transfer/options.ts";
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

interface RmOptions extends Which {
  readonly parallel: number;
  readonly force?: true;
}

export const rmCommand = new Command("rm")
  .argument("<object...>", "BUCKET/KEY")
  .addOption(recursiveOption)
  .option("--force", "be content where nothing is there; with -r, also empty a whole bucket")
  .addOption(versionIdOption)
  .addOption(parallelOption)
  .addHelpText(
    "after",
    `
Examples:
  ${ssec()} rm media/users/42/cat.jpg
  ${ssec()} rm -r media/users/42/`,
  )
  .action(async (given: string[], _, command: Command) => {
    const options = command.optsWithGlobals<Options<RmOptions>>();
    const { parallel, recursive = false, force = false, versionId } = options;
    const objects = given.map((text) => argument(command, recursive ? placeName : objectName, text));
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
    const many = { parallel, nameOf, done: "deleted" };
    if (recursive) return doEach(recursiveJobs(api, objects, force), many, (object) => remove(api, object));
    return doEach(objects, many, async (object) => {
      if (!force) await confirmThere(api, object);
      await remove(api, object);
    });
  });

async function* recursiveJobs(
  api: Api,
  places: readonly ObjectName[],
  force: boolean,
): AsyncGenerator<ObjectName | Faulty> {
  for (const place of places) {
    let isEmpty = true;
    for await (const { object } of foundIn(api, place)) {
      isEmpty = false;
      const fault = keyFault(object.key);
      yield fault === undefined ? object : { name: nameOf(object), fault: `the key ${fault}` };
    }
    if (isEmpty && !force) yield { name: nameOf(place), fault: "nothing is there" };
  }
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
  .addOption(new Option("-r, --recursive", "as it does anyway: folders with all that is in them"))
  .addOption(new Option("--limit <n>", "at most so many").argParser(wholeNumber))
  .addOption(new Option("--json", "one JSON object a line"))
  .addHelpText(
    "after",
    `\nExamples:\n  ${ssec()} ls media/users/42/\n  ${ssec()} ls media --json | jq -r .key`,
  )
  .action(async (given: string[], _, command: Command) => {
    const options = command.optsWithGlobals<Options<{ limit?: number }>>();
    const places = given.map((text) => argument(command, placeName, text));
    const api = new Api(options);
    for (const place of places) {
      // Of several it has to be said whose the keys are.
      const bucket = places.length > 1 ? place.bucket : undefined;
      for await (const object of listed(api, place, options.limit)) {
        const { lastModified, size, key } = object;
        const name = bucket === undefined ? key : nameOf({ bucket, key });
        if (options.json) print(JSON.stringify(bucket === undefined ? object : { bucket, ...object }));
        else print(`${lastModified}  ${String(size).padStart(14)}  ${printable(name)}`);
      }
    }
  });
