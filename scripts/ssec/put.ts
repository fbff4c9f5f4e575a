/** `ssec put`: a file, or standard input, into the store. */
import { statSync } from "node:fs";
import { basename } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { getMimeType } from "hono/utils/mime";
import { Api } from "./api.ts";
import { printable } from "./terminal.ts";
import { type ObjectName, objectName } from "./transfer/location.ts";
import {
  inFolder,
  jsonOption,
  type Options,
  parallelOption,
  print,
  resumeOption,
  STANDARD,
  sayHowToGoOn,
} from "./transfer/options.ts";
import { Progress } from "./transfer/progress.ts";
import { FileSource } from "./transfer/source.ts";
import { type Fields, uploadFile, uploadStream } from "./transfer/upload.ts";

export const putCommand = new Command("put")
  .description("uploads a file")
  .argument("<file>", 'a path, or "-" for standard input')
  .argument("<object>", "BUCKET/KEY; after a KEY that ends in / the file's name is put", objectName)
  .option("--content-type <type>", "otherwise by the key's ending")
  .option("--cache-control <value>")
  .option("--content-disposition <value>")
  .option("--meta <name=value...>", "metadata", entry)
  .addOption(parallelOption)
  .addOption(resumeOption)
  .addOption(jsonOption)
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
    const uploaded = await (file === STANDARD
      ? putStandardInput(api, to, fields)
      : putFile(api, file, to, { ...options, fields }));
    const { size, sha256, keyId } = uploaded;
    print(options, { ...to, ...uploaded }, `${size} bytes under ${keyId}, SHA-256 ${sha256}`);
  });

interface PutOptions {
  readonly contentType?: string;
  readonly cacheControl?: string;
  readonly contentDisposition?: string;
  readonly meta?: Readonly<Record<string, string>>;
  readonly parallel: number;
  readonly resume?: boolean;
}

function putStandardInput(api: Api, to: ObjectName, fields: Fields) {
  const progress = new Progress(printable(to.key), undefined);
  return uploadStream(api, process.stdin, to, { fields, progress }).finally(() => progress.end());
}

async function putFile(
  api: Api,
  path: string,
  to: ObjectName,
  { fields, parallel, resume = false }: Pick<PutOptions, "parallel" | "resume"> & { fields: Fields },
) {
  const { size } = statSync(path);
  const source = await FileSource.read(path, new Progress(`reading ${printable(path)}`, size));
  const progress = new Progress(printable(to.key), size);
  sayHowToGoOn(progress);
  return uploadFile(api, source, to, { fields, parallel, resume, progress }).finally(() => progress.end());
}

function fieldsOf({ contentType, cacheControl, contentDisposition, meta }: PutOptions, key: string): Fields {
  const given = { contentType: contentType ?? getMimeType(key), cacheControl, contentDisposition };
  return {
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    ...(meta && { metadata: meta }),
  };
}

function entry(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError("as NAME=VALUE.");
  return { ...before, [name]: value };
}
