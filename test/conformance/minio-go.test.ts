/** The gateway under minio-go's own tests of S3 servers: which pass, and each that does not by name. */
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../../scripts/free-port.ts";
import { type RunningWorker, startWorker } from "../../scripts/worker.ts";
import { store } from "../support/client.ts";
import { oneBucket } from "../support/one-bucket.ts";
import { EXCEPTIONS } from "./minio-go/exceptions.ts";
import { buildSuite } from "./minio-go/suite.ts";

const token = randomBytes(30).toString("base64url");
const suite = buildSuite();
let worker: RunningWorker;
let host: string;

beforeAll(async () => {
  host = `localhost:${await freePort()}`;
  const { BUCKETS: _, ...one } = oneBucket(store);
  worker = await startWorker({
    port: Number(host.split(":")[1]),
    entrypoint: fileURLToPath(new URL("worker.ts", import.meta.url)),
    without: ["RATE_LIMIT", "QUEUE", "DB"],
    onLog: () => {},
    env: {
      ...one,
      CALLERS: { suite: { token: "TOKEN" } },
      TOKEN: token,
      S3_HOSTS: [host],
      STORE_URL: store.url,
    },
  });
});
afterAll(async () => {
  await worker?.close();
  suite.remove();
});

async function outcomeOf(name: string): Promise<string> {
  const env = { SERVER_ENDPOINT: host, ACCESS_KEY: "suite", SECRET_KEY: token, ENABLE_HTTPS: "0" };
  const said = await suite.run(name, env);
  if (said.length === 0) return "said nothing";
  const others = said.filter(({ status }) => status !== "PASS");
  return others.map(({ status, ...more }) => `${status} ${JSON.stringify(more)}`).join("\n") || "passed";
}

describe("passes", { timeout: 300_000 }, () => {
  const names = suite.names.filter((name) => !(name in EXCEPTIONS));
  test.for(names)("%s", async (name) => {
    expect(await outcomeOf(name)).toBe("passed");
  });
});

describe("does not pass, as docs/conformance.md says", { timeout: 300_000 }, () => {
  test.for(Object.keys(EXCEPTIONS))("%s", async (name) => {
    expect(suite.names).toContain(name);
    expect(await outcomeOf(name)).toMatch(/^(FAIL|NA) /);
  });
});
