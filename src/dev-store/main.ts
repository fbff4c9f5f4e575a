/** `npm run store`: the development store alone, for anyone's SSE-C tests. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { startStore } from "./index.ts";

const program = new Command("store")
  .description("An S3 server with SSE-C, for development only")
  .requiredOption("--port <port>", "port to listen on; 0 for a free one", Number)
  .requiredOption("--data <dir>", "folder to keep everything in")
  .option("--host <address>", "address to listen on", "127.0.0.1")
  .option("--region <region>", "region that signatures must be for", "us-east-1")
  .option("--access-key-id <id>", "made at the first start when not given")
  .option("--secret-access-key <secret>", "made at the first start when not given")
  .addHelpText(
    "after",
    "\nExample:\n  npm run store -- --port 9000 --data ./data --access-key-id test --secret-access-key testtest\n",
  )
  .parse();

const { port, data, host, region, accessKeyId, secretAccessKey } = program.opts();

try {
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    throw new Error("give both --access-key-id and --secret-access-key, or neither");
  }
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error("--port must be a number from 0 to 65535");
  console.error("store: for development only: no redundancy, no limits, no audit");
  const credentials = accessKeyId === undefined ? keptCredentials(data) : { accessKeyId, secretAccessKey };
  const store = await startStore({ port, data, host, region, credentials });
  const stop = async () => {
    await store.close();
    process.exit(0);
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  console.log(`store ready ${store.url}`);
} catch (error) {
  console.error(`store: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}

function keptCredentials(dir: string): { accessKeyId: string; secretAccessKey: string } {
  const file = join(dir, "credentials.json");
  if (!existsSync(file)) {
    mkdirSync(dir, { recursive: true });
    const made = {
      accessKeyId: `DEV${randomBytes(8).toString("hex").toUpperCase()}`,
      secretAccessKey: randomBytes(30).toString("base64"),
    };
    writeFileSync(file, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
  }
  console.error(`store: credentials are in ${file}`);
  return JSON.parse(readFileSync(file, "utf8"));
}
