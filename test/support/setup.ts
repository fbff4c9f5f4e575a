/** Starts what the black-box suite talks to: a real store (embedded, or the one named by STORE_URL) and the Worker. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import type { TestProject } from "vitest/node";
import { buildAssets } from "../../scripts/assets.ts";
import { bundle } from "../../scripts/bundle.ts";
import { startWorker } from "../../scripts/worker.ts";
import { startStore } from "../../src/dev-store/index.ts";
import { environment } from "./environment.ts";
import { s3Client } from "./s3.ts";

declare module "vitest" {
  interface ProvidedContext {
    api: string;
    store: { kind: "embedded" | "ceph"; url: string; accessKeyId: string; secretAccessKey: string };
    /** Secrets by name; made for this run. */
    secrets: Record<string, string>;
    /** File of the Worker, bundled. */
    bundle: string;
  }
}

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const { STORE_URL: ceph, STORE_ACCESS_KEY: accessKeyId = "test", STORE_SECRET_KEY } = process.env;
  const secretAccessKey = STORE_SECRET_KEY ?? randomBytes(30).toString("base64");
  const credentials = { accessKeyId, secretAccessKey };
  const data = await mkdtemp(join(tmpdir(), "ssec-store-"));
  const embedded = ceph === undefined ? await startStore({ data, credentials, flushes: false }) : undefined;
  const url = ceph ?? embedded?.url ?? "";

  const s3 = s3Client({ url, ...credentials });
  for (const Bucket of ["media", "vault", "derived"]) await s3.send(new CreateBucketCommand({ Bucket }));

  // A store that takes connections and never says a word.
  const silent = createServer(() => {}).listen(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  const silentUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;

  const { vars, secrets } = environment({ url, silentUrl, ...credentials });
  await buildAssets();
  const code = await bundle("src/index.ts");
  const file = join(data, "worker.js");
  await writeFile(file, code);
  const worker = await startWorker({
    env: { ...vars, ...secrets },
    without: ["RATE_LIMIT"],
    code,
    onLog: () => {},
  });

  provide("api", worker.url);
  provide("store", { kind: embedded ? "embedded" : "ceph", url, ...credentials });
  provide("secrets", secrets);
  provide("bundle", file);
  return async () => {
    await worker.close();
    await embedded?.close();
    silent.close();
    await rm(data, { recursive: true });
  };
}
