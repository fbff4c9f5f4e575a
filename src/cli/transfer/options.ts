/** What the transfer commands have in common at the command line. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { ApiOptions } from "../api.ts";
import { wholeNumber } from "../options.ts";
import { print } from "../output.ts";
import { printable } from "../terminal.ts";
import { nameOf, type ObjectName } from "./location.ts";
import type { Which } from "./stored.ts";
import type { Uploaded } from "./uploaded.ts";

/** Under way at once, unless the command line says how many. */
const JOBS = 4;

export const jsonOption = new Option("--json", "print JSON, one object a line");
export const resumeOption = new Option("--resume", "go on where the same command was cut off");
export const recursiveOption = new Option("-r, --recursive", "folders, with all that is in them");
const jobsOption = new Option("-j, --jobs <n>", "files, and parts of them, under way at once")
  .default(JOBS)
  .argParser(wholeNumber);
/** Its name until there was --jobs. */
const parallelOption = new Option("--parallel <n>").argParser(wholeNumber).hideHelp();
const quietOption = new Option("-q, --quiet", "say nothing but what goes wrong");
export const keyIdOption = new Option("--key-id <id>", "the key it lies under; otherwise it is found");
export const versionIdOption = new Option("--version-id <id>", "another version than the newest");

/** A command's options, with those of the whole program. */
export type Options<T = object> = ApiOptions & { json?: true } & T;

/** Of a command that takes several at once. */
export type SeveralOptions<T = object> = Options<
  { recursive?: true; jobs: number; parallel?: number; quiet?: true } & T
>;

/** Adds what every command takes that takes several. */
export function takingSeveral(command: Command): Command {
  return [recursiveOption, jobsOption, parallelOption, quietOption].reduce(
    (taking, option) => taking.addOption(option),
    command,
  );
}

/** The options of a command that takes several. */
export function given<T>(command: Command): SeveralOptions<T> {
  const options = command.optsWithGlobals<SeveralOptions<T>>();
  return { ...options, jobs: options.parallel ?? options.jobs };
}

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

/** Tells of one that is done. */
export function report(
  { json, quiet }: { json?: true; quiet?: true },
  data: ObjectName & Uploaded,
  sentence: string,
): void {
  if (json) print(JSON.stringify(data));
  else if (!quiet) print(`${printable(nameOf(data))}: ${sentence}`);
}
