/** `npm run deploy`: checks, makes what is missing, migrates, deploys, and tries what is deployed. */
import { Command, CommanderError } from "commander";
import { wranglerFlags } from "../src/cli/bound.ts";
import { checkTables } from "../src/cli/check/configuration.ts";
import { marked } from "../src/cli/check/line.ts";
import { EXIT } from "../src/cli/terminal.ts";
import { type ConfiguredWorker, readWorker, type Where } from "../src/cli/worker.ts";
import { wrangler } from "../src/cli/wrangler.ts";
import { demandSecrets, makeResources, migrate, upload } from "./deploy/account.ts";
import { smokeTest } from "./deploy/smoke.ts";

interface DeployOptions extends Where {
  readonly dryRun?: true;
  readonly url?: string;
}

const program = new Command("deploy")
  .description("deploys the Worker: check, migrations, wrangler deploy, smoke test")
  .option("--config <path>", "the Worker's configuration", "wrangler.toml")
  .option("--env <name>", "its environment")
  .option("--dry-run", "only checks and bundles, which needs no account")
  .option("--url <url>", "where the smoke test finds the Worker, if not where wrangler says that it is")
  .addHelpText(
    "after",
    `
With a caller's token in SSEC_TOKEN the smoke test also asks who that is, and for a presigned URL.

Examples:
  npm run deploy
  npm run deploy -- --env production --url https://edge.example.com
  npm run deploy -- --env production --dry-run

Exit status: 0 deployed, and it works; 1 not deployed, or it does not work; 2 the command line is wrong.`,
  )
  .exitOverride()
  .action(deploy);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
  else {
    console.error(`deploy: ${error instanceof Error ? error.message : error}`);
    process.exitCode = EXIT.failed;
  }
}

async function deploy({ dryRun, url, ...where }: DeployOptions): Promise<void> {
  const worker = await readWorker(where);
  console.log(`✓ ${where.config}${where.env ? `, ${where.env}` : ""}: the configuration is valid`);
  demandSound(worker);
  if (dryRun) {
    await wrangler(["deploy", "--dry-run", ...wranglerFlags(where)]);
    return console.log("✓ the Worker can be bundled");
  }
  await demandSecrets(worker, where);
  await makeResources(where);
  await migrate(where);
  const targets = await upload(where);
  const address = url ?? targets.find((target) => target.startsWith("https://"));
  if (address === undefined) throw new Error("it is deployed, but at no address to try: give one with --url");
  try {
    await smokeTest(address);
  } catch (error) {
    throw new Error(
      `what is deployed does not work: ${error instanceof Error ? error.message : error}\nBack to what was there: npx wrangler rollback --env "${where.env ?? ""}"`,
    );
  }
}

/** @throws when a line is red */
function demandSound(worker: ConfiguredWorker): void {
  const lines = checkTables(worker).filter(({ verdict }) => verdict !== "ok");
  for (const { verdict, what } of lines) console.log(marked(verdict, what));
  if (lines.some(({ verdict }) => verdict === "bad"))
    throw new Error("the configuration is not sound, so it is not deployed");
}
