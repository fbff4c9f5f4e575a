/** `ssec COMMAND`: which commands there are, and how they end. */
import completion from "@bomb.sh/tab/commander";
import { Command, CommanderError } from "commander";
import { auditCommand } from "./commands/audit.ts";
import { checkCommand } from "./commands/check.ts";
import { corsCommand } from "./commands/cors.ts";
import { cpCommand } from "./commands/cp.ts";
import { deriveCommand } from "./commands/derive.ts";
import { getCommand } from "./commands/get.ts";
import { initCommand } from "./commands/init.ts";
import { keygenCommand } from "./commands/keygen.ts";
import { headCommand, lsCommand, rmCommand } from "./commands/objects.ts";
import { policyCommand } from "./commands/policy.ts";
import { putCommand } from "./commands/put.ts";
import { flushOutput, OutputError } from "./output.ts";
import { EXIT, given, HintedError, printableLines } from "./terminal.ts";

const program = new Command("ssec")
  .description("The operator's tools of ssec-edge")
  .option("--config <path>", "the Worker's configuration", "wrangler.toml")
  .option("--env <name>", "its environment")
  .option("--url <url>", "the Worker, where a command talks to it with SSEC_TOKEN", "http://127.0.0.1:8787")
  .addHelpText(
    "after",
    `
Examples:
  npm run -s ssec -- init
  npm run -s ssec -- --env production check
  npm run -s ssec -- --url https://edge.example.com audit --since 24h

It works in the folder that it is called in. HTTPS_PROXY, HTTP_PROXY and NO_PROXY are kept to.

Exit status: 0 done; 1 something is not as it should be, or was refused; 2 the command line is wrong.
Colours are left out where standard output is no terminal, or NO_COLOR is set.`,
  )
  .addCommand(initCommand)
  .addCommand(checkCommand)
  .addCommand(keygenCommand)
  .addCommand(deriveCommand)
  .addCommand(auditCommand)
  .addCommand(putCommand)
  .addCommand(getCommand)
  .addCommand(headCommand)
  .addCommand(rmCommand)
  .addCommand(lsCommand)
  .addCommand(cpCommand)
  .addCommand(policyCommand)
  .addCommand(corsCommand);

const withSubcommands = (command: Command): Command[] => [
  command,
  ...command.commands.flatMap(withSubcommands),
];
for (const command of withSubcommands(program)) {
  command.exitOverride();
  // It repeats what was given, which the shell may have put there from names of files.
  command.configureOutput({ outputError: (text, write) => write(printableLines(text)) });
}
completion(program);

/**
 * Runs one command to its end.
 *
 * @param args what comes after the program's name
 * @returns the exit status
 */
export async function main(args: readonly string[]): Promise<number> {
  given.args = args;
  try {
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
  const said = error instanceof Error ? error.message : String(error);
  const message = error instanceof HintedError && error.hint ? `${said}; ${error.hint}` : said;
  if (message !== "") console.error(`ssec: ${printableLines(message)}`);
  return error instanceof OutputError ? error.exitStatus : EXIT.failed;
}
