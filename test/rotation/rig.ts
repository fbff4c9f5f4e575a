/** An engine in this process: a SQLite ledger, the development store, and a queue that may lose what it carries. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateBucketCommand,
  HeadObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll } from "vitest";
import type { Ledger as Database } from "../../src/bindings.ts";
import { migrate } from "../../src/cli/rotate/local-ledger.ts";
import { SqliteDatabase } from "../../src/cli/sqlite-database.ts";
import { loadConfig } from "../../src/config/load.ts";
import { Secrets } from "../../src/config/secrets.ts";
import { type RunningStore, startStore } from "../../src/dev-store/index.ts";
import { customerKey } from "../../src/keys/customer-key.ts";
import { deriveObjectKey } from "../../src/keys/derive.ts";
import { KeyRing } from "../../src/keys/ring.ts";
import { Engine } from "../../src/rotation/engine.ts";
import { Ledger } from "../../src/rotation/ledger.ts";
import type { Limits } from "../../src/rotation/limits.ts";
import type { Message } from "../../src/rotation/messages.ts";
import { type Counts, type Rotation, reportOf } from "../../src/rotation/state.ts";
import { oneBucket } from "../support/one-bucket.ts";
import { s3Client } from "../support/s3.ts";

const credentials = { accessKeyId: "test", secretAccessKey: randomBytes(20).toString("hex") };

/** Short enough to be waited for. */
export const QUICK: Partial<Limits> = {
  pageSize: 20,
  lease: 300,
  resend: 200,
  window: 4,
  checkpointObjects: 5,
  checkpointEvery: 50,
  backoff: 5,
  pause: 50,
  maxPause: 200,
};

export type KeyName = "k1" | "k2" | "root" | "root2";
export const secrets: Record<KeyName, string> = {
  k1: randomBytes(32).toString("base64"),
  k2: randomBytes(32).toString("base64"),
  root: randomBytes(32).toString("base64"),
  root2: randomBytes(32).toString("base64"),
};

/** What opens the store. */
export const access = () => credentials;

let running: RunningStore;
let data: string;
export let s3: S3Client;

/** The store of a test file. */
export function useStore(): { readonly url: string } {
  beforeAll(async () => {
    data = mkdtempSync(join(tmpdir(), "ssec-rotation-"));
    running = await startStore({ data, credentials, flushes: false });
    s3 = s3Client({ url: running.url, ...credentials });
  });
  afterAll(async () => {
    s3.destroy();
    await running.close();
    rmSync(data, { recursive: true });
  });
  return {
    get url() {
      return running.url;
    },
  };
}

let buckets = 0;

export async function freshBucket(isVersioned = false): Promise<string> {
  const Bucket = `rotated-${++buckets}`;
  await s3.send(new CreateBucketCommand({ Bucket }));
  if (isVersioned) {
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
  }
  return Bucket;
}

/** The SSE-C parameters of the SDK for an object under one of the keys. */
export function sse(name: KeyName, bucket: string, key: string) {
  const raw = Buffer.from(secrets[name], "base64");
  const { base64, md5 } = customerKey(
    name,
    name.startsWith("root") ? deriveObjectKey(raw, bucket, key) : raw,
  );
  return { SSECustomerAlgorithm: "AES256", SSECustomerKey: base64, SSECustomerKeyMD5: md5 };
}

export async function put(bucket: string, key: string, under: KeyName | undefined, more: object = {}) {
  const Body = `the object ${key}`;
  const encryption = under && sse(under, bucket, key);
  return s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body, ...encryption, ...more }));
}

/** Whether the object opens under a key, and what it says of itself then. */
export async function head(bucket: string, key: string, under: KeyName, more: object = {}) {
  try {
    return await s3.send(
      new HeadObjectCommand({ Bucket: bucket, Key: key, ...sse(under, bucket, key), ...more }),
    );
  } catch {
    return undefined;
  }
}

export async function isUnder(bucket: string, key: string, under: KeyName): Promise<boolean> {
  return (await head(bucket, key, under)) !== undefined;
}

export interface Rig {
  readonly database: SqliteDatabase;
  readonly ledger: Ledger;
  /** What waits in the queue. */
  readonly messages: { message: Message; at: number }[];
  /** What was told, in order. */
  readonly told: { operation: string; counts?: Counts; code?: string }[];
  readonly objects: { key: string; result: string; code: string | undefined }[];
  /** Binds another value to a secret. */
  rebind(secret: KeyName, value: string): void;
  /** Deploys another configuration: the bucket's keys, and its name in the store. */
  reconfigure(change: { readonly keys?: readonly KeyName[]; readonly bucket?: string }): void;
  /** What `handle` has thrown. */
  readonly errors: unknown[];
  engine(limits?: Partial<Limits>): Engine;
  start(options?: StartOptions): Promise<Rotation>;
  /** Handles what comes until the rotation is over. */
  drain(id: string, options?: Drain): Promise<void>;
  report(id: string): Promise<ReturnType<typeof reportOf>>;
}

export interface StartOptions {
  readonly to?: KeyName;
  readonly from?: KeyName;
  readonly prefix?: string;
  readonly dryRun?: boolean;
  readonly encryptPlain?: boolean;
  readonly versions?: boolean;
  readonly removeVersions?: boolean;
}

export interface Drain {
  /** What becomes of a message: it is handled so many times, at once or later. */
  readonly fate?: (message: Message) => { times: number; delay?: number };
  readonly engine?: Engine;
  /** Called before every message. */
  readonly meanwhile?: () => Promise<unknown> | unknown;
  /** Milliseconds. */
  readonly patience?: number;
  readonly parallel?: number;
}

export interface RigOptions {
  readonly bucket: string;
  readonly keys?: readonly KeyName[];
  readonly url?: string;
  readonly limits?: Partial<Limits>;
  /** What stands between the engine and its database. */
  readonly through?: (database: Database) => Database;
  readonly secrets?: Record<string, string>;
  /** Of objects that fail. */
  readonly maxNamed?: number;
}

export function rig(options: RigOptions): Rig {
  const {
    bucket,
    keys = ["k2", "k1"],
    url = running.url,
    limits = {},
    through = (database) => database,
  } = options;
  const database = new SqliteDatabase(":memory:");
  migrate(database);
  const ledger = new Ledger(through(database), options.maxNamed);
  const env = {
    ...oneBucket({ url, ...credentials }),
    KEYS: Object.fromEntries(
      (Object.keys(secrets) as KeyName[]).map((name) => [
        name,
        { secret: name, derive: name.startsWith("root") },
      ]),
    ),
    BUCKETS: { media: { store: "main", name: bucket, keys } },
    ...secrets,
    ...options.secrets,
  };
  let config = loadConfig(env);
  const messages: Rig["messages"] = [];
  const told: Rig["told"] = [];
  const objects: Rig["objects"] = [];
  const errors: unknown[] = [];
  const engine = (more: Partial<Limits> = {}) => {
    // Each is a process of its own: nothing is remembered by the one of the other.
    const bound = new Secrets(env);
    return new Engine({
      get config() {
        return config;
      },
      secrets: bound,
      ring: new KeyRing(bound.read),
      ledger,
      queue: {
        send: async (message, delay = 0) => void messages.push({ message, at: Date.now() + delay }),
      },
      teller: {
        object: (_, key, { result, failure }) => void objects.push({ key, result, code: failure?.code }),
        event: async (_, event) => void told.push(event),
      },
      limits: { ...QUICK, ...limits, ...more },
    });
  };
  const report = async (id: string) => {
    const rotation = (await ledger.find(id)) as Rotation;
    return reportOf(rotation, await ledger.counts(id), await ledger.failures(id, 1000));
  };
  return {
    database,
    ledger,
    messages,
    told,
    objects,
    errors,
    rebind: (secret, value) => {
      (env as Record<string, unknown>)[secret] = value;
    },
    reconfigure: (change) => {
      const media = { store: "main", name: change.bucket ?? bucket, keys: change.keys ?? keys };
      config = loadConfig({ ...env, BUCKETS: { media } });
    },
    engine,
    report,
    start: ({ to = "k2", from, prefix = "", dryRun = false, ...more } = {}) => {
      const media = config.buckets.get("media");
      const rule = (name: KeyName) => config.keys.get(name);
      const target = rule(to);
      if (media === undefined || target === undefined) throw new Error("the rig is not configured");
      const request = {
        bucket: media,
        prefix,
        from: from && rule(from),
        to: target,
        dryRun,
        caller: "me",
        ...more,
      };
      return engine().start(request);
    },
    drain: async (
      id,
      {
        fate = (): ReturnType<NonNullable<Drain["fate"]>> => ({ times: 1 }),
        engine: given,
        meanwhile,
        patience = 20_000,
        parallel = 3,
      } = {},
    ) => {
      const worker = given ?? engine();
      const until = Date.now() + patience;
      const lane = async () => {
        for (;;) {
          if (Date.now() > until)
            throw new Error(`not over in time: ${JSON.stringify(await report(id))}`, {
              cause: errors.at(-1),
            });
          if ((await ledger.find(id))?.state !== "running") return;
          await meanwhile?.();
          const next = messages.findIndex(({ at }) => at <= Date.now());
          if (next < 0) {
            await new Promise((resolve) => setTimeout(resolve, 5));
            // As whoever waits for a rotation asks for it.
            const rotation = await ledger.find(id);
            if (rotation) await worker.sweep(rotation).catch(() => {});
            continue;
          }
          const [{ message } = { message: undefined }] = messages.splice(next, 1);
          if (message === undefined) continue;
          const { times, delay = 0 } = fate(message);
          for (let i = 0; i < times; i++) {
            if (delay > 0 && i > 0) messages.push({ message, at: Date.now() + delay });
            else await worker.handle(message).catch((error: unknown) => void errors.push(error));
          }
        }
      };
      await Promise.all(Array.from({ length: parallel }, lane));
    },
  };
}
