/** Files that are replaced as a whole or not at all. */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { printable } from "../terminal.ts";
import { readText } from "../text-file.ts";

/** A file as it was read. */
export interface Before {
  readonly path: string;
  /** Empty where there is none yet. */
  readonly text: string;
  readonly isThere: boolean;
  /** Of its permissions. */
  readonly mode: number;
}

/**
 * Follows links, so that what they point at is replaced and not they.
 *
 * @throws when it is there and no plain file
 */
export function readBefore(path: string): Before {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) {
    // It may lead to where secrets are kept, which is not mounted now.
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined)
      throw new Error(`${printable(path)} is a link to nothing: remove it, or put what it leads to back`);
    return { path, text: "", isThere: false, mode: 0o600 };
  }
  if (!stats.isFile()) throw new Error(`${printable(path)} is no plain file`);
  return {
    path: realpathSync(path),
    text: readText(path),
    isThere: true,
    mode: stats.mode & 0o777,
  };
}

/** What is written beside a file and not in its place yet. */
interface Staged {
  /** @throws when somebody has changed the file since it was read */
  commit(): void;
  discard(): void;
}

/** @param mode of its permissions, before a byte is in it */
function stage(before: Before, text: string, mode = before.mode): Staged {
  const { path } = before;
  const staged = `${path}.${randomBytes(6).toString("hex")}.new`;
  const discard = () => rmSync(staged, { force: true });
  try {
    const file = openSync(staged, "wx", mode);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    discard();
    throw error;
  }
  return {
    commit: () => {
      const now = readBefore(path);
      // What there is to begin with is given where there is no file: it is the file's text only where there is one.
      if (now.isThere !== before.isThere || (now.isThere && now.text !== before.text))
        throw new Error(`somebody has changed ${path} in the meantime: run it again`);
      renameSync(staged, path);
    },
    discard,
  };
}

interface Written {
  readonly before: Before;
  readonly text: string;
  readonly mode?: number;
}

/**
 * Each file as a whole, in the order given: what is interrupted leaves secrets that nothing names yet, where those come
 * first, and no half of anything.
 */
export function writeTogether(files: readonly Written[]): void {
  const staged: Staged[] = [];
  try {
    for (const { before, text, mode } of files) staged.push(stage(before, text, mode));
    for (const each of staged) each.commit();
  } finally {
    for (const each of staged) each.discard();
  }
}
