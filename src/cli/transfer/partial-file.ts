/** A file that is not whole yet, beside the one that it becomes. */
import { rmSync } from "node:fs";
import { chmod, constants, type FileHandle, link, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { absent, ExistsError, type FileSink } from "./sink.ts";

/** Characters of a file's name that the name of what is not whole yet begins with. */
const MAX_NAME = 50;

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
  async become(force: boolean): Promise<void> {
    const { path, mode } = this.#sink;
    if (mode !== undefined) await chmod(this.#path, mode & 0o777);
    await (force ? rename(this.#path, path) : renameToNew(this.#path, path));
    worthless.delete(this.#path);
  }
}

function pathOf({ path }: FileSink, id: string): string {
  return join(dirname(path), `.${basename(path).slice(0, MAX_NAME)}.${id.slice(0, 8)}.ssec-part`);
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
async function renameToNew(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw new ExistsError(to);
    // A file system without links: there it can only be looked.
    if ((await stat(to).catch(absent)) !== undefined) throw new ExistsError(to);
    return rename(from, to);
  }
  await rm(from);
}
