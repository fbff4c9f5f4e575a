/** A program that tells what it is called with: what stands in a command's arguments, every user of the machine can read. */
import { readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";

export interface Watched {
  /** With it, the program is the watched one. */
  readonly PATH: string;
  /** The arguments of all calls so far, one a line. */
  argv(): Promise<string>;
}

/** @param dir an empty folder @param curl the program to watch */
export const watchedCurl = (dir: string, curl: string) => watched(dir, "curl", curl);

/** @param dir an empty folder @param program the one to watch, which is called by `name` */
export async function watched(dir: string, name: string, program: string): Promise<Watched> {
  const argv = join(dir, "argv");
  const script = `#!/bin/sh\nprintf '%s\\n' "$@" >> '${argv}'\nPATH='${process.env.PATH}' exec '${program}' "$@"\n`;
  await writeFile(join(dir, name), script, { mode: 0o700 });
  return { PATH: [dir, process.env.PATH].join(delimiter), argv: () => readFile(argv, "utf8") };
}
