/** Handing out a key: into a pipe, a file of one's own, or onto a terminal that asks for it. Nowhere else. */
import { fstatSync, writeFileSync } from "node:fs";
import { Option } from "commander";
import { fileFault, isAbsent } from "./file-fault.ts";
import { EXIT, printable } from "./terminal.ts";

export interface HandOut {
  readonly show?: true;
  readonly out?: string;
}

export const outOption = new Option(
  "--out <file>",
  "write the key to a new file that only you can read",
).conflicts("show");

/** Whether standard output is a terminal that has not asked for a key: nothing should be made or read then. */
export function isUnasked({ show, out }: HandOut): boolean {
  return process.stdout.isTTY === true && !show && out === undefined;
}

/** Ends the command as one that was given wrongly. @param instead commands, ready to paste */
export function refuseTerminal(instead: string): void {
  console.error(`A key is not shown on a terminal unless asked. ${instead}`);
  process.exitCode = EXIT.usage;
}

/**
 * Writes a key to the file, where one is named. It may be all that opens somebody's data, so nothing is ever overwritten.
 *
 * @returns whether it was named
 * @throws when there is such a file, or a link
 */
export function writeOut({ out }: HandOut, key: string): boolean {
  if (out === undefined) return false;
  try {
    writeFileSync(out, key, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST")
      throw new Error(`${printable(out)} is there already: a key is never written over anything`);
    throw new Error(isAbsent(error) ? `there is no folder for ${printable(out)}` : fileFault(error, out));
  }
  console.error(`The key is in ${printable(out)}, which only you can read.`);
  return true;
}

/** Says so where a shell has put standard output into a file that others can read. */
export function warnOfReaders(): void {
  const stats = fstatSync(1);
  if (stats.isFile() && (stats.mode & 0o077) !== 0)
    console.error(
      "! Standard output is a file that others can read: chmod 600 it, or give --out FILE instead\n",
    );
}
