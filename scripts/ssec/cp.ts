/** `ssec cp`: one object to another, each under its own key. */
import { basename } from "node:path";
import { Command } from "commander";
import { Api } from "./api.ts";
import { printable } from "./terminal.ts";
import { copyObject } from "./transfer/copy.ts";
import { type ObjectName, objectName } from "./transfer/location.ts";
import { inFolder, jsonOption, type Options, parallelOption, print } from "./transfer/options.ts";
import { Progress } from "./transfer/progress.ts";

export const cpCommand = new Command("cp")
  .description("copies an object, each side under its own key")
  .argument("<from>", "BUCKET/KEY", objectName)
  .argument("<to>", "BUCKET/KEY; after a KEY that ends in / the source's name is put", objectName)
  .addOption(parallelOption)
  .addOption(jsonOption)
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
