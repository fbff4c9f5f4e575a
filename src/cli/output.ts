/** Standard output: what is written there has arrived, or the command has failed. */
import { EXIT, hideBar } from "./terminal.ts";

let failure: NodeJS.ErrnoException | undefined;

/** Notices what Node keeps to itself: a disk that is full, a reader that has gone. */
export function watchOutput(): void {
  process.stdout.on("error", (error) => {
    failure ??= error;
  });
  // What cannot be said is not worth failing for.
  process.stderr.on("error", () => {});
}

/**
 * Prints one line.
 *
 * @throws {OutputError} once a line before it could not be written, so that nothing goes on for nobody
 */
export function print(line: string): void {
  confirmOutput();
  hideBar();
  process.stdout.write(`${line}\n`);
}

/** @throws {OutputError} when not all that was printed could be written */
export async function flushOutput(): Promise<void> {
  if (failure === undefined && !process.stdout.destroyed)
    await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
  confirmOutput();
}

/** @throws {OutputError} */
export function confirmOutput(): void {
  if (failure !== undefined) throw new OutputError(failure);
}

export class OutputError extends Error {
  override name = "OutputError";
  readonly exitStatus: number;

  constructor({ code, message }: NodeJS.ErrnoException) {
    // Whoever reads only the first lines has what they want.
    const isUnread = code === "EPIPE";
    super(isUnread ? "" : `standard output: ${message}`);
    this.exitStatus = isUnread ? EXIT.unread : EXIT.failed;
  }
}
