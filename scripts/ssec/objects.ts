/** `ssec put`, `get`, `head`, `rm`, `ls` and `cp`: objects, through the API. */
import { statSync } from "node:fs";
import { basename, join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { getMimeType } from "hono/utils/mime";
import { Api, type ApiOptions } from "./api.ts";
import { printable } from "./terminal.ts";
import { copyObject } from "./transfer/copy.ts";
import { downloadFile, downloadStream } from "./transfer/download.ts";
import { bucketAndPrefix, type ObjectName, objectName, objectPath } from "./transfer/location.ts";
import { Progress } from "./transfer/progress.ts";
import { headObject, type Which } from "./transfer/stored.ts";
import { type Uploaded, uploadFile, uploadStream } from "./transfer/upload.ts";

const json = new Option("--json", "print JSON");
const parallel = new Option("--parallel <n>", "parts under way at once").default(4).argParser(positive);
const resume = new Option("--resume", "go on where the same command was cut off").default(false);
const keyId = new Option("--key-id <id>", "the key it lies under; otherwise it is found");
const versionId = new Option("--version-id <id>", "another version than the newest");
const STANDARD = "-";

type Options<T> = ApiOptions & { json?: true } & T;

export const putCommand = new Command("put")
  .description("uploads a file")
  .argument("<file>", 'a path, or "-" for standard input')
  .argument("<object>", "BUCKET/KEY; after a KEY that ends in / the file's name is put", objectName)
  .option("--content-type <type>", "otherwise by the key's ending")
  .option("--cache-control <value>")
  .option("--content-disposition <value>")
  .option("--meta <name=value...>", "metadata", entry, {})
  .addOption(parallel)
  .addOption(resume)
  .addOption(json)
  .addHelpText(
    "after",
    `
What is longer than 8 MiB goes in parts, straight to the store. Each part's MD5 is checked by the store; the whole's
SHA-256 is kept in the object's metadata, and checked by \`ssec get\`.

Examples:
  npm run -s ssec -- put cat.jpg media/users/42/
  npm run -s ssec -- put backup.tar media/backup.tar --resume
  pg_dump db | npm run -s ssec -- put - media/db.sql --content-type application/sql`,
  )
  .action(async (file: string, object: ObjectName, _, command: Command) => {
    const options = command.optsWithGlobals<Options<PutOptions>>();
    const to = inFolder(object, basename(file));
    const api = new Api(options);
    const fields = fieldsOf(options, to.key);
    const progress = new Progress(printable(to.key), file === STANDARD ? undefined : statSync(file).size);
    const uploaded = await (file === STANDARD
      ? uploadStream(api, process.stdin, to, { fields, progress })
      : uploadFile(api, file, to, { ...options, fields, progress })
    ).finally(() => progress.end());
    const { size, sha256, keyId } = uploaded;
    print(options, { ...to, ...uploaded }, `${size} bytes under ${keyId}, SHA-256 ${sha256}`);
  });

export const getCommand = new Command("get")
  .description("downloads an object")
  .argument("<object>", "BUCKET/KEY", objectName)
  .argument("[file]", 'a path, a folder, or "-" for standard output', ".")
  .addOption(keyId)
  .addOption(versionId)
  .addOption(parallel)
  .addOption(resume)
  .addHelpText(
    "after",
    `
The file appears under its name only when it is whole. Its SHA-256 is checked where the object's metadata holds it, as
\`ssec put\` writes it.

Examples:
  npm run -s ssec -- get media/users/42/cat.jpg
  npm run -s ssec -- get media/backup.tar /tmp/backup.tar --resume
  npm run -s ssec -- get media/db.sql - | psql db`,
  )
  .action(async (object: ObjectName, file: string, _, command: Command) => {
    const options = command.optsWithGlobals<Options<Which & { parallel: number; resume: boolean }>>();
    const api = new Api(options);
    const progress = (size: number) => new Progress(printable(object.key), size);
    const { parallel, resume } = options;
    const downloading = { which: pickWhich(options), parallel, resume, progress };
    if (file === STANDARD) {
      await downloadStream(api, object, process.stdout, downloading);
      return;
    }
    const path = isFolder(file) ? join(file, basename(object.key)) : file;
    const { size, sha256, isChecked } = await downloadFile(api, object, path, downloading);
    console.log(
      `${printable(path)}: ${size} bytes, SHA-256 ${sha256}${isChecked ? ", as uploaded" : " (the object's metadata has none to check it against)"}`,
    );
  });

export const headCommand = new Command("head")
  .description("what the store says of an object")
  .argument("<object>", "BUCKET/KEY", objectName)
  .addOption(keyId)
  .addOption(versionId)
  .addOption(json)
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
  .addOption(versionId)
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
  .addOption(new Option("--limit <n>", "at most so many").argParser(positive))
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

export const cpCommand = new Command("cp")
  .description("copies an object, each side under its own key")
  .argument("<from>", "BUCKET/KEY", objectName)
  .argument("<to>", "BUCKET/KEY; after a KEY that ends in / the source's name is put", objectName)
  .addOption(parallel)
  .addOption(json)
  .addHelpText(
    "after",
    `
The store copies where it can. Where it cannot (another store, more than 5 GiB, or a store that does not copy encrypted
objects), the bytes pass through this machine, and are not kept on it.

Example:
  npm run -s ssec -- cp media/users/42/cat.jpg archive/cats/`,
  )
  .action(async (from: ObjectName, object: ObjectName, _, command: Command) => {
    const options = command.optsWithGlobals<Options<{ parallel: number }>>();
    const to = inFolder(object, basename(from.key));
    const progress = (size: number) => new Progress(printable(to.key), size);
    const copied = await copyObject(new Api(options), from, to, { parallel: options.parallel, progress });
    const { keyId, size, byStore } = copied;
    const how = byStore ? "by the store" : "through this machine";
    print(options, { ...to, ...copied }, `${size} bytes under ${keyId}, copied ${how}`);
  });

interface PutOptions {
  readonly contentType?: string;
  readonly cacheControl?: string;
  readonly contentDisposition?: string;
  readonly meta: Readonly<Record<string, string>>;
  readonly parallel: number;
  readonly resume: boolean;
}

function fieldsOf({ contentType, cacheControl, contentDisposition, meta }: PutOptions, key: string) {
  const given = { contentType: contentType ?? getMimeType(key), cacheControl, contentDisposition };
  return {
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    ...(Object.keys(meta).length > 0 && { metadata: meta }),
  };
}

function pickWhich({ keyId, versionId }: Which): Which {
  return { keyId, versionId };
}

/** As cp and mv take a folder. */
function inFolder({ bucket, key }: ObjectName, name: string): ObjectName {
  return { bucket, key: key.endsWith("/") ? `${key}${name}` : key };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function print({ json }: { json?: true }, data: ObjectName & Uploaded, sentence: string): void {
  console.log(json ? JSON.stringify(data) : `${printable(`${data.bucket}/${data.key}`)}: ${sentence}`);
}

function entry(text: string, before: Record<string, string>): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError("as NAME=VALUE.");
  return { ...before, [name]: value };
}

function positive(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError("a whole number, at least 1.");
  return number;
}
