/** The development store as a command: `npm run store`, and `ssec store`. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { startStore } from "./index.ts";

interface StoreOptions {
  readonly port: number;
  readonly data: string;
  readonly host: string;
  readonly region: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
}

/** @param called what it is called by, for its example */
export function storeCommand(called: string): Command {
  return new Command("store")
    .description("an S3 server with SSE-C, for development only")
    .requiredOption("--port <port>", "port to listen on; 0 for a free one", Number)
    .requiredOption("--data <dir>", "folder to keep everything in")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--region <region>", "region that signatures must be for", "us-east-1")
    .option("--access-key-id <id>", "made at the first start when not given")
    .option("--secret-access-key <secret>", "made at the first start when not given")
    .addHelpText(
      "after",
      `
It prints "store ready URL" when it listens, and runs until Ctrl-C. Buckets are made by CreateBucket.

Example:
  ${called} --port 9000 --data ./data --access-key-id test --secret-access-key testtest`,
    )
    .action(serve);
}

/** Until a signal ends it. @throws when it cannot listen, or its folder cannot be written */
async function serve({
  port,
  data,
  host,
  region,
  accessKeyId,
  secretAccessKey,
}: StoreOptions): Promise<void> {
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    throw new Error("give both --access-key-id and --secret-access-key, or neither");
  }
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error("--port must be a number from 0 to 65535");
  if (statSync(data, { throwIfNoEntry: false })?.isDirectory() === false)
    throw new Error(`--data ${data} is a file: name a folder`);
  console.error("store: for development only: no redundancy, no limits, no audit");
  const credentials =
    accessKeyId === undefined || secretAccessKey === undefined
      ? keptCredentials(data)
      : { accessKeyId, secretAccessKey };
  const store = await startStore({ port, data, host, region, credentials });
  const stop = async () => {
    await store.close();
    process.exit(0);
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  console.log(`store ready ${store.url}`);
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
