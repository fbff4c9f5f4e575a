/** Standard input and output, and what else this process was given open. */
import { resolve } from "node:path";

/** Standard input or output, as a file's name. */
export const STANDARD = "-";

const NAMED: Readonly<Record<string, number>> = { stdin: 0, stdout: 1, stderr: 2 };

/**
 * The descriptor that a path as /dev/stdin or /dev/fd/63 names. Opened by its path it would begin anew, be truncated, or
 * not open at all.
 */
export function descriptorOf(path: string): number | undefined {
  const [, name, number] =
    /^\/(?:dev\/(std(?:in|out|err))|(?:dev|proc\/(?:self|thread-self))\/fd\/(\d{1,9}))$/.exec(
      resolve(path),
    ) ?? [];
  return number === undefined ? NAMED[name ?? ""] : Number(number);
}
