/**
 * A bucket of objects under an old key, its readers and its writers, while somebody rotates it. Readers read through
 * presigned URLs and through the edge, and say so at once when an object is not there, or is older than it should be.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { expect } from "vitest";
import { migrate } from "../../src/cli/rotate/local-ledger.ts";
import { SqliteDatabase } from "../../src/cli/sqlite-database.ts";
import { loadConfig } from "../../src/config/load.ts";
import { type CustomerKey, customerKey } from "../../src/keys/customer-key.ts";
import { customerKeyHeaders } from "../../src/keys/headers.ts";
import { Ledger } from "../../src/rotation/ledger.ts";
import type { Limits } from "../../src/rotation/limits.ts";
import { patiently } from "../../src/rotation/patience.ts";
import { type RotationReport, reportOf } from "../../src/rotation/state.ts";
import { S3Bucket } from "../../src/s3/store/client.ts";
import { sendToStore } from "../../src/s3/store/fetch.ts";
import { isCeph, store } from "./client.ts";
import { s3 } from "./edge.ts";
import { oddName } from "./odd-names.ts";
import { engineOf, type Fails, type Orders } from "./rotator.ts";
import { startTestWorker } from "./worker.ts";

export interface DayOptions {
  /** Objects that nobody writes meanwhile, and such that are written and deleted all the time. */
  readonly objects: number;
  readonly written: number;
  readonly limits: Partial<Limits>;
}

/** Of each: objects in the clear, and under a key that nobody has. */
const LEFT = 3;

export interface Got {
  readonly status: number;
  readonly body: string;
}

/** An object that comes and goes: every write has a number, and whoever reads sees none that is older than it should be. */
interface Written {
  readonly key: string;
  /** Of the last write that was begun, and of the last that was answered. */
  begun: number;
  answered: number;
  readonly removals: Set<number>;
}

/**
 * How many of its last writes an object may lack. Ceph drops one of two writes that cross, and answers 200 to both: the
 * rotation's own may be the other. docs/rotation.md says so.
 */
const MAY_LACK = isCeph ? 1 : 0;
/** And in how many of all writes that may be. */
const LOST_AT_MOST = 0.01;

export async function rotationDay({ objects, written: count, limits }: DayOptions) {
  const name = `rotated-${randomBytes(5).toString("hex")}`;
  const dir = mkdtempSync(join(tmpdir(), "ssec-rotated-"));
  const secret = () => randomBytes(32).toString("base64");
  const secrets = { KEY_1: secret(), KEY_2: secret(), KEY_STRANGE: secret(), TOKEN: secret() };
  const grants = [{ bucket: "media", prefix: "", allow: ["read", "write", "delete"] }];
  // The store may be a thread of this very process, and the machine busy: slow is not unreadable.
  const main = { endpoint: store.url, region: "us-east-1", addressing: "path", timeLimit: 60 };
  const env = {
    STORES: { main: { ...main, accessKeyId: "ID", secretAccessKey: "SECRET" } },
    KEYS: { k1: { secret: "KEY_1" }, k2: { secret: "KEY_2" } },
    BUCKETS: { media: { store: "main", name, keys: ["k2", "k1"] } },
    CALLERS: { me: { token: "TOKEN", grants } },
    ID: store.accessKeyId,
    SECRET: store.secretAccessKey,
    ...secrets,
  };
  const keyOf = (id: keyof typeof secrets) => customerKey(id, Buffer.from(secrets[id], "base64"));
  const [old, now, strange] = [keyOf("KEY_1"), keyOf("KEY_2"), keyOf("KEY_STRANGE")];
  const config = loadConfig(env);
  const media = config.buckets.get("media");
  const to = config.keys.get("k2");
  if (media === undefined || to === undefined) throw new Error("there is no bucket, or no key");
  const { accessKeyId, secretAccessKey } = store;
  const bucket = new S3Bucket(media, { accessKeyId, secretAccessKey });
  const database = join(dir, "ledger.sqlite");
  const sqlite = new SqliteDatabase(database);
  migrate(sqlite);
  const ledger = new Ledger(sqlite);
  await s3.send(new CreateBucketCommand({ Bucket: name }));
  const worker = await startTestWorker({ env, without: ["DB", "QUEUE", "ROTATION_QUEUE", "RATE_LIMIT"] });

  const names = Array.from({ length: objects }, (_, i) => oddName(i));
  /** Writes that were answered, and were not there. */
  const lost = new Set<string>();
  const written = Array.from(
    { length: count },
    (_, i): Written => ({ key: `written/${i}`, begun: 0, answered: 0, removals: new Set() }),
  );

  const write = (key: string, body: string, under: CustomerKey | undefined) => {
    const headers = under ? customerKeyHeaders(under) : {};
    return again(() => bucket.run({ name: "PutObject", method: "PUT", key, body, headers }, undefined));
  };
  const remove = (key: string) =>
    again(() => bucket.run({ name: "DeleteObject", method: "DELETE", key }, undefined));
  const change = async (object: Written) => {
    const n = ++object.begun;
    const isRemoval = n % 7 === 0;
    if (isRemoval) object.removals.add(n);
    // Some writers do not know of the new key yet.
    await (isRemoval ? remove(object.key) : write(object.key, `write ${n}`, n % 3 === 0 ? old : now));
    object.answered = n;
  };

  const authorization = { authorization: `Bearer ${secrets.TOKEN}` };
  const byEdge = async (key: string): Promise<Got> => {
    const path = key.split("/").map(encodeURIComponent).join("/");
    const response = await fetch(`${worker.url}/v1/objects/media/${path}`, { headers: authorization });
    return { status: response.status, body: await response.text() };
  };
  /** A URL is for the key that the object was under when it was asked for: refused, it is asked for again. */
  const byPresign = async (key: string): Promise<Got> => {
    for (let attempt = 1; ; attempt++) {
      const body = JSON.stringify({ operation: "GetObject", bucket: "media", key });
      const asked = { method: "POST", headers: authorization, body };
      const answer = await fetch(`${worker.url}/v1/presign`, asked);
      if (answer.status !== 200) return { status: answer.status, body: await answer.text() };
      const { url, headers } = (await answer.json()) as { url: string; headers: Record<string, string> };
      const response = await fetch(url, { headers });
      const got = { status: response.status, body: await response.text() };
      if ((got.status !== 400 && got.status !== 403) || attempt === 5) return got;
    }
  };

  return {
    env,
    database,
    limits,
    ledger,
    bucket,
    old,
    now,
    names,
    /** What a dry run has to find, before anybody writes. */
    truth: { k1: objects, k2: count, plain: LEFT, unknown: LEFT },
    /** Objects that nobody can rotate. */
    failing: 2 * LEFT,
    async fill() {
      await each(names, (key) => write(key, key, old));
      const left = Array.from({ length: LEFT }, (_, i) => i);
      await each(left, (i) => write(`plain ${i}`, "plain", undefined));
      await each(left, (i) => write(`strange ${i}`, "strange", strange));
      await each(written, change);
    },
    /** A rotation, of which whoever carries it has to find out by themselves. */
    async begin(dryRun = false): Promise<string> {
      const request = { bucket: media, prefix: "", from: undefined, to, dryRun, caller: "me" };
      return (await engineOf(env, ledger, { limits }).start(request)).id;
    },
    orders: (rotation: string, fails: Fails): Orders => ({ env, database, rotation, limits, fails }),
    async reportOn(id: string): Promise<RotationReport> {
      const rotation = await ledger.find(id);
      if (rotation === undefined) throw new Error("the rotation is not in the ledger");
      return reportOf(rotation, await ledger.counts(id), await ledger.failures(id, 100));
    },
    /**
     * Does the work while others read and write.
     *
     * @throws where a reader or a writer does
     */
    async meanwhile(work: () => Promise<void>): Promise<{ reads: number; writes: number }> {
      let isOver = false;
      let reads = 0;
      const reader = async (get: (key: string) => Promise<Got>) => {
        for (let i = 0; !isOver; i++) {
          if (count > 0) {
            const object = written[i % count] as Written;
            const since = object.answered;
            if (lacks(object, since, await get(object.key))) lost.add(`${object.key} ${since}`);
          }
          const key = names[Math.floor(Math.random() * names.length)] as string;
          expect(await get(key), JSON.stringify(key)).toEqual({ status: 200, body: key });
          reads += 2;
        }
      };
      const writer = async (lane: number) => {
        const own = written.filter((_, i) => i % 2 === lane);
        for (let i = 0; !isOver && own.length > 0; i++) {
          await change(own[(i * 7) % own.length] as Written);
          // So that the rotation has its turn.
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      };
      const others = Promise.all([
        reader(answered(byEdge)),
        reader(answered(byPresign)),
        writer(0),
        writer(1),
      ]);
      const stopped = others.then(() => Promise.reject(new Error("readers and writers stopped")));
      try {
        await Promise.race([work(), stopped]);
      } finally {
        isOver = true;
        stopped.catch(() => {});
        await others.catch(() => {});
      }
      const writes = written.reduce((n, { begun }) => n + begun, 0);
      expect(lost.size, [...lost].join()).toBeLessThanOrEqual(MAY_LACK * Math.ceil(LOST_AT_MOST * writes));
      return { reads, writes };
    },
    /** Holds every object that nobody wrote against what it was, under the new key and refused under the old one. */
    async expectAllRotated() {
      await each(names, async (key) => {
        const opened = await read(bucket, key, now);
        if (opened.status !== 200 || opened.body !== key) expect({ key, ...opened }).toEqual({ key });
        const refused = await read(bucket, key, old);
        if (refused.status !== 400 && refused.status !== 403) expect({ key, ...refused }).toEqual({ key });
      });
    },
    /** Holds what was written meanwhile against its last write. */
    async expectLastWrites() {
      const ends = (removals: Set<number>, n: number) =>
        removals.has(n) ? { status: 404 } : { status: 200, body: `write ${n}` };
      let lacking = 0;
      for (const { key, begun, removals } of written) {
        const { status, body } = await read(bucket, key, now);
        const got = status === 404 ? { status } : { status, body };
        const isLacking = MAY_LACK > 0 && isDeepStrictEqual(got, ends(removals, begun - 1));
        if (isLacking) lacking++;
        else expect(got, key).toEqual(ends(removals, begun));
      }
      expect(lacking).toBeLessThanOrEqual(MAY_LACK * Math.ceil(LOST_AT_MOST * count));
    },
    async close() {
      await worker.close();
      sqlite.close();
      rmSync(dir, { recursive: true });
    },
  };
}

export type RotationDay = Awaited<ReturnType<typeof rotationDay>>;

/** @returns whether it lacks the write that was the last when it was asked for; expects that it lacks no more */
function lacks({ key, begun, removals }: Written, since: number, { status, body }: Got): boolean {
  const least = since - MAY_LACK;
  if (status === 404) {
    const gone = [...removals].filter((n) => n >= least && n <= begun);
    expect(gone, `${key}: not there since write ${since}`).not.toEqual([]);
    return gone.every((n) => n < since);
  }
  expect(status, `${key}: ${body}`).toBe(200);
  const n = Number(body.replace("write ", ""));
  expect(n, `${key}: a write that is older than ${since}`).toBeGreaterThanOrEqual(least);
  return n < since;
}

async function read(bucket: S3Bucket, key: string, under: CustomerKey): Promise<Got> {
  const headers = customerKeyHeaders(under);
  const request = { method: "GET", bucket: bucket.bucket, key, query: {}, headers };
  const response = await again(() => sendToStore(request, { credentials: bucket.credentials }));
  return { status: response.status, body: await response.text() };
}

/** The same of the Worker's connections, of which it says 502: nothing that a rotation does. Anything else is what it is. */
function answered(get: (key: string) => Promise<Got>): (key: string) => Promise<Got> {
  return async (key) => {
    for (let attempt = 1; ; attempt++) {
      const got = await get(key);
      if (got.status !== 502 || !got.body.includes("(no answer)") || attempt === 3) return got;
    }
  };
}

/** A connection that was idle may be closed just when it is used. */
export function again<T>(work: () => Promise<T>): Promise<T> {
  return patiently({ attempts: 5, backoff: 50 }, work);
}

export async function each<T>(items: readonly T[], work: (item: T) => Promise<unknown>, width = 24) {
  let next = 0;
  const lane = async () => {
    while (next < items.length) await work(items[next++] as T);
  };
  await Promise.all(Array.from({ length: width }, lane));
}
