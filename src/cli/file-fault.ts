/** Why a file cannot be read or written, in words that say what to do. */
import { lstatSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { printable } from "./terminal.ts";

/** By Node's codes of errors; `FILE` stands for the path. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no FILE",
  ENOTDIR: "there is no FILE: something in its path is a file, not a folder",
  EISDIR: "FILE is a folder, not a file",
  EEXIST: "FILE is there already",
  EACCES: "FILE is not open to you: run this as its owner, or let chmod open it",
  EPERM: "FILE is not open to you: run this as its owner, or let chmod open it",
  EROFS: "FILE is on a file system that can only be read",
  ENOSPC: "there is no room left for FILE",
  EDQUOT: "there is no room left for FILE: what you may use is used up",
  EFBIG: "FILE would be larger than a file may be there",
  ELOOP: "FILE is a link that leads back to itself",
  ENAMETOOLONG: "the name of FILE is too long",
};

/** Of what is not there yet, the folder that it would be in is meant. */
const OF_FOLDERS: readonly string[] = ["EACCES", "EPERM", "EROFS"];

/** Undefined for an error that is none of a file. @param path where the error itself names none */
export function fileFault(error: unknown, path?: string): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, path: named = path, message } = error as NodeJS.ErrnoException;
  if (code === undefined || named === undefined) return undefined;
  // Node's own words begin with the code, and end in the call.
  const own = message.replace(/^[A-Z]+: /, "").replace(/, [a-z]+ '.*$/s, "");
  return reasonFor(code, named) ?? `${printable(resolve(named))}: ${own}`;
}

/** Undefined for a code that may be of something else than a file. */
export function reasonFor(code: string, path: string): string | undefined {
  const file = OF_FOLDERS.includes(code) ? nearest(resolve(path)) : resolve(path);
  return REASONS[code]?.replace("FILE", () => printable(file));
}

/** The path, or the nearest folder above it that can be seen. */
function nearest(path: string): string {
  try {
    lstatSync(path);
    return path;
  } catch {
    return path === dirname(path) ? path : nearest(dirname(path));
  }
}

/** Whether it is not there. */
export function isAbsent(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");
}
