/** A bucket that is rotated by its operator: a configuration, objects under the old key, and a way to hold the store up. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { CreateBucketCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { parse } from "smol-toml";
import { onTestFinished } from "vitest";
import { store } from "./client.ts";
import { isCopy, startFaultProxy } from "./fault-proxy.ts";
import { s3Client, triple } from "./s3.ts";
import { runHere, startSsec } from "./ssec.ts";
import { startTestWorker } from "./worker.ts";

export const s3 = s3Client(store);
const secret = () => randomBytes(32).toString("base64");

/** @param maxExpiresIn seconds that a URL for an upload lives; 1, so that no scan has to wait for it */
export async function rotating(maxExpiresIn = 1) {
  const bucket = `rotating-${randomBytes(6).toString("hex")}`;
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  const proxy = await startFaultProxy(store.url);
  const folder = mkdtempSync(join(tmpdir(), "ssec-rotating-"));
  const config = join(folder, "wrangler.toml");
  const secrets: Record<string, string> = {
    ID: store.accessKeyId,
    SECRET: store.secretAccessKey,
    SSEC_K1: secret(),
    SSEC_K2: secret(),
    ADMIN: secret(),
  };
  writeFileSync(
    config,
    `name = "rotating"
# The store.
[vars.STORES.main]
endpoint = "${proxy.url}"
region = "us-east-1"
addressing = "path"
accessKeyId = "ID"
secretAccessKey = "SECRET"

# The old key.
[vars.KEYS.k1]
secret = "SSEC_K1"

[vars.KEYS.k2]
secret = "SSEC_K2"

[vars.BUCKETS.media]
store = "main"
name = "${bucket}"
keys = ["k2", "k1"] # the newest first

[vars.CALLERS.admin]
token = "ADMIN"
[[vars.CALLERS.admin.grants]]
bucket = "media"
prefix = ""
allow = ["read", "write", "delete", "admin"]
maxExpiresIn = ${maxExpiresIn}
`,
  );
  const devVars = Object.entries(secrets).map(([name, value]) => `${name}="${value}"\n`);
  writeFileSync(join(folder, ".dev.vars"), devVars.join(""), { mode: 0o600 });
  const env = { SSEC_TOKEN: secrets.ADMIN ?? "", CLOUDFLARE_API_TOKEN: "" };
  let closing: (() => Promise<void>)[] = [];

  const under = (name: string) => triple(Buffer.from(secrets[name] ?? "", "base64"));
  return {
    bucket,
    folder,
    config,
    env,
    proxy,
    under,
    read: () => readFileSync(config, "utf8"),
    secretsNow: () => parseEnv(readFileSync(join(folder, ".dev.vars"), "utf8")),
    async put(keys: readonly string[], name?: "SSEC_K1" | "SSEC_K2") {
      const encryption = name ? under(name) : {};
      for (const Key of keys)
        await s3.send(
          new PutObjectCommand({ Bucket: bucket, Key, Body: `the object ${Key}`, ...encryption }),
        );
    },
    /** Whether all of them open under a key. */
    async areUnder(keys: readonly string[], name: string): Promise<boolean> {
      const heads = keys.map((Key) =>
        s3.send(new HeadObjectCommand({ Bucket: bucket, Key, ...under(name) })),
      );
      return (await Promise.allSettled(heads)).every(({ status }) => status === "fulfilled");
    },
    /** A Worker with this configuration. */
    async deployed(): Promise<string> {
      const { vars } = parse(readFileSync(config, "utf8")) as { vars: Record<string, unknown> };
      const worker = await startTestWorker({ env: { ...vars, ...secrets }, without: ["RATE_LIMIT"] });
      closing.push(() => worker.close());
      return worker.url;
    },
    /** In this process. */
    ssec: (args: readonly string[], more: Record<string, string> = {}) =>
      runHere(["--config", config, ...args], { ...env, ...more }),
    /** In a process of its own. */
    start(args: string[]) {
      const running = startSsec(["--config", "wrangler.toml", ...args], env, folder);
      onTestFinished(() => void running.child.kill("SIGKILL"));
      return running;
    },
    /** From here on the store answers none of these requests, until what is given back is called. */
    holdUp: (on = isCopy) => proxy.holdUp(on),
    async close() {
      for (const each of closing) await each();
      closing = [];
      proxy.close();
      rmSync(folder, { recursive: true });
    },
  };
}

export type Rotating = Awaited<ReturnType<typeof rotating>>;
