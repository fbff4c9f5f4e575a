/** `npm run ssec -- COMMAND`: the operator's tools. */
import completion from "@bomb.sh/tab/commander";
import { Command, CommanderError } from "commander";
import { auditCommand } from "./ssec/audit.ts";
import { checkCommand } from "./ssec/check.ts";
import { corsCommand } from "./ssec/cors.ts";
import { cpCommand } from "./ssec/cp.ts";
import { deriveCommand } from "./ssec/derive.ts";
import { getCommand } from "./ssec/get.ts";
import { initCommand } from "./ssec/init.ts";
import { keygenCommand } from "./ssec/keygen.ts";
import { headCommand, lsCommand, rmCommand } from "./ssec/objects.ts";
import { policyCommand } from "./ssec/policy.ts";
import { putCommand } from "./ssec/put.ts";
import { EXIT } from "./ssec/terminal.ts";

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
for (const command of withSubcommands(program)) command.exitOverride();
completion(program);

try {
  await program.parseAsync();
} catch (error) {
  // Commander has said what is wrong with the command line, or has shown the help that was asked for.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
  else {
    console.error(`ssec: ${error instanceof Error ? error.message : error}`);
    process.exitCode = EXIT.failed;
  }
}
