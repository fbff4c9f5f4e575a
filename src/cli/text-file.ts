/** Files of text that a person keeps, and why one cannot be read in words that say what to do. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { printable } from "./terminal.ts";

/** By Node's codes of errors; `FILE` is the path as it was given. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no FILE",
  ENOTDIR: "there is no FILE: a folder in its path is a file",
  EISDIR: "FILE is a folder, not a file",
  EACCES: "FILE may not be read by you: chmod u+r it, or run this as its owner",
  EPERM: "FILE may not be read by you: chmod u+r it, or run this as its owner",
  ELOOP: "FILE is a link that leads back to itself",
  ENAMETOOLONG: "the name of FILE is too long",
};

/**
 * The text of a file, without a byte order mark.
 *
 * @param hint what to do where it is not there
 * @throws when it cannot be read, or is not UTF-8
 */
export function readText(path: string, hint = ""): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    const isMissing = code === "ENOENT" || code === "ENOTDIR";
    const reason = REASONS[code] ?? `FILE cannot be read: ${message}`;
    throw new Error(
      `${reason.replace("FILE", printable(resolve(path)))}${isMissing && hint ? `: ${hint}` : ""}`,
    );
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`${printable(path)} is not UTF-8 text: save it as that`);
  }
}
