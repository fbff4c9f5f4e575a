/** `ssec put`: files, folders, or standard input, into the store. */
import { basename } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { getMimeType } from "hono/utils/mime";
import { Api } from "../api.ts";
import { ssec } from "../called-as.ts";
import { printable } from "../terminal.ts";
import { descriptorOf, STANDARD } from "../transfer/descriptor.ts";
import { toHeaderValue } from "../transfer/encoded-word.ts";
import { hearInterrupt } from "../transfer/interrupt.ts";
import { inFolder, isFolderName, keyFault, type ObjectName, targetName } from "../transfer/location.ts";
import { doEach, doOne, type Faulty, type Share } from "../transfer/many.ts";
import {
  argument,
  given,
  jsonOption,
  report,
  resumeOption,
  type SeveralOptions,
  sourcesAndTarget,
  takingSeveral,
} from "../transfer/options.ts";
import { isFolder } from "../transfer/sink.ts";
import { MAX_SINGLE, openSource } from "../transfer/source.ts";
import { uploadStream } from "../transfer/through-edge.ts";
import { uploadFile } from "../transfer/upload.ts";
import type { Fields } from "../transfer/uploaded.ts";
import { walk } from "../transfer/walk.ts";

export const putCommand = takingSeveral(new Command("put"))
  .usage("[options] <file...> <object>")
  .argument(
    "<file...>",
    'paths, or "-" for standard input; and last BUCKET/KEY: after a / at its end the file\'s name is put',
  )
  .option("--content-type <type>", "otherwise by the key's ending")
  .option("--cache-control <value>")
  .option("--content-disposition <value>")
  .option("--meta <name=value...>", "metadata", entry)
  .addOption(resumeOption)
  .addOption(jsonOption)
  .addHelpText(
    "after",
    `
What is longer than 8 MiB goes in parts, straight to the store. Each part's MD5 is checked by the store; the whole's
SHA-256 is kept in the object's metadata, and checked by \`ssec get\`. A file that changes meanwhile is refused. What has no
length of its own, as a pipe or a file of /proc, goes through the edge as it comes.

Examples:
  ${ssec()} put cat.jpg media/users/42/
  ${ssec()} put -r photos notes.txt media/users/42/
  ${ssec()} put backup.tar media/backup.tar --resume
  pg_dump db | ${ssec()} put - media/db.sql --content-type application/sql`,
  )
  .action(async (names: string[], _, command: Command) => {
    const options = given<PutOptions>(command);
    const { recursive = false } = options;
    const [paths, last] = sourcesAndTarget(command, names, "object");
    const target = argument(command, targetName, last);
    const [only] = paths.length === 1 && !recursive ? paths : [];
    if (paths.length > 1 && !isFolderName(target))
      command.error(`error: several files go into a folder: end it with a slash, as ${last}/`);
    if (only !== undefined && isFolderName(target) && nameOfFile(only) === undefined)
      command.error("error: standard input has no name: name the object");
    const api = new Api(options);
    if (paths.some((path) => path !== STANDARD)) hearInterrupt(true);

    if (only !== undefined) {
      const job = { path: only, to: inFolder(target, nameOfFile(only) ?? "") };
      return doOne(job.path, options, (share) => putOne(api, job, options, share));
    }
    const many = {
      ...options,
      nameOf: ({ path }: Job) => path,
      sizeOf: ({ size }: Job) => size,
      weightOf,
      doing: "uploading",
      done: "uploaded",
    };
    await doEach(jobs(paths, target, recursive), many, (job, share) => putOne(api, job, options, share));
  });

type PutOptions = SeveralOptions<{
  readonly contentType?: string;
  readonly cacheControl?: string;
  readonly contentDisposition?: string;
  readonly meta?: Readonly<Record<string, string>>;
  readonly resume?: boolean;
}>;

interface Job {
  readonly path: string;
  readonly to: ObjectName;
  /** Bytes, where the file has been looked at. */
  readonly size?: number;
}

/** A short file is held until it is sent: many small ones, or few that are longer. */
function weightOf({ size = MAX_SINGLE }: Job, all: number): number {
  return Math.ceil((all / 4) * Math.min(size / MAX_SINGLE, 1)) || 1;
}

/** Each file, and the object that it becomes. */
async function* jobs(
  paths: readonly string[],
  target: ObjectName,
  recursive: boolean,
): AsyncGenerator<Job | Faulty> {
  for (const path of paths) {
    if (recursive && (await isFolder(path).catch(() => false))) {
      const base = isFolderName(target) ? `${target.key}${nameOfFolder(path)}` : `${target.key}/`;
      for await (const file of walk(path)) {
        if ("fault" in file) yield file;
        else yield jobOf(file.path, { ...target, key: `${base}${file.below}` }, file.size);
      }
    } else {
      const name = nameOfFile(path);
      if (name === undefined) yield { name: path, fault: "standard input has no name: put it by itself" };
      else yield jobOf(path, inFolder(target, name));
    }
  }
}

function jobOf(path: string, to: ObjectName, size?: number): Job | Faulty {
  const fault = keyFault(to.key);
  return fault === undefined
    ? { path, to, ...(size !== undefined && { size }) }
    : { name: path, fault: `the object's key ${fault}` };
}

/** Undefined for standard input, however it is named. */
function nameOfFile(path: string): string | undefined {
  return path === STANDARD || descriptorOf(path) !== undefined ? undefined : basename(path);
}

/** Of the folder that all go into: as with cp, `.` stands for what is in it. */
function nameOfFolder(path: string): string {
  const name = basename(path);
  return [".", "..", ""].includes(name) ? "" : `${name}/`;
}

async function putOne(
  api: Api,
  { path, to }: Job,
  options: PutOptions,
  { slots, progress: progressFor, prepare }: Share,
): Promise<void> {
  const fields = fieldsOf(options, to.key);
  const source = await openSource(path === STANDARD ? "/dev/stdin" : path, (size) =>
    prepare("reading", size),
  );
  const progress = progressFor("stream" in source ? undefined : source.size);
  const uploaded = await ("stream" in source
    ? slots.run(() => uploadStream(api, source, to, { fields, progress }))
    : uploadFile(api, source, to, { fields, slots, resume: options.resume ?? false, progress })
  ).finally(() => progress.end());
  const { size, sha256, keyId } = uploaded;
  if ("stream" in source && size === 0)
    console.error(`ssec: nothing came from ${printable(path)}: the object is empty`);
  report(options, { ...to, ...uploaded }, `${size} bytes under ${keyId}, SHA-256 ${sha256}`);
}

function fieldsOf({ contentType, cacheControl, contentDisposition, meta }: PutOptions, key: string): Fields {
  const given = { contentType: contentType ?? getMimeType(key), cacheControl, contentDisposition };
  return {
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    ...(meta && {
      metadata: Object.fromEntries(Object.entries(meta).map(([name, value]) => [name, toHeaderValue(value)])),
    }),
  };
}

function entry(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError("as NAME=VALUE.");
  return { ...before, [name]: value };
}
