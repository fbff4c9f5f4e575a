/** The S3 gateway of a Worker of a test's own, and what others' clients need to know of it: no key. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect } from "vitest";
import { freePort } from "../../scripts/free-port.ts";
import { isCeph, store } from "./client.ts";
import { oneBucket } from "./one-bucket.ts";
import { programOf, type Tool } from "./tools.ts";
import { type RunningWorker, startTestWorker } from "./worker.ts";

export const over = isCeph ? "Ceph" : "the development store";
const customerKeys = { KEY_1: key(), KEY_2: key(), ROOT: key() };
export const accessKeyId = "acme";
export const secretAccessKey = randomBytes(30).toString("base64url");

export interface Gateway {
  /** Path style, below the API. */
  readonly endpoint: string;
  /** A host of its own, with its port: path style and BUCKET.host. */
  readonly host: string;
  /** Runs a program in a folder and an environment of its own, so that none of the machine's settings counts. */
  run(tool: Tool, args: readonly string[], env?: Record<string, string>): Promise<string>;
  /** That folder. */
  readonly home: string;
  /** Of the JSON API. */
  call(path: string, init?: RequestInit): Promise<Response>;
  /**
   * Every object below a prefix as the edge gives it, once the store has proved of each that it is encrypted.
   */
  provenFiles(bucket: string, prefix: string): Promise<Record<string, Buffer>>;
}

function key(): string {
  return randomBytes(32).toString("base64");
}

/** Starts it before the file's tests and ends it after them. Buckets: `media` under k2, or before under k1; `derived`. */
export function testGateway(): Gateway {
  const home = mkdtempSync(join(tmpdir(), "ssec-gateway-"));
  let worker: RunningWorker;
  let host = "";
  beforeAll(async () => {
    // A client signs the port that it calls, so that it must be known before there is a Worker.
    const port = await freePort();
    host = `localhost:${port}`;
    worker = await startTestWorker({ port, without: ["RATE_LIMIT", "QUEUE", "DB"], env: environment(host) });
  });
  afterAll(async () => {
    await worker?.close();
    rmSync(home, { recursive: true });
  });
  const call = (path: string, init: RequestInit = {}) =>
    fetch(`${worker.url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${secretAccessKey}`, ...init.headers },
    });
  return {
    home,
    call,
    get endpoint() {
      return `${worker.url}/s3`;
    },
    get host() {
      return host;
    },
    run: async (tool, args, env = {}) => {
      const { stdout, stderr } = await promisify(execFile)(programOf(tool), args, {
        cwd: home,
        maxBuffer: 2 ** 27,
        env: { PATH: "/usr/bin:/bin", HOME: home, LC_ALL: "C.UTF-8", ...env },
      });
      for (const secret of Object.values(customerKeys)) expect(stdout + stderr).not.toContain(secret);
      return stdout;
    },
    provenFiles: async (bucket, prefix) => {
      const files: Record<string, Buffer> = {};
      let cursor: string | undefined;
      do {
        const query = new URLSearchParams({ prefix, ...(cursor && { cursor }) });
        const answer = await call(`/v1/objects/${bucket}?${query}`);
        const listed = (await answer.json()) as { objects: { key: string }[]; cursor?: string };
        for (const { key } of listed.objects) {
          const body = JSON.stringify({ bucket, key });
          const proof = await (await call("/v1/verify", { method: "POST", body })).json();
          expect(proof, key).toMatchObject({ encrypted: true, keyId: bucket === "derived" ? "root" : "k2" });
          const got = await call(`/v1/objects/${bucket}/${key.split("/").map(encodeURIComponent).join("/")}`);
          files[key.slice(prefix.length)] = Buffer.from(await got.arrayBuffer());
        }
        cursor = listed.cursor;
      } while (cursor !== undefined);
      return files;
    },
  };
}

function environment(host: string) {
  return {
    ...oneBucket(store),
    KEYS: { k1: { secret: "KEY_1" }, k2: { secret: "KEY_2" }, root: { secret: "ROOT", derive: true } },
    BUCKETS: {
      media: { store: "main", keys: ["k2", "k1"] },
      derived: { store: "main", keys: ["root"] },
    },
    CALLERS: {
      [accessKeyId]: {
        token: "TOKEN",
        grants: ["media", "derived"].map((bucket) => ({
          bucket,
          prefix: "",
          allow: ["read", "write", "delete"],
          maxExpiresIn: 604_800,
        })),
      },
    },
    S3_HOSTS: [host],
    TOKEN: secretAccessKey,
    ...customerKeys,
  };
}
