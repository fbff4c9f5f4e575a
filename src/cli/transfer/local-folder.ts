/** A folder that objects are downloaded into, and that none of them gets out of, by whatever name or link. */
import { lstat, mkdir, mkdtemp, rmdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { localNames } from "./local-name.ts";
import { absent } from "./sink.ts";

export class LocalFolder {
  readonly #root: string;
  /** Whether `A` and `a` are one file here. */
  readonly #foldsCase: boolean;
  readonly #taken = new Set<string>();

  private constructor(root: string, foldsCase: boolean) {
    this.#root = root;
    this.#foldsCase = foldsCase;
  }

  /** Makes it where it is not there. */
  static async at(root: string): Promise<LocalFolder> {
    await mkdir(root, { recursive: true });
    return new LocalFolder(root, await foldsCase(root));
  }

  /**
   * The file for an object, in folders that are made.
   *
   * @param below its key below the folder's
   * @throws when there can be no such file, or another object has become it
   */
  async fileFor(below: string): Promise<string> {
    const names = localNames(below);
    const path = join(await this.#makeFolders(names.slice(0, -1)), names.at(-1) as string);
    const stats = await lstat(path).catch(absent);
    if (stats !== undefined && !stats.isFile()) throw new Error("what has that name here is not a file");
    if (this.#isTaken(path)) throw new Error("another object has become the file of that name");
    this.#taken.add(this.#nameOf(path));
    return path;
  }

  #isTaken(path: string): boolean {
    return this.#taken.has(this.#nameOf(path));
  }

  /** The same for all paths of one file. */
  #nameOf(path: string): string {
    return this.#foldsCase ? path.normalize("NFC").toLowerCase() : path;
  }

  /** A folder below it, made where it is not there. @throws as for a file */
  async makeFolder(below: string): Promise<void> {
    await this.#makeFolders(localNames(below));
  }

  async #makeFolders(names: readonly string[]): Promise<string> {
    let path = this.#root;
    for (const name of names) {
      path = join(path, name);
      const stats = await lstat(path).catch(absent);
      if (stats?.isSymbolicLink()) throw new Error("a link lies in its way, and may lead out of the folder");
      if ((stats !== undefined && !stats.isDirectory()) || this.#isTaken(path))
        throw new Error("a file lies in its way");
      if (stats === undefined) await mkdir(path);
    }
    return path;
  }
}

async function foldsCase(folder: string): Promise<boolean> {
  const probe = await mkdtemp(join(folder, ".SSEC-"));
  try {
    return (await stat(join(dirname(probe), basename(probe).toLowerCase())).catch(absent)) !== undefined;
  } finally {
    await rmdir(probe);
  }
}
