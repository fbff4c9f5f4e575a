/**
 * The consumer of audit events is killed in the middle of its work, again and again: nothing is lost or doubled.
 *
 * @module-tag thorough
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { freePort } from "../../scripts/free-port.ts";
import { oneBucket } from "../support/one-bucket.ts";
import { type RunningWorker, startTestWorker } from "../support/worker.ts";

const EVENTS = 10_000;
const BATCH = 1000;
const token = randomBytes(24).toString("base64url");
const path = (name: string) => fileURLToPath(new URL(`crash/${name}`, import.meta.url));

const dir = mkdtempSync(join(tmpdir(), "ssec-crash-"));
let control: Server;
let controlUrl: string;
let consumerPort: number;
let consumer: ChildProcess | undefined;
let relay: RunningWorker;
let isUp = false;
let up: () => void = () => {};
let begun = 0;
let committed = 0;
const kills: string[] = [];

beforeAll(async () => {
  control = createServer((request, response) => {
    if (request.url === "/up") up();
    // The first batch is torn in the midst of its insertion, and then the first that is committed before it is acknowledged: on
    // a fast machine there are no more than two.
    if (request.url === "/committed" && ++committed === 1) return void kill("after a commit");
    response.end();
    if (request.url === "/begin" && ++begun === 1) setTimeout(() => kill("during an insertion"), 5);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => control.once("listening", resolve));
  controlUrl = `http://127.0.0.1:${(control.address() as AddressInfo).port}`;
  consumerPort = await freePort();
  await startConsumer();
  relay = await startTestWorker({
    entrypoint: path("relay.ts"),
    without: ["DB", "RATE_LIMIT", "METRICS"],
    env: {
      ...oneBucket(),
      CALLERS: { me: { token: "TOKEN", grants: [{ bucket: "media", prefix: "", allow: ["write"] }] } },
      AUDIT: "strict",
      CONSUMER_URL: `http://127.0.0.1:${consumerPort}/`,
      TOKEN: token,
    },
  });
});

afterAll(async () => {
  if (consumer?.pid) process.kill(-consumer.pid, "SIGKILL");
  await relay?.close();
  control.closeAllConnections();
  control.close();
  rmSync(dir, { recursive: true, force: true });
});

/** In a process group of its own, so that workerd goes with it. */
async function startConsumer(): Promise<void> {
  const started = new Promise<void>((resolve) => {
    up = () => {
      isUp = true;
      resolve();
    };
  });
  consumer = spawn(process.execPath, [path("run-consumer.ts"), String(consumerPort), dir, controlUrl], {
    detached: true,
    stdio: ["ignore", "ignore", "inherit"],
  });
  await started;
}

function kill(when: string): void {
  process.kill(-(consumer?.pid as number), "SIGKILL");
  consumer = undefined;
  isUp = false;
  kills.push(when);
  control.closeAllConnections();
  void startConsumer();
}

/** Reads the database file itself, which nobody may do while a consumer that was killed recovers it. */
function query(sql: string): Record<string, unknown>[] {
  const folder = join(dir, "v3/d1/miniflare-D1DatabaseObject");
  const file = readdirSync(folder).find((name) => /^[0-9a-f]{64}\.sqlite$/.test(name)) as string;
  const database = new DatabaseSync(join(folder, file), { readOnly: true });
  try {
    return database.prepare(sql).all() as Record<string, unknown>[];
  } finally {
    database.close();
  }
}

test("10,000 events, each exactly once", async () => {
  for (let from = 0; from < EVENTS; from += BATCH) {
    const requests = Array.from({ length: BATCH }, (_, i) => ({
      operation: "PutObject",
      bucket: "media",
      key: `object ${from + i}`,
    }));
    const response = await fetch(`${relay.url}/v1/presign/batch`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ requests }),
    });
    expect(response.status).toBe(200);
    await response.arrayBuffer();
  }
  await vi.waitFor(
    () => {
      expect([kills.length, isUp]).toEqual([2, true]);
      expect(query("SELECT count(*) AS n FROM events")[0]?.n).toBeGreaterThanOrEqual(EVENTS);
    },
    { timeout: 90_000, interval: 250 },
  );
  expect(kills.sort()).toEqual(["after a commit", "during an insertion"]);
  expect(
    query('SELECT count(*) AS n, count(DISTINCT id) AS ids, count(DISTINCT "key") AS keys FROM events'),
  ).toEqual([{ n: EVENTS, ids: EVENTS, keys: EVENTS }]);
  expect(query("SELECT sum(events) AS n FROM counts")).toEqual([{ n: EVENTS }]);
  expect(query("SELECT count(*) AS n FROM key_usage")).toEqual([{ n: EVENTS }]);
});
