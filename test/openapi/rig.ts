/** A store and a Worker for requests of every kind, by a caller who may do everything in buckets under several keys. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { buildAssets } from "../../scripts/assets.ts";
import { startWorker } from "../../scripts/worker.ts";
import { startStore } from "../../src/dev-store/index.ts";
import { oneBucket } from "../support/one-bucket.ts";
import { s3Client, triple } from "../support/s3.ts";
import { startTestWorker } from "../support/worker.ts";
import { CALLER, LIMITED_CALLER } from "./known.ts";

export interface Rig {
  readonly url: string;
  readonly token: string;
  /** Of a caller who may send little, and few types, and administers nothing. */
  readonly limitedToken: string;
  /** Starts a Worker over the same buckets that answers next to nobody: who asks twice in a minute asks too often. */
  busy(): Promise<string>;
  /** Starts another Worker over the same buckets, which keeps no trail and runs no rotations: each of its answers is cheaper. */
  another(): Promise<string>;
  close(): Promise<void>;
}

export async function startRig(): Promise<Rig> {
  const credentials = { accessKeyId: "id", secretAccessKey: randomBytes(24).toString("base64url") };
  const data = await mkdtemp(join(tmpdir(), "ssec-openapi-"));
  const store = await startStore({ data, credentials, flushes: false });
  const s3 = s3Client({ url: store.url, ...credentials });
  for (const Bucket of ["media", "derived", "old"]) await s3.send(new CreateBucketCommand({ Bucket }));
  const { KEYS, BUCKETS: _, ...env } = oneBucket({ url: store.url, ...credentials });
  const key = () => randomBytes(32).toString("base64");
  const token = randomBytes(24).toString("base64url");
  const limitedToken = randomBytes(24).toString("base64url");
  // Nobody may write there any more, so that they stay as they are: in the clear, and under a key that nobody has.
  await s3.send(new PutObjectCommand({ Bucket: "old", Key: "a", Body: "for all to read" }));
  await s3.send(new PutObjectCommand({ Bucket: "old", Key: "b/c", Body: "for nobody", ...triple() }));
  s3.destroy();
  const allow = ["read", "write", "delete", "admin"];
  const shared = {
    ...env,
    KEYS: {
      ...KEYS,
      k2: { secret: "KEY_2" },
      root: { secret: "KEY_ROOT", derive: true },
      k0: { secret: "KEY_0", writeUntil: "2020-01-01" },
    },
    BUCKETS: {
      media: { store: "main", keys: ["k1", "k2"] },
      derived: { store: "main", keys: ["root"] },
      old: { store: "main", keys: ["k0"] },
    },
    CALLERS: {
      [CALLER]: {
        token: "TOKEN",
        grants: [
          ...["media", "derived"].map((bucket) => ({ bucket, prefix: "", allow, maxExpiresIn: 604_800 })),
          { bucket: "old", prefix: "", allow: ["read", "write", "admin"], maxExpiresIn: 604_800 },
        ],
      },
      [LIMITED_CALLER]: {
        token: "LIMITED_TOKEN",
        grants: [
          { bucket: "media", prefix: "", allow: ["read", "write"], maxBytes: 100, contentTypes: ["text/*"] },
        ],
      },
    },
    TOKEN: token,
    LIMITED_TOKEN: limitedToken,
    KEY_0: key(),
    KEY_2: key(),
    KEY_ROOT: key(),
    GATEWAY_SECRET: key(),
  };
  // What becomes of the trail in the background is no part of an answer.
  const workers = [await startTestWorker({ env: shared, without: ["RATE_LIMIT", "QUEUE"] })];
  return {
    url: workers[0]?.url ?? "",
    token,
    limitedToken,
    busy: async () => {
      const rateLimit = { limit: 1, period: 60 } as const;
      const worker = await startTestWorker({ env: shared, without: ["QUEUE"], rateLimit });
      workers.push(worker);
      return worker.url;
    },
    another: async () => {
      // What people look at is there as well.
      await buildAssets();
      const worker = await startWorker({
        env: shared,
        onLog: () => {},
        without: ["RATE_LIMIT", "QUEUE", "METRICS", "ROTATION_QUEUE", "DB"],
      });
      workers.push(worker);
      return worker.url;
    },
    close: async () => {
      for (const worker of workers) await worker.close();
      await store.close();
      await rm(data, { recursive: true });
    },
  };
}
