/**
 * The whole thing on this machine: the development store, a bucket in it, keys and a token, and the Worker in workerd.
 * What the first start makes is kept in one folder, and a later start finds it again.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PutBucketCorsCommand } from "@aws-sdk/client-s3";
import { startStore } from "../src/dev-store/index.ts";
import { buildAssets } from "./assets.ts";
import { type StoreHere, withBucket } from "./bucket.ts";
import { freePort } from "./free-port.ts";
import { startWorker } from "./worker.ts";

export const BUCKET = "media";
/** Whose token is made; S3's clients know it as their access key id. */
export const CALLER = "you";
const REGION = "us-east-1";
/** Whoever builds a page on this machine may call from it, whatever port its server has. */
const PAGES = ["http://127.0.0.1:*", "http://localhost:*"];

export interface Local {
  readonly url: string;
  readonly storeUrl: string;
  readonly token: string;
  /** Holds the token and nothing else, for `$(cat …)`. */
  readonly tokenFile: string;
  close(): Promise<void>;
}

export interface LocalOptions {
  /** Folder for everything that is kept. */
  readonly dir: string;
  /** Tried first; a free port is taken where it is not. 0: the system takes any. */
  readonly workerPort?: number;
  readonly storePort?: number;
}

/** Made once, by a CSPRNG, and kept: a lost key is lost data here as well. */
interface Made {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly customerKey: string;
  readonly token: string;
}

export async function startLocal({ dir, workerPort = 0, storePort = 0 }: LocalOptions): Promise<Local> {
  // Keys, what is kept under them and who asked for it: nobody else on this machine may look, by now and from now on.
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  chmodSync(dir, 0o700);
  const { accessKeyId, secretAccessKey, customerKey, token } = made(dir);
  const tokenFile = join(dir, "token");
  writePrivate(tokenFile, token);
  const credentials = { accessKeyId, secretAccessKey };
  const store = await startStore({
    data: join(dir, "store"),
    port: storePort && (await freePort(storePort)),
    credentials,
    region: REGION,
  });
  try {
    await prepareBucket({ endpoint: store.url, region: REGION, credentials });
    await buildAssets();
    const worker = await startWorker({
      port: workerPort && (await freePort(workerPort)),
      dir: join(dir, "worker"),
      env: {
        STORES: {
          local: {
            endpoint: store.url,
            region: REGION,
            addressing: "path",
            accessKeyId: "STORE_ACCESS_KEY_ID",
            secretAccessKey: "STORE_SECRET_ACCESS_KEY",
          },
        },
        KEYS: { k1: { secret: "SSEC_KEY_1" } },
        BUCKETS: { [BUCKET]: { store: "local", keys: ["k1"] } },
        CALLERS: {
          [CALLER]: {
            token: "YOUR_TOKEN",
            grants: [{ bucket: BUCKET, prefix: "", allow: ["read", "write", "delete", "admin"] }],
          },
        },
        ALLOWED_ORIGINS: PAGES,
        STORE_ACCESS_KEY_ID: accessKeyId,
        STORE_SECRET_ACCESS_KEY: secretAccessKey,
        SSEC_KEY_1: customerKey,
        YOUR_TOKEN: token,
      },
    });
    return {
      url: worker.url,
      storeUrl: store.url,
      token,
      tokenFile,
      close: async () => {
        await worker.close();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

function made(dir: string): Made {
  const file = join(dir, "secrets.json");
  if (!existsSync(file)) {
    const fresh: Made = {
      accessKeyId: `LOCAL${randomBytes(8).toString("hex").toUpperCase()}`,
      secretAccessKey: randomBytes(30).toString("base64"),
      customerKey: randomBytes(32).toString("base64"),
      token: randomBytes(24).toString("base64url"),
    };
    writePrivate(file, JSON.stringify(fresh, null, 2));
  }
  return JSON.parse(readFileSync(file, "utf8"));
}

/** As a whole or not at all, for its user alone. */
function writePrivate(file: string, text: string): void {
  writeFileSync(`${file}.new`, `${text}\n`, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
}

async function prepareBucket(store: StoreHere): Promise<void> {
  const s3 = await withBucket(store, BUCKET);
  const rule = {
    AllowedOrigins: PAGES,
    AllowedMethods: ["GET", "HEAD", "PUT", "POST", "DELETE"],
    AllowedHeaders: ["*"],
    ExposeHeaders: ["ETag", "x-amz-server-side-encryption-customer-algorithm"],
  };
  await s3.send(new PutBucketCorsCommand({ Bucket: BUCKET, CORSConfiguration: { CORSRules: [rule] } }));
  s3.destroy();
}
