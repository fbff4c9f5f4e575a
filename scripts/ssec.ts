/** `npm run ssec -- COMMAND`: the operator's tools. */
import { Command } from "commander";
import { auditCommand } from "./ssec/audit.ts";
import { checkCommand } from "./ssec/check.ts";
import { deriveCommand } from "./ssec/derive.ts";
import { keygenCommand } from "./ssec/keygen.ts";

const program = new Command("ssec")
  .description("The operator's tools of ssec-edge")
  .option("--config <path>", "the Worker's configuration", "wrangler.toml")
  .option("--env <name>", "its environment")
  .option("--url <url>", "the Worker, where a command talks to it with SSEC_TOKEN", "http://127.0.0.1:8787")
  .addCommand(checkCommand)
  .addCommand(keygenCommand)
  .addCommand(deriveCommand)
  .addCommand(auditCommand);

try {
  await program.parseAsync();
} catch (error) {
  console.error(`ssec: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
