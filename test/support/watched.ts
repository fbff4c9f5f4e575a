/** A curl that tells what it is called with: what stands in a command's arguments, every user of the machine can read. */
import { readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";

export interface Watched {
  /** With it, `curl` is the watched one. */
  readonly PATH: string;
  /** The arguments of all calls so far, one a line. */
  argv(): Promise<string>;
}

/** @param dir an empty folder @param curl the program to watch */
export async function watchedCurl(dir: string, curl: string): Promise<Watched> {
  const argv = join(dir, "argv");
  const script = `#!/bin/sh\nprintf '%s\\n' "$@" >> '${argv}'\nPATH='${process.env.PATH}' exec '${curl}' "$@"\n`;
  await writeFile(join(dir, "curl"), script, { mode: 0o700 });
  return { PATH: [dir, process.env.PATH].join(delimiter), argv: () => readFile(argv, "utf8") };
}
