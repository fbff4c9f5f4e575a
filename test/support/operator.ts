/** An operator at a machine of their own: a configuration, its secrets, a bucket, and the command line. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { onTestFinished } from "vitest";
import { store } from "./client.ts";
import { type Fault, startFaultProxy } from "./fault-proxy.ts";
import { s3Client } from "./s3.ts";
import { type Run, runHere } from "./ssec.ts";

export interface OperatorOptions {
  /** The bucket's name in the store; a fresh one is made when none is given. */
  readonly bucket?: string;
  /** What the tools talk to, where it is not the store itself. */
  readonly endpoint?: string;
  /** Keys by id, base64; the first of them writes. */
  readonly keys?: Readonly<Record<string, string>>;
  /** Further lines of `[vars]`. */
  readonly vars?: string;
}

const { accessKeyId, secretAccessKey } = store;

export const s3 = s3Client(store);

/** An operator between whom and the store something is wrong. */
export async function proxied(...faults: Fault[]) {
  const proxy = await startFaultProxy(store.url);
  onTestFinished(() => proxy.close());
  proxy.break(...faults);
  return operator({ endpoint: proxy.url });
}

export async function operator(options: OperatorOptions = {}) {
  const name = options.bucket ?? `operated-${randomBytes(6).toString("hex")}`;
  if (options.bucket === undefined) await s3.send(new CreateBucketCommand({ Bucket: name }));
  const config = configFor(name, options);
  const start = (...args: string[]) =>
    spawn(process.execPath, ["src/cli/ssec.ts", "--config", config, ...args]);
  return {
    /** The bucket's name in the store. */
    name,
    start,
    /** One at a time. */
    ssec: (...args: string[]): Promise<Run> => runHere(["--config", config, ...args]),
    /** Keys of the objects that are there. */
    objects: async () => {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: name }));
      return Contents.map(({ Key }) => Key);
    },
  };
}

/** What a command has said when it is over. */
export function ended(child: ChildProcess): Promise<Omit<Run, "bytes">> {
  const out = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk) => (out.stdout += chunk));
  child.stderr?.on("data", (chunk) => (out.stderr += chunk));
  return new Promise((resolve) => child.once("close", (status) => resolve({ status, ...out })));
}

function configFor(
  name: string,
  { endpoint = store.url, keys = freshKeys(), vars = "" }: OperatorOptions,
): string {
  const dir = mkdtempSync(join(tmpdir(), "ssec-operator-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const ids = Object.keys(keys);
  writeFileSync(
    join(dir, "wrangler.toml"),
    `name = "x"
[vars]
${vars}
[vars.STORES.main]
endpoint = "${endpoint}"
region = "us-east-1"
addressing = "${endpoint.includes("127.0.0.1") ? "path" : "virtual"}"
insecure = ${endpoint.startsWith("http:")}
accessKeyId = "ID"
secretAccessKey = "SECRET"
${ids.map((id) => `[vars.KEYS.${id}]\nsecret = "KEY_${id}"\nderive = ${id.startsWith("root")}`).join("\n")}
[vars.BUCKETS.media]
store = "main"
name = "${name}"
keys = ${JSON.stringify(ids)}
`,
  );
  const secrets = { ID: accessKeyId, SECRET: secretAccessKey };
  const lines = [...Object.entries(secrets), ...ids.map((id) => [`KEY_${id}`, keys[id]])];
  writeFileSync(join(dir, ".dev.vars"), lines.map(([key, value]) => `${key}="${value}"`).join("\n"), {
    mode: 0o600,
  });
  return join(dir, "wrangler.toml");
}

export function freshKeys(...ids: string[]): Record<string, string> {
  return Object.fromEntries(
    (ids.length > 0 ? ids : ["k1"]).map((id) => [id, randomBytes(32).toString("base64")]),
  );
}
