/** The files of a folder, and of its folders. */

import { isUtf8 } from "node:buffer";
import { type Stats, statSync } from "node:fs";
import { readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { fileFault } from "../file-fault.ts";
import type { Faulty } from "./many.ts";

export interface FoundFile {
  readonly path: string;
  /** Names of folders, and last of the file, below the folder that was begun with, joined by slashes. */
  readonly below: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * Links are followed, but never into a folder that they lie in. What is no file, or cannot be read, is told as such:
 * reading a pipe or a device in a folder may never end.
 */
export async function* walk(root: string): AsyncGenerator<FoundFile | Faulty> {
  yield* folder(root, "", new Set());
}

async function* folder(
  path: string,
  below: string,
  above: ReadonlySet<string>,
): AsyncGenerator<FoundFile | Faulty> {
  let real: string;
  let names: Buffer[];
  try {
    real = await realpath(path);
    if (above.has(real)) return yield { name: path, fault: "a link leads back to a folder that it lies in" };
    names = await readdir(path, { encoding: "buffer" });
  } catch (error) {
    return yield { name: path, fault: fileFault(error, path) ?? (error as Error).message };
  }
  const within = new Set([...above, real]);
  for (const bytes of names.sort(Buffer.compare)) {
    const name = bytes.toString();
    const inside = { path: join(path, name), below: below === "" ? name : `${below}/${name}` };
    if (!isUtf8(bytes)) yield { name: inside.path, fault: "its name is not UTF-8" };
    else yield* entry(inside, within);
  }
}

async function* entry(
  file: Omit<FoundFile, "size">,
  above: ReadonlySet<string>,
): AsyncGenerator<FoundFile | Faulty> {
  let stats: Stats;
  try {
    // By this thread: another would take longer to be asked than to answer.
    stats = statSync(file.path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isLost = code === "ENOENT" || code === "ELOOP";
    const fault = isLost ? "a link to nothing" : (fileFault(error, file.path) ?? message);
    return yield { name: file.path, fault };
  }
  if (stats.isDirectory()) yield* folder(file.path, file.below, above);
  else if (stats.isFile()) yield { ...file, size: stats.size };
  else yield { name: file.path, fault: "neither a file nor a folder" };
}
