/** What is measured, one function each: medians of slices that the contenders take in turn. */
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { startStore } from "../../src/dev-store/index.ts";
import { withBucket } from "../bucket.ts";
import { type Size, startSize } from "../bundle.ts";
import { load } from "./load.ts";
import { PEER_FILES, PEER_NAMES, type PeerName } from "./peers/index.ts";
import { CREDENTIALS, SITE } from "./peers/peer.ts";
import { type Keys, type Order, type Signed, signMany } from "./signing.ts";
import { alternate, median, medians } from "./slices.ts";
import { verifyAll } from "./verify.ts";
import { Workerd } from "./workerd.ts";

/** How much is done: enough for figures that hold, or just enough to see that all of it works. */
export interface Effort {
  readonly rounds: number;
  /** How long a slice of signing takes, milliseconds. */
  readonly slice: number;
  /** In a slice over HTTP. */
  readonly requests: number;
  readonly starts: number;
  /** MiB. */
  readonly transfer: number;
  /** Short ones, moved at once. */
  readonly files: number;
}

/** URLs in a slice: they are kept to be verified, and more would let the garbage collector be measured. */
const MAX_COUNT = 1000;

/** A runtime that signs, and afterwards shows what it signed. */
export interface Runtime {
  sign(order: Order): Promise<void>;
  signed(): Promise<readonly Signed[]>;
}

export function inNode(): Runtime {
  let last: readonly Signed[] = [];
  return {
    sign: async (order) => {
      last = await signMany(order);
    },
    signed: async () => last,
  };
}

/** Many URLs a request, timed from outside: the clock inside stands still. */
export function inWorkerd({ url }: Workerd): Runtime {
  return {
    sign: async (order) => {
      const response = await fetch(url, { method: "POST", body: JSON.stringify(order) });
      if (!response.ok) throw new Error(`${order.peer} does not sign: ${await response.text()}`);
      await response.arrayBuffer();
    },
    signed: async () => (await (await fetch(url)).json()) as Signed[],
  };
}

export interface Asked {
  readonly keys: Keys;
  /** Characters of the object key. */
  readonly keyLength?: number;
  readonly peers?: readonly PeerName[];
}

/** Microseconds a URL, by peer. */
export async function signing(
  runtime: Runtime,
  { rounds, slice }: Effort,
  { keys, keyLength = 24, peers = PEER_NAMES }: Asked,
): Promise<Record<string, number>> {
  const contender = (peer: PeerName) => {
    let count = 20;
    return async () => {
      const order = { peer, keys, keyLength };
      const overhead = await timed(() => runtime.sign({ ...order, count: 0 }));
      const took = await timed(() => runtime.sign({ ...order, count }));
      const cost = Math.max(0, (took - overhead) / count) * 1000;
      await verifyAll(await runtime.signed());
      count = Math.min(MAX_COUNT, Math.max(20, Math.round((1000 * slice) / Math.max(cost, 1))));
      return cost;
    };
  };
  const slices = await alternate(rounds, new Map(peers.map((peer) => [peer, contender(peer)])));
  return Object.fromEntries([...slices].map(([peer, costs]) => [peer, median(costs)]));
}

/** Milliseconds. */
async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

const TOKEN = randomBytes(24).toString("base64url");
export const HEADERS = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
const BUCKETS = { media: "one key", derived: "derived keys" } as const;

/** A configuration as small as they get, and secrets of this run. */
export function environment(endpoint: string, addressing: "virtual" | "path" = "virtual") {
  const grants = Object.keys(BUCKETS).map((bucket) => ({ bucket, prefix: "", allow: ["read", "write"] }));
  return {
    STORES: {
      s: { endpoint, region: SITE.region, addressing, accessKeyId: "STORE_ID", secretAccessKey: "STORE_KEY" },
    },
    KEYS: { k1: { secret: "SSEC_KEY" }, r1: { secret: "SSEC_ROOT", derive: true } },
    BUCKETS: {
      media: { store: "s", name: SITE.bucket, keys: ["k1"] },
      derived: { store: "s", name: SITE.bucket, keys: ["r1"] },
    },
    CALLERS: { bench: { token: "TOKEN", grants } },
    STORE_ID: CREDENTIALS.accessKeyId,
    STORE_KEY: CREDENTIALS.secretAccessKey,
    SSEC_KEY: randomBytes(32).toString("base64"),
    SSEC_ROOT: randomBytes(32).toString("base64"),
    TOKEN,
  };
}

/** What the Worker is asked; the minimal one takes of it what it needs. */
const request = (bucket: keyof typeof BUCKETS, i: number) => ({
  operation: "GetObject",
  bucket,
  key: `users/42/photo-${i}.jpg`,
  expiresIn: 900,
});

export type Code = Readonly<Record<string, string>>;

/** One URL a request over HTTP, by as many connections as keep the Worker busy. */
export async function serving(code: Code, { rounds, requests }: Effort) {
  return withWorkers(code, async (workers) => {
    const contender = (workerd: Workerd) => async () => {
      const before = workerd.cpu();
      const { seconds, bodies } = await load({
        port: workerd.port,
        path: "/v1/presign",
        headers: HEADERS,
        body: (i) => JSON.stringify(request("media", i)),
        count: requests,
        connections: 8,
      });
      const cpu = (workerd.cpu() - before) / requests;
      await verifyAll(bodies.map((body) => JSON.parse(body)).filter(({ url }) => url !== undefined));
      return { perSecond: requests / seconds, cpu, memory: workerd.memory() };
    };
    const slices = await alternate(
      rounds,
      new Map([...workers].map(([name, each]) => [name, contender(each)])),
    );
    return Object.fromEntries([...slices].map(([name, values]) => [name, medians(values)]));
  });
}

/**
 * CPU microseconds a URL, all in, by how many a batch holds. Each size has a Worker of its own: what one leaves to the
 * garbage collector is not to be done away with at another's cost.
 */
export async function batches(ours: string, { rounds }: Effort, sizes: readonly number[]) {
  const orders = new Map(
    (Object.keys(BUCKETS) as (keyof typeof BUCKETS)[]).flatMap((bucket) =>
      sizes.map((size) => [`${size}, ${BUCKETS[bucket]}`, { bucket, size }] as const),
    ),
  );
  const contender = (workerd: Workerd, bucket: keyof typeof BUCKETS, size: number) => async () => {
    const count = Math.max(4, Math.ceil(1000 / size));
    const before = workerd.cpu();
    const { bodies } = await load({
      port: workerd.port,
      path: "/v1/presign/batch",
      headers: HEADERS,
      body: () => JSON.stringify({ requests: Array.from({ length: size }, (_, i) => request(bucket, i)) }),
      count,
      connections: 1,
    });
    const cpu = (workerd.cpu() - before) / (count * size);
    await verifyAll(bodies.flatMap((body) => (JSON.parse(body) as { results: Signed[] }).results));
    return cpu;
  };
  return withWorkers(Object.fromEntries([...orders.keys()].map((name) => [name, ours])), async (workers) => {
    const contenders = [...orders].map(
      ([name, { bucket, size }]) => [name, contender(workers.get(name) as Workerd, bucket, size)] as const,
    );
    const slices = await alternate(rounds, new Map(contenders));
    return Object.fromEntries([...slices].map(([name, values]) => [name, median(values)]));
  });
}

/** Milliseconds from the start of the process to the first answer. */
export async function starting(code: Code, { starts }: Effort) {
  const contender = (worker: string) => async () => {
    const start = performance.now();
    const workerd = await Workerd.start(worker, environment(SITE.endpoint));
    try {
      const body = JSON.stringify(request("media", 0));
      const response = await fetch(`${workerd.url}/v1/presign`, { method: "POST", headers: HEADERS, body });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`a Worker that has just started answers ${response.status}`);
      return performance.now() - start;
    } finally {
      await workerd.close();
    }
  };
  const slices = await alternate(
    starts,
    new Map(Object.entries(code).map(([name, worker]) => [name, contender(worker)])),
  );
  return Object.fromEntries([...slices].map(([name, values]) => [name, median(values)]));
}

/** MiB a second of one object, decrypted by the development store, through the Worker and through a bare `fetch`. */
export async function transferring(ours: string, passthrough: string, { rounds, transfer }: Effort) {
  const data = mkdtempSync(join(tmpdir(), "ssec-bench-store-"));
  const store = await startStore({ data, port: 0, credentials: CREDENTIALS, region: SITE.region });
  const env = environment(store.url, "path");
  const sse = sseOf(env.SSEC_KEY);
  await putObject(store.url, sse, transfer);
  const edge = await Workerd.start(ours, env);
  const bare = await Workerd.start(passthrough);
  try {
    const through = (get: () => Promise<Response>) => async () => {
      const start = performance.now();
      const { status, body } = await get();
      let bytes = 0;
      for await (const chunk of body ?? []) bytes += chunk.length;
      if (status !== 200 || bytes !== transfer * MIB) throw new Error(`${status}: ${bytes} bytes came`);
      return transfer / ((performance.now() - start) / 1000);
    };
    const presigned = async () => {
      const body = JSON.stringify({ operation: "GetObject", bucket: "media", key: OBJECT });
      return (await fetch(`${edge.url}/v1/presign`, { method: "POST", headers: HEADERS, body })).json();
    };
    const slices = await alternate(
      Math.ceil(rounds / 3),
      new Map([
        [
          "through the edge",
          through(() => fetch(`${edge.url}/v1/objects/media/${OBJECT}`, { headers: HEADERS })),
        ],
        [
          "bare passthrough",
          through(async () => fetch(bare.url, { method: "POST", body: JSON.stringify(await presigned()) })),
        ],
      ]),
    );
    return Object.fromEntries([...slices].map(([name, values]) => [name, median(values)]));
  } finally {
    await Promise.all([edge.close(), bare.close()]);
    await store.close();
    rmSync(data, { recursive: true });
  }
}

export const MIB = 2 ** 20;
const OBJECT = "large";

function sseOf(key: string) {
  return {
    SSECustomerAlgorithm: "AES256",
    SSECustomerKey: key,
    SSECustomerKeyMD5: createHash("md5").update(Buffer.from(key, "base64")).digest("base64"),
  };
}

/** The site's own bucket, in a store on this machine. */
export function withSite(endpoint: string): Promise<S3Client> {
  const store = { endpoint, region: SITE.region, credentials: CREDENTIALS };
  return withBucket(store, SITE.bucket, { requestChecksumCalculation: "WHEN_REQUIRED" });
}

async function putObject(endpoint: string, sse: ReturnType<typeof sseOf>, mebibytes: number): Promise<void> {
  const s3 = await withSite(endpoint);
  const Body = Buffer.alloc(mebibytes * MIB, 7);
  await s3.send(new PutObjectCommand({ Bucket: SITE.bucket, Key: OBJECT, Body, ...sse }));
  s3.destroy();
}

/** What is evaluated at start: of each peer alone, and of the Workers. */
export async function weighing(): Promise<Record<string, Size>> {
  const files = {
    ...Object.fromEntries(PEER_NAMES.map((name) => [name, `scripts/bench/peers/${PEER_FILES[name]}.ts`])),
    "Worker: ours, at start": "src/index.ts",
    "Worker: minimal, aws4fetch": "scripts/bench/workers/minimal.ts",
    "Worker: empty, Hono": "scripts/bench/workers/empty.ts",
  };
  const sizes = await Promise.all(
    Object.entries(files).map(async ([name, file]) => [name, await startSize(file)] as const),
  );
  return Object.fromEntries(sizes);
}

async function withWorkers<T>(code: Code, use: (workers: Map<string, Workerd>) => Promise<T>): Promise<T> {
  const env = environment(SITE.endpoint);
  const workers = new Map<string, Workerd>();
  try {
    for (const [name, each] of Object.entries(code)) workers.set(name, await Workerd.start(each, env));
    return await use(workers);
  } finally {
    await Promise.all([...workers.values()].map((workerd) => workerd.close()));
  }
}
