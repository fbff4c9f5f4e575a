/** What the transfer commands have in common at the command line. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { ApiOptions } from "../api.ts";
import { wholeNumber } from "../options.ts";
import { print } from "../output.ts";
import { EXIT, hideBar, printable } from "../terminal.ts";
import { nameOf, type ObjectName } from "./location.ts";
import type { Which } from "./stored.ts";
import type { Uploaded } from "./upload.ts";

export const jsonOption = new Option("--json", "print JSON, one object a line");
export const parallelOption = new Option("--parallel <n>", "files, and parts of them, under way at once")
  .default(4)
  .argParser(wholeNumber);
export const resumeOption = new Option("--resume", "go on where the same command was cut off");
export const recursiveOption = new Option("-r, --recursive", "folders, with all that is in them");
export const keyIdOption = new Option("--key-id <id>", "the key it lies under; otherwise it is found");
export const versionIdOption = new Option("--version-id <id>", "another version than the newest");

/** A command's options, with those of the whole program. */
export type Options<T> = ApiOptions & { json?: true; recursive?: true } & T;

export function pickWhich({ keyId, versionId }: Which): Which {
  return { keyId, versionId };
}

/**
 * What an argument stands for, where only the whole command line tells how to read it.
 *
 * @throws as commander does: the command line is wrong
 */
export function argument<T>(command: Command, parse: (text: string) => T, text: string): T {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    return command.error(`error: '${text}' is invalid: ${error.message}`);
  }
}

/** The arguments before the last, and the last, which is where they go. */
export function sourcesAndTarget(
  command: Command,
  given: readonly string[],
  missing: string,
): [string[], string] {
  const target = given.at(-1);
  if (target === undefined || given.length < 2) return command.error(`error: missing argument '${missing}'`);
  return [given.slice(0, -1), target];
}

/** Options that mean one object. */
export function onlyForOne(command: Command, { versionId, keyId }: Which, isOne: boolean): void {
  if (!isOne && (versionId ?? keyId) !== undefined)
    command.error(`error: ${versionId === undefined ? "--key-id" : "--version-id"} is for one object`);
}

let isHeard = false;

/** What Ctrl-C cuts off is not lost. */
export function sayHowToGoOn(): void {
  if (isHeard) return;
  isHeard = true;
  process.once("SIGINT", () => {
    hideBar();
    console.error("ssec: cut off; the same command with --resume goes on");
    process.exit(EXIT.interrupted);
  });
}

export function report({ json }: { json?: true }, data: ObjectName & Uploaded, sentence: string): void {
  print(json ? JSON.stringify(data) : `${printable(nameOf(data))}: ${sentence}`);
}
