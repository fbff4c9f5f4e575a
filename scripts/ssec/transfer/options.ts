/** What the transfer commands have in common at the command line. */
import { Option } from "commander";
import type { ApiOptions } from "../api.ts";
import { wholeNumber } from "../options.ts";
import { EXIT, printable } from "../terminal.ts";
import type { ObjectName } from "./location.ts";
import type { Progress } from "./progress.ts";
import type { Which } from "./stored.ts";
import type { Uploaded } from "./upload.ts";

export const jsonOption = new Option("--json", "print JSON");
export const parallelOption = new Option("--parallel <n>", "parts under way at once")
  .default(4)
  .argParser(wholeNumber);
export const resumeOption = new Option("--resume", "go on where the same command was cut off");
export const keyIdOption = new Option("--key-id <id>", "the key it lies under; otherwise it is found");
export const versionIdOption = new Option("--version-id <id>", "another version than the newest");

/** Standard input or output, as a file's name. */
export const STANDARD = "-";

/** A command's options, with those of the whole program. */
export type Options<T> = ApiOptions & { json?: true } & T;

export function pickWhich({ keyId, versionId }: Which): Which {
  return { keyId, versionId };
}

/** As cp and mv take a folder. */
export function inFolder({ bucket, key }: ObjectName, name: string): ObjectName {
  return { bucket, key: key.endsWith("/") ? `${key}${name}` : key };
}

/** What Ctrl-C cuts off is not lost. */
export function sayHowToGoOn(progress: Progress): void {
  process.once("SIGINT", () => {
    progress.end();
    console.error("ssec: cut off; the same command with --resume goes on");
    process.exit(EXIT.interrupted);
  });
}

export function print({ json }: { json?: true }, data: ObjectName & Uploaded, sentence: string): void {
  console.log(json ? JSON.stringify(data) : `${printable(`${data.bucket}/${data.key}`)}: ${sentence}`);
}
