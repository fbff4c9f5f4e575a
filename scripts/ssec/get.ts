/** `ssec get`: an object into a file, or to standard output. */
import { statSync } from "node:fs";
import { basename, join } from "node:path";
import { Command } from "commander";
import { Api } from "./api.ts";
import { printable } from "./terminal.ts";
import { downloadFile, downloadStream } from "./transfer/download.ts";
import { type ObjectName, objectName } from "./transfer/location.ts";
import {
  keyIdOption,
  type Options,
  parallelOption,
  pickWhich,
  resumeOption,
  STANDARD,
  sayHowToGoOn,
  versionIdOption,
} from "./transfer/options.ts";
import { Progress } from "./transfer/progress.ts";
import type { Which } from "./transfer/stored.ts";

export const getCommand = new Command("get")
  .description("downloads an object")
  .argument("<object>", "BUCKET/KEY", objectName)
  .argument("[file]", 'a path, a folder, or "-" for standard output', ".")
  .addOption(keyIdOption)
  .addOption(versionIdOption)
  .addOption(parallelOption)
  .addOption(resumeOption)
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
    const options = command.optsWithGlobals<Options<Which & { parallel: number; resume?: true }>>();
    const api = new Api(options);
    const progress = (size: number) => {
      const bar = new Progress(printable(object.key), size);
      if (file !== STANDARD) sayHowToGoOn(bar);
      return bar;
    };
    const { parallel, resume = false } = options;
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

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
