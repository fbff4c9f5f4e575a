/** Where a download goes: into a file that is not there yet, or into what is there and only takes bytes. */
import { createWriteStream } from "node:fs";
import { lstat, mkdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { HintedError, printable, thisCommandWith } from "../terminal.ts";
import { descriptorOf, STANDARD } from "./descriptor.ts";

/** A file that is made, or replaced as a whole. */
export interface FileSink {
  readonly path: string;
  /** Of the file that is replaced. */
  readonly mode?: number;
}

/** A pipe, a device, or standard output. */
export interface StreamSink {
  /** Opens it: a pipe opens when somebody reads it. */
  open(): Sinking;
}

export interface Sinking {
  readonly stream: Writable;
  /** @throws when not all has been taken */
  end(): Promise<void>;
}

/**
 * What is to be written, by its path. A link is followed, never replaced; a folder, or a path that ends in a slash, takes
 * a file of the name that is given; what is there already is kept, unless `force`.
 *
 * @throws when it cannot be written, or must not be
 */
export async function sinkOf(
  path: string,
  { force, name }: { force: boolean; name: () => string },
): Promise<FileSink | StreamSink> {
  if (path === "") throw new Error("the path of the file is empty");
  if (path === STANDARD) return standardOutput;
  const descriptor = descriptorOf(path);
  if (descriptor === 1) return standardOutput;
  if (descriptor !== undefined) return opening(() => createWriteStream("", { fd: descriptor }));
  if (path.endsWith("/")) await mkdir(path, { recursive: true });
  const stats = await lstat(path).catch(absent);
  if (stats === undefined) return { path };
  if (stats.isSymbolicLink()) {
    const real = await realpath(path).catch(absent);
    if (real === undefined)
      throw new Error(`${printable(path)} is a link to nothing: remove it, or name the file itself`);
    return sinkOf(real, { force, name });
  }
  if (stats.isDirectory()) {
    const file = join(path, name());
    return sinkOf(file, { force, name: () => noName(file) });
  }
  if (stats.isFile()) {
    if (force) return { path, mode: stats.mode };
    throw new ExistsError(path);
  }
  if (stats.isSocket()) throw new Error(`${printable(path)} is a socket: it cannot be written as a file`);
  return opening(() => createWriteStream(path));
}

/** What is there is not overwritten unasked. */
export class ExistsError extends HintedError {
  override name = "ExistsError";

  constructor(path: string) {
    super(`${printable(path)} is there already`, `to replace it:\n\n  ${thisCommandWith("--force")}`);
  }
}

export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(absent))?.isDirectory() ?? false;
}

/** Ended by nobody: whatever else this process says goes there too. */
const standardOutput: StreamSink = { open: () => ({ stream: process.stdout, end: async () => {} }) };

function opening(open: () => Writable): StreamSink {
  return {
    open: () => {
      const stream = open();
      const done = finished(stream);
      // It is thrown when somebody asks.
      done.catch(() => {});
      return {
        stream,
        end: () => {
          stream.end();
          return done;
        },
      };
    },
  };
}

function noName(file: string): never {
  throw new Error(`${printable(file)} is a folder`);
}

/** For a promise of what may not be there. */
export function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT") return undefined;
  throw error;
}
