/** Files of text that a person keeps. */
import { readFileSync } from "node:fs";
import { fileFault, isAbsent } from "./file-fault.ts";
import { printable } from "./terminal.ts";

/**
 * The text of a file, without a byte order mark.
 *
 * @param hint what to do where it is not there
 * @throws when it cannot be read, or is not UTF-8
 */
export function readText(path: string, hint?: string): string {
  const bytes = readBytes(path, hint);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`${printable(path)} is not UTF-8 text: save it as that`);
  }
}

function readBytes(path: string, hint: string | undefined): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    const fault = fileFault(error, path) ?? String(error);
    throw new Error(hint && isAbsent(error) ? `${fault}: ${hint}` : fault);
  }
}
