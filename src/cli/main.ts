/** `ssec COMMAND`: how a command begins, and how it ends. */
import { CommanderError } from "commander";
import { fileFault } from "./file-fault.ts";
import { flushOutput, OutputError } from "./output.ts";
import { programFor } from "./program.ts";
import { EXIT, HintedError, printableLines } from "./terminal.ts";

/**
 * Runs one command to its end.
 *
 * @param args what comes after the program's name
 * @returns the exit status
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const program = await programFor(args);
    await program.parseAsync(args, { from: "user" });
    await flushOutput();
    return Number(process.exitCode ?? 0);
  } catch (error) {
    // Whatever went wrong after it, what was printed has not arrived.
    const reason = await flushOutput().then(
      () => error,
      (unwritten: OutputError) => unwritten,
    );
    return tell(reason);
  }
}

/** @returns the exit status */
export function tell(error: unknown): number {
  // Commander has said what is wrong with the command line, or has shown the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
  const said = fileFault(error) ?? (error instanceof Error ? error.message : String(error));
  const message = error instanceof HintedError && error.hint ? `${said}; ${error.hint}` : said;
  if (message !== "") console.error(`ssec: ${printableLines(message)}`);
  return error instanceof OutputError ? error.exitStatus : EXIT.failed;
}
