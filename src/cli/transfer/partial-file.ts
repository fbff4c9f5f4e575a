/** A file that is not whole yet, beside the one that it becomes. */
import { chmodSync, linkSync, renameSync, rmSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { constants, type FileHandle, open, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { reasonFor } from "../file-fault.ts";
import { printable } from "../terminal.ts";
import { absent, ExistsError, type FileSink } from "./sink.ts";

/** Characters of a file's name that the name of what is not whole yet begins with. */
const MAX_NAME = 50;

/** What that name ends in. */
const PART = ".ssec-part";

/** Those that hold nothing that a later command could go on with: they go with this process. */
const worthless = new Set<string>();
process.on("exit", () => {
  for (const path of worthless) rmSync(path, { force: true });
});

export class PartialFile {
  readonly #path: string;
  readonly #sink: FileSink;
  readonly file: FileHandle;

  private constructor(path: string, sink: FileSink, file: FileHandle) {
    this.#path = path;
    this.#sink = sink;
    this.file = file;
  }

  /** @param id of the download, which its next attempt has too */
  static async openNew(sink: FileSink, id: string): Promise<PartialFile> {
    const path = pathOf(sink, id);
    const file = await openNew(path);
    worthless.add(path);
    return new PartialFile(path, sink, file);
  }

  /** What was left of it by a command that was cut off; undefined where nothing was. */
  static async openAgain(sink: FileSink, id: string): Promise<PartialFile | undefined> {
    const path = pathOf(sink, id);
    const file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW).catch(absent);
    return file && new PartialFile(path, sink, file);
  }

  /** From now on a later command can go on with it. */
  keep(): void {
    worthless.delete(this.#path);
  }

  /** From now on none can, unless it becomes what it was to be. */
  giveUp(): void {
    worthless.add(this.#path);
  }

  /** Lets go of it: what is worth nothing is removed. */
  async close(): Promise<void> {
    await this.file.close();
    if (worthless.delete(this.#path)) await rm(this.#path, { force: true });
  }

  /**
   * Gives it its name, once it is whole.
   *
   * @param force whether a file of that name is replaced
   * @throws {ExistsError}
   */
  become(force: boolean): void {
    giveName(this.#path, this.#sink, force);
    worthless.delete(this.#path);
  }
}

/**
 * A file that is short enough to be made without a wait: to be waited for costs three times what these steps take.
 *
 * @param force whether a file of that name is replaced
 * @throws {ExistsError}
 */
export function writeWhole(sink: FileSink, id: string, bytes: Buffer, force: boolean): void {
  const path = pathOf(sink, id);
  // What a command that was cut off has left.
  rmSync(path, { force: true });
  try {
    writeFileSync(path, bytes, { flag: "wx", mode: 0o666 });
    giveName(path, sink, force);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}

/** What goes wrong with the file that is not whole yet, told of the one that it was to become. */
export function partFault(error: unknown, path: string): Error | undefined {
  const { code = "", path: named = PART } = error as NodeJS.ErrnoException;
  if (!named.endsWith(PART)) return undefined;
  const reason = code === "ENOENT" ? `there is no folder for ${printable(path)}` : reasonFor(code, path);
  return reason === undefined ? undefined : new Error(reason);
}

function giveName(from: string, { path, mode }: FileSink, force: boolean): void {
  if (mode !== undefined) chmodSync(from, mode & 0o777);
  if (force) renameSync(from, path);
  else renameToNew(from, path);
}

function pathOf({ path }: FileSink, id: string): string {
  return join(dirname(path), `.${basename(path).slice(0, MAX_NAME)}.${id.slice(0, 8)}${PART}`);
}

/** A file that nobody else has put there, nor a link to one. */
async function openNew(path: string): Promise<FileHandle> {
  const openIt = () => open(path, "wx+", 0o666);
  try {
    return await openIt();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    await rm(path, { force: true });
    return openIt();
  }
}

/** Gives a file a name that nobody else has taken. @throws {ExistsError} */
function renameToNew(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw new ExistsError(to);
    // A file system without links: there it can only be looked.
    if (statSync(to, { throwIfNoEntry: false }) !== undefined) throw new ExistsError(to);
    renameSync(from, to);
    return;
  }
  unlinkSync(from);
}
