/** `ssec head`, `rm` and `ls`: what is there. */
import { Command, Option } from "commander";
import { Api } from "./api.ts";
import { wholeNumber } from "./options.ts";
import { printable } from "./terminal.ts";
import { bucketAndPrefix, type ObjectName, objectName, objectPath } from "./transfer/location.ts";
import { jsonOption, keyIdOption, type Options, pickWhich, versionIdOption } from "./transfer/options.ts";
import { headObject, type Which } from "./transfer/stored.ts";

export const headCommand = new Command("head")
  .description("what the store says of an object")
  .argument("<object>", "BUCKET/KEY", objectName)
  .addOption(keyIdOption)
  .addOption(versionIdOption)
  .addOption(jsonOption)
  .addHelpText("after", "\nExample:\n  npm run -s ssec -- head media/users/42/cat.jpg --json | jq .keyId")
  .action(async (object: ObjectName, _, command: Command) => {
    const options = command.optsWithGlobals<Options<Which>>();
    const { content, metadata, ...stored } = await headObject(new Api(options), object, pickWhich(options));
    const known = { ...object, ...stored, ...content };
    if (options.json) return console.log(JSON.stringify({ ...known, metadata }));
    const lines = [
      ...Object.entries(known),
      ...Object.entries(metadata).map(([name, value]) => [`metadata.${name}`, value]),
    ];
    console.log(
      lines.map(([name, value]) => `${String(name).padEnd(20)} ${printable(String(value))}`).join("\n"),
    );
  });

export const rmCommand = new Command("rm")
  .description("deletes objects")
  .argument("<objects...>", "BUCKET/KEY", (text: string, before?: ObjectName[]) => [
    ...(before ?? []),
    objectName(text),
  ])
  .addOption(versionIdOption)
  .addHelpText("after", "\nExample:\n  npm run -s ssec -- rm media/users/42/cat.jpg")
  .action(async (objects: ObjectName[], _, command: Command) => {
    const options = command.optsWithGlobals<Options<Which>>();
    const api = new Api(options);
    const query =
      options.versionId === undefined ? "" : `?versionId=${encodeURIComponent(options.versionId)}`;
    for (const object of objects) await api.fetch(`${objectPath(object)}${query}`, { method: "DELETE" });
  });

interface Listed {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
  readonly lastModified: string;
}

export const lsCommand = new Command("ls")
  .description("lists a bucket, or what begins with a prefix")
  .argument("<place>", "BUCKET or BUCKET/PREFIX", bucketAndPrefix)
  .addOption(new Option("--limit <n>", "at most so many").argParser(wholeNumber))
  .addOption(new Option("--json", "one JSON object a line"))
  .addHelpText(
    "after",
    "\nExamples:\n  npm run -s ssec -- ls media/users/42/\n  npm run -s ssec -- ls media --json | jq -r .key",
  )
  .action(async ({ bucket, key }: ObjectName, _, command: Command) => {
    const options = command.optsWithGlobals<Options<{ limit?: number }>>();
    const { limit = Number.POSITIVE_INFINITY } = options;
    const api = new Api(options);
    let left = limit;
    let cursor: string | undefined;
    do {
      const page = await api.get<{ objects: Listed[]; cursor?: string }>(
        `/v1/objects/${encodeURIComponent(bucket)}`,
        {
          // Without one, what the caller may read is listed.
          prefix: key === "" ? undefined : key,
          cursor,
          limit: String(Math.min(left, 1000)),
        },
      );
      left -= page.objects.length;
      cursor = page.cursor;
      for (const object of page.objects) {
        const { lastModified, size } = object;
        if (options.json) console.log(JSON.stringify(object));
        else console.log(`${lastModified}  ${String(size).padStart(14)}  ${printable(object.key)}`);
      }
    } while (cursor !== undefined && left > 0);
  });
