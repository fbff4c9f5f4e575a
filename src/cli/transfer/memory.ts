/** What a transfer that was cut off has to know to go on: kept in the user's state folder, and never a key or a URL. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { fileFault } from "../file-fault.ts";
import { HintedError } from "../terminal.ts";

/** @see https://specifications.freedesktop.org/basedir-spec/latest/ */
function folder(): string {
  const { XDG_STATE_HOME: given = "" } = process.env;
  // By that specification a relative path is invalid, and counts as none.
  const base = isAbsolute(given) ? given : join(homedir(), ".local/state");
  return join(base, "ssec-edge", "transfers");
}

/** Files that say that this process is at work. */
const held = new Set<string>();
process.on("exit", () => {
  for (const file of held) rmSync(file, { force: true });
});

export class Memory<T> {
  /** Of this transfer and no other: for names of files. */
  readonly id: string;
  readonly #file: string;

  /** @param identity what makes this transfer this one: direction, address, object, file */
  constructor(...identity: readonly string[]) {
    this.id = createHash("sha256").update(JSON.stringify(identity)).digest("hex").slice(0, 32);
    this.#file = join(folder(), `${this.id}.json`);
  }

  recall(): T | undefined {
    // What is not there is not worth an exception: of many files that is nearly all.
    if (!existsSync(this.#file)) return undefined;
    try {
      return JSON.parse(readFileSync(this.#file, "utf8")) as T;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError)
        return undefined;
      throw error;
    }
  }

  /** In one step, so that a kill leaves what was there or what is new. */
  keep(state: T): void {
    inFolder(() => {
      writeFileSync(`${this.#file}.new`, JSON.stringify(state), { mode: 0o600 });
      renameSync(`${this.#file}.new`, this.#file);
    });
  }

  forget(): void {
    if (existsSync(this.#file)) rmSync(this.#file, { force: true });
  }

  /**
   * Runs `work` while nobody else on this machine does the same transfer: two would undo each other.
   *
   * @throws when another process is at it
   */
  async alone<R>(work: () => Promise<R>): Promise<R> {
    const lock = this.#file.replace(/json$/, "process");
    inFolder(() => take(lock));
    held.add(lock);
    try {
      return await work();
    } finally {
      held.delete(lock);
      rmSync(lock, { force: true });
    }
  }
}

/** Does what writes into the folder. @throws naming it, and how another is taken */
function inFolder(work: () => void): void {
  try {
    mkdirSync(folder(), { recursive: true, mode: 0o700 });
    work();
  } catch (error) {
    const fault = fileFault(error);
    if (fault === undefined) throw error;
    throw new HintedError(fault, "what a transfer has to remember goes there, or where XDG_STATE_HOME says");
  }
}

function take(lock: string): void {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const owner = Number(readFileSync(lock, "utf8"));
    // A container's processes have the same numbers each time that it starts.
    const isAnothers = owner === process.pid ? held.has(lock) : isRunning(owner);
    if (isAnothers) throw new Error(`the same transfer is under way already (process ${owner})`);
    // Its owner was killed.
    writeFileSync(lock, String(process.pid), { mode: 0o600 });
  }
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid < 1) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
