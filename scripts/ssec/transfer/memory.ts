/** What a transfer that was cut off has to know to go on: kept in the user's state folder, and never a key or a URL. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** @see https://specifications.freedesktop.org/basedir-spec/latest/ */
function folder(): string {
  return join(process.env.XDG_STATE_HOME || join(homedir(), ".local/state"), "ssec-edge", "transfers");
}

export class Memory<T> {
  readonly #file: string;

  /** @param identity what makes this transfer this one: direction, address, object, file */
  constructor(...identity: readonly string[]) {
    const name = createHash("sha256").update(JSON.stringify(identity)).digest("hex").slice(0, 32);
    this.#file = join(folder(), `${name}.json`);
  }

  recall(): T | undefined {
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
    mkdirSync(folder(), { recursive: true, mode: 0o700 });
    writeFileSync(`${this.#file}.new`, JSON.stringify(state), { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
  }

  forget(): void {
    rmSync(this.#file, { force: true });
  }
}
