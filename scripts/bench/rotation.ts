/** A rotation beside rclone, which downloads under one key and uploads under the other: same objects, same store, in turn. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HeadObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { customerKey } from "../../src/keys/customer-key.ts";
import { withBucket } from "../bucket.ts";
import { built, installed, run } from "./programs.ts";
import { alternate, median } from "./slices.ts";
import { type Access, type BenchStore, startCeph, startDevStore, startDistance } from "./stores.ts";

const BUCKET = "rotated";
const REGION = "us-east-1";
const FILE_SIZE = 20_000;
/** Below the 32 MiB beyond which an object that goes through here goes by parts. */
const LARGE_SIZE = 16 * 2 ** 20;
/** In memory, where the system has such a folder: disks of machines differ more than programs do. */
const PLACE = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
/** How late everything arrives from a store that is not on this machine, each way, milliseconds: another city's. */
const DISTANCE = 10;
/** What rclone does at once where nobody tells it, and where it was found to be fastest here. */
const TRANSFERS = { rclone: 4, "rclone, tuned": 32 };

type Rclone = keyof typeof TRANSFERS;
type Contender = "ssec" | Rclone;
const RCLONES = Object.keys(TRANSFERS) as Rclone[];

/** Where the store is, and what opens it. */
interface At {
  readonly url: string;
  /** Whom to trust, by TLS. */
  readonly certificate?: string;
  readonly credentials: Access;
  /** The folder that programs work in. */
  readonly dir: string;
}

export interface Rotating {
  readonly store: string;
  /** By what was rotated: seconds by who did it. */
  readonly seconds: Readonly<Record<string, { readonly objects: number; readonly bytes: number } & Seconds>>;
}
type Seconds = { readonly by: Readonly<Partial<Record<Contender, number>>> };

export interface RotationEffort {
  readonly rounds: number;
  /** Small ones. */
  readonly files: number;
  /** Of large objects, MiB. */
  readonly mebibytes: number;
  readonly onCeph: boolean;
}

/** On the development store, which copies, and on Ceph, which does not, where that is installed. */
export async function rotating(effort: RotationEffort): Promise<Rotating[]> {
  const stores = [startDevStore, ...(effort.onCeph && installed(["radosgw"]) ? [startCeph] : [])];
  const results: Rotating[] = [];
  for (const start of stores) {
    const dir = mkdtempSync(join(PLACE, "ssec-bench-rotation-"));
    const credentials = {
      accessKeyId: randomBytes(10).toString("hex"),
      secretAccessKey: randomBytes(20).toString("hex"),
    };
    const store = await start(join(dir, "store"), credentials);
    try {
      results.push(await onStore(store, credentials, dir, effort));
    } finally {
      await store.close();
      rmSync(dir, { recursive: true, force: true });
    }
  }
  return results;
}

async function onStore(
  store: BenchStore,
  credentials: Access,
  dir: string,
  { rounds, files, mebibytes }: RotationEffort,
): Promise<Rotating> {
  const names: Contender[] = ["ssec", ...(installed(["rclone"]) ? RCLONES : [])];
  // rclone sends no customer key without TLS; alone we need none.
  const at: At =
    names.length > 1 ? { ...(await store.secure()), credentials, dir } : { url: store.url, credentials, dir };
  const s3 = await withBucket({ endpoint: store.url, region: REGION, credentials }, BUCKET);
  // rclone takes a key as text.
  const keys = { k1: randomBytes(16).toString("hex"), k2: randomBytes(16).toString("hex") };
  const program = await built("scripts/bench/local-rotation.ts", "local-rotation");
  const seconds: Record<string, { objects: number; bytes: number; by: Partial<Record<Contender, number>> }> =
    {};
  const large = Math.max(1, Math.round((mebibytes * 2 ** 20) / LARGE_SIZE));
  const distance = await startDistance(Number(new URL(at.url).port), DISTANCE);
  const afar: At = { ...at, url: at.url.replace(/\d+$/, String(distance.port)) };
  for (const [what, objects, size] of [
    [`${files} objects of ${FILE_SIZE / 1000} KB`, files, FILE_SIZE],
    [`${large} objects of ${LARGE_SIZE / 2 ** 20} MiB`, large, LARGE_SIZE],
  ] as const) {
    const places = new Map<Contender, Place>();
    for (const name of names) {
      const place = { s3, prefix: `${size}/${name}/`, objects, size, keys, isUnder: "k1" as const };
      await fill(place);
      places.set(name, place);
    }
    for (const [where, from] of [
      ["", at],
      [`, ${DISTANCE} ms away`, afar],
    ] as const) {
      const contenders = new Map<Contender, () => Promise<number>>();
      for (const [name, place] of places) {
        const rotate = name === "ssec" ? ours(from, program) : rclone(from, TRANSFERS[name]);
        contenders.set(name, () => there(place, rotate));
      }
      const slices = await alternate(rounds, contenders);
      const by = Object.fromEntries(names.map((name) => [name, median(slices.get(name) ?? [])]));
      seconds[what + where] = { objects, bytes: objects * size, by };
    }
  }
  distance.close();
  s3.destroy();
  return { store: store.name, seconds };
}

type KeyId = "k1" | "k2";

/** Objects that are rotated from key to key and back. */
interface Place {
  readonly s3: S3Client;
  readonly prefix: string;
  readonly objects: number;
  readonly size: number;
  readonly keys: Readonly<Record<KeyId, string>>;
  isUnder: KeyId;
}

/** @returns seconds */
type Rotate = (place: Place, to: KeyId) => Promise<number>;

function ssec({ keys }: Place, id: KeyId) {
  const { base64, md5 } = customerKey(id, Buffer.from(keys[id]));
  return { SSECustomerAlgorithm: "AES256", SSECustomerKey: base64, SSECustomerKeyMD5: md5 };
}

async function fill(place: Place): Promise<void> {
  const Body = randomBytes(place.size);
  const numbers = Array.from({ length: place.objects }, (_, i) => i);
  const lane = async () => {
    for (let i = numbers.pop(); i !== undefined; i = numbers.pop()) {
      const Key = `${place.prefix}object-${i}`;
      await place.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, ...ssec(place, place.isUnder) }));
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
}

/** @throws where the first or the last object is not under the new key afterwards */
async function there(place: Place, rotate: Rotate): Promise<number> {
  const to = place.isUnder === "k1" ? "k2" : "k1";
  const seconds = await rotate(place, to);
  for (const i of [0, place.objects - 1]) {
    const Key = `${place.prefix}object-${i}`;
    await place.s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key, ...ssec(place, to) }));
  }
  place.isUnder = to;
  return seconds;
}

function ours({ url: endpoint, certificate = "", credentials, dir }: At, program: string): Rotate {
  return async ({ prefix, keys, objects }, to) => {
    const access = { accessKeyId: "ID", secretAccessKey: "SECRET" };
    const { seconds, stdout } = await run(process.execPath, [program], dir, {
      NODE_EXTRA_CA_CERTS: certificate,
      MIGRATIONS: join(import.meta.dirname, "../../src/audit/migrations"),
      STORES: JSON.stringify({ s: { endpoint, region: REGION, addressing: "path", ...access } }),
      KEYS: JSON.stringify({ k1: { secret: "K1" }, k2: { secret: "K2" } }),
      BUCKETS: JSON.stringify({ [BUCKET]: { store: "s", keys: ["k2", "k1"] } }),
      ID: credentials.accessKeyId,
      SECRET: credentials.secretAccessKey,
      K1: Buffer.from(keys.k1).toString("base64"),
      K2: Buffer.from(keys.k2).toString("base64"),
      BUCKET,
      PREFIX: prefix,
      TO: to,
    });
    const { state, rotated, failed } = JSON.parse(stdout);
    if (state !== "done" || rotated !== objects || failed !== 0) throw new Error(`not rotated: ${stdout}`);
    return seconds;
  };
}

function rclone({ url, certificate = "", credentials, dir }: At, transfers: number): Rotate {
  const { accessKeyId, secretAccessKey } = credentials;
  return async ({ prefix, keys, isUnder }, to) => {
    const remote = (id: KeyId) => ({
      [`RCLONE_CONFIG_${id}_TYPE`]: "s3",
      [`RCLONE_CONFIG_${id}_PROVIDER`]: "Other",
      [`RCLONE_CONFIG_${id}_ENDPOINT`]: url,
      [`RCLONE_CONFIG_${id}_REGION`]: REGION,
      [`RCLONE_CONFIG_${id}_ACCESS_KEY_ID`]: accessKeyId,
      [`RCLONE_CONFIG_${id}_SECRET_ACCESS_KEY`]: secretAccessKey,
      [`RCLONE_CONFIG_${id}_SSE_CUSTOMER_ALGORITHM`]: "AES256",
      [`RCLONE_CONFIG_${id}_SSE_CUSTOMER_KEY`]: keys[id],
    });
    const [from, into] = [isUnder, to].map((id) => `${id}:${BUCKET}/${prefix}`);
    // What is there lies under another key than rclone has for it: it must not look.
    const args = ["copy", from ?? "", into ?? "", "--no-check-dest", "--transfers", String(transfers)];
    const trust = ["--config", "/dev/null", "--ca-cert", certificate, "--s3-no-check-bucket"];
    const { seconds } = await run("rclone", [...args, ...trust], dir, {
      ...upper({ ...remote("k1"), ...remote("k2") }),
      // Its transport takes certificates by the flag alone.
      AWS_CA_BUNDLE: "",
    });
    return seconds;
  };
}

function upper(env: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name.toUpperCase(), value]));
}
