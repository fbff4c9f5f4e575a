/** Rotations on bad days: nothing is lost, nothing stays under the old key, and each object counts once. */
import type { IncomingMessage } from "node:http";
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Ledger as Database } from "../../src/bindings.ts";
import { customerKey } from "../../src/keys/customer-key.ts";
import type { Rotation } from "../../src/rotation/state.ts";
import { error, type Fault, isComplete, startFaultProxy } from "../support/fault-proxy.ts";
import { openingToAnyKey } from "../support/lenient.ts";
import { testSampled } from "../support/sampled.ts";
import { access, freshBucket, head, isUnder, put, type Rig, rig, s3, secrets, sse, useStore } from "./rig.ts";

const store = useStore();

beforeEach(() => void vi.spyOn(console, "error").mockImplementation(() => {}));
afterEach(() => vi.restoreAllMocks());

async function filled(
  count: number,
  from: "k1" | "root" = "k1",
): Promise<{ bucket: string; keys: string[] }> {
  const bucket = await freshBucket();
  const keys = Array.from({ length: count }, (_, i) => `object ${i}`);
  await Promise.all(keys.map((key) => put(bucket, key, from)));
  return { bucket, keys };
}

async function expectAllUnder(bucket: string, keys: readonly string[], to: "k1" | "k2" = "k2") {
  for (const key of keys) {
    const { Body } = await s3.send(
      new GetObjectCommand({ Bucket: bucket, Key: key, ...sse(to, bucket, key) }),
    );
    expect(await Body?.transformToString()).toBe(`the object ${key}`);
    expect(await isUnder(bucket, key, to === "k2" ? "k1" : "k2"), key).toBe(false);
  }
}

const total = ({ rotated, skipped, failed }: { rotated: number; skipped: number; failed: number }) =>
  rotated + skipped + failed;

describe("a queue that loses a third of its messages, doubles a third and delays a third", () => {
  const carry = (numRuns: number) =>
    fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.integer({ min: 0, max: 5 })), async (fates) => {
        const { bucket, keys } = await filled(45);
        // Nobody dies here: a lease that is lost on a busy machine would count what was rotated before as skipped.
        const { start, drain, report } = rig({ bucket, limits: { pageSize: 7, lease: 30_000 } });
        const { id } = await start();
        const fate = () => {
          const n = fates.next().value ?? 0;
          if (n < 2) return { times: 0 };
          return n < 4 ? { times: 2 } : { times: 2, delay: 30 };
        };
        await drain(id, { fate });
        const done = await report(id);
        expect(done).toMatchObject({ state: "done", listed: 45, failed: 0, found: { k1: 45 } });
        expect(total(done)).toBe(45);
        await expectAllUnder(bucket, keys);
      }),
      { numRuns },
    );
  test("again and again", { tags: ["thorough"] }, () => carry(20));
});

/** An engine that is killed: of its process nothing more reaches the database or the queue. */
function killable() {
  let isDead = false;
  const check = () => {
    if (isDead) throw new Error("killed");
  };
  const through = (database: Database): Database => ({
    prepare: (sql) => {
      check();
      return database.prepare(sql);
    },
    batch: async (statements) => {
      check();
      return database.batch(statements);
    },
  });
  return {
    through,
    kill: () => {
      isDead = true;
    },
    revive: () => {
      isDead = false;
    },
  };
}

test(
  "killed again and again, in the midst of anything",
  { tags: ["thorough"], timeout: 60_000 },
  async () => {
    const { bucket, keys } = await filled(60);
    const { through, kill, revive } = killable();
    const { start, drain, report, messages } = rig({ bucket, through, limits: { pageSize: 9 } });
    const { id } = await start();
    for (let i = 0; i < 8; i++) {
      const killing = setTimeout(kill, 20 + i * 13);
      await drain(id, { patience: 150 + i * 20 }).catch(() => {});
      clearTimeout(killing);
      // What was queued dies with the process.
      messages.length = 0;
      await new Promise((resolve) => setTimeout(resolve, 50));
      revive();
    }
    await drain(id);
    const done = await report(id);
    expect(done).toMatchObject({ state: "done", listed: 60, failed: 0, found: expect.anything() });
    expect(total(done)).toBe(60);
    await expectAllUnder(bucket, keys);
  },
);

test("a database that fails for a while", async () => {
  const { bucket, keys } = await filled(30);
  let isDown = false;
  const through = (database: Database): Database => ({
    prepare: (sql) => {
      if (isDown) throw new Error("D1_ERROR: down");
      return database.prepare(sql);
    },
    batch: async (statements) => database.batch(statements),
  });
  const { start, drain, report } = rig({ bucket, through });
  const { id } = await start();
  setTimeout(() => {
    isDown = true;
  }, 30);
  await drain(id, { patience: 400 }).catch(() => {});
  isDown = false;
  await drain(id);
  const done = await report(id);
  expect(done).toMatchObject({ state: "done", listed: 30, failed: 0 });
  expect(total(done)).toBe(30);
  await expectAllUnder(bucket, keys);
});

test("two at one page: one of them works, whose word counts; the one who wakes late changes nothing", async () => {
  const { bucket, keys } = await filled(10);
  const { start, engine, messages, ledger, report } = rig({ bucket, limits: { lease: 60_000 } });
  const { id } = await start();
  const list = messages.find(({ message }) => message.kind === "list");
  await engine().handle(list?.message);
  const page = messages.find(({ message }) => message.kind === "page");
  await Promise.all([
    engine().handle(page?.message),
    engine().handle(page?.message),
    engine().handle(page?.message),
  ]);
  expect(await report(id)).toMatchObject({ state: "done", listed: 10, rotated: 10, skipped: 0 });
  // And a lease that was lost: nothing of what its holder says is taken.
  const work = { kind: "page", rotation: id, page: 0 } as const;
  const late = { work, token: "of somebody who slept" };
  const progress = { counts: { rotated: 5 }, failures: [{ key: "x", code: "c", detail: "d" }], large: [] };
  expect(await ledger.pageDone(late, progress, "object 3", { now: Date.now(), until: Date.now() })).toBe(
    false,
  );
  expect(await report(id)).toMatchObject({ rotated: 10, failed: 0, errors: [] });
  await expectAllUnder(bucket, keys);
});

test("whose lease is lost while the store is slow says nothing more, and lets others get on", async () => {
  const { bucket, keys } = await filled(10);
  const proxy = await startFaultProxy(store.url);
  let words = 0;
  let isLost = false;
  // A ledger on this machine answers without waiting: who asks it again and again gives nobody else a turn.
  const through = (database: Database): Database => ({
    prepare: (sql) => database.prepare(sql),
    batch: (statements) => {
      if (isLost && ++words > 50) throw new Error("it does not stop talking");
      return database.batch(statements);
    },
  });
  const { start, drain, report, database, errors } = rig({
    bucket,
    url: proxy.url,
    through,
    limits: { checkpointEvery: 20 },
  });
  const { id } = await start();
  const isSlow = ({ url = "" }: IncomingMessage) => url.includes("object%203");
  const forward = async (request: IncomingMessage) => {
    database.execute("UPDATE rotation_pages SET lease = 'of another'");
    isLost = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
    return request;
  };
  proxy.break({ on: isSlow, times: 1, forward });
  await drain(id);
  proxy.close();
  expect({ isLost, errors }).toEqual({ isLost: true, errors: [] });
  expect(await report(id)).toMatchObject({ state: "done", listed: 10, failed: 0 });
  await expectAllUnder(bucket, keys);
});

test(
  "writers that overwrite and delete all the time: what they wrote stays, and nothing of it is stale",
  { tags: ["thorough"] },
  async () => {
    const { bucket, keys } = await filled(40);
    const { start, drain, report } = rig({ bucket });
    const { id } = await start();
    const latest = new Map<string, string | undefined>(keys.map((key) => [key, `the object ${key}`]));
    let isOver = false;
    const writers = [0, 1, 2].map(async (lane) => {
      // Each key has one writer, who knows what it wrote last.
      const own = keys.filter((_, i) => i % 3 === lane);
      for (let n = 0; !isOver; n++) {
        const key = own[(n * 7) % own.length] as string;
        if (n % 9 === 8) {
          await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
          latest.set(key, undefined);
        } else {
          const Body = `write ${n} of ${key}`;
          // Some of them do not know of the new key yet.
          const under = n % 4 === 0 ? "k1" : "k2";
          await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body, ...sse(under, bucket, key) }));
          latest.set(key, Body);
        }
      }
    });
    await drain(id);
    isOver = true;
    await Promise.all(writers);
    const during = await report(id);
    expect(during.state).toBe("done");
    expect(total(during)).toBe(during.listed);
    // What was written under the old key behind the rotation's back is for the next.
    const next = await start();
    await drain(next.id);
    for (const [key, body] of latest) {
      if (body === undefined) continue;
      const { Body } = await s3.send(
        new GetObjectCommand({ Bucket: bucket, Key: key, ...sse("k2", bucket, key) }),
      );
      expect(await Body?.transformToString(), key).toBe(body);
    }
  },
);

describe("a writer who is quicker, between the look at an object and its re-encryption:", () => {
  const isGet = ({ method, url = "" }: IncomingMessage) => method === "GET" && url.includes("object%20");
  const isPut = ({ method, url = "" }: IncomingMessage) => method === "PUT" && url.includes("object%20");
  const COPIED = {};
  const STREAMED = { copies: false };
  const UNCONDITIONAL = { copies: false, ifMatchOfPut: undefined };
  const WRITERS = [
    { how: "copied", ways: COPIED, at: isPut, under: "k1" },
    { how: "copied", ways: COPIED, at: isPut, under: "k2" },
    { how: "copied", ways: COPIED, at: isPut, under: undefined },
    { how: "streamed", ways: STREAMED, at: isPut, under: "k1" },
    { how: "streamed", ways: STREAMED, at: isPut, under: "k2" },
    { how: "streamed, by a store without conditions", ways: UNCONDITIONAL, at: isGet, under: "k1" },
    { how: "streamed, by a store without conditions", ways: UNCONDITIONAL, at: isGet, under: "k2" },
  ] as const;
  testSampled(WRITERS, 3, "$how, written under $under meanwhile, it is looked at again", async (writer) => {
    const { ways, at, under } = writer;
    const { bucket, keys } = await filled(3);
    const proxy = await startFaultProxy(store.url);
    const { start, drain, report, ledger, messages, engine } = rig({ bucket, url: proxy.url });
    const { id } = await start();
    await engine().handle(messages.splice(0)[0]?.message);
    const found = JSON.parse((await ledger.find(id))?.ways ?? "");
    await ledger.setWays(id, JSON.stringify({ ...found, ...ways }));
    let writes = 0;
    proxy.break({
      on: (request) => at(request) && request.url?.includes("object%201") === true,
      times: 1,
      forward: async (request) => {
        const change = { Bucket: bucket, Key: "object 1" };
        if (under === undefined) await s3.send(new DeleteObjectCommand(change));
        else await put(bucket, "object 1", under, { Body: "the writer's" });
        writes++;
        return request;
      },
    });
    await drain(id);
    proxy.close();
    expect(writes).toBe(1);
    expect(await report(id)).toMatchObject({ state: "done", rotated: 3, failed: 0 });
    await expectAllUnder(
      bucket,
      keys.filter((key) => key !== "object 1"),
    );
    const now = { Bucket: bucket, Key: "object 1", ...sse("k2", bucket, "object 1") };
    const got = await s3.send(new GetObjectCommand(now)).catch(() => undefined);
    expect(await got?.Body?.transformToString()).toBe(under && "the writer's");
    expect(await isUnder(bucket, "object 1", "k1")).toBe(false);
  });
});

describe("a store through which objects are streamed, and which says 400 to a wrong key", () => {
  /** Three objects, rotated through a store of which something is broken. */
  const streamed = async (faultOf: (bucket: string) => Fault) => {
    const { bucket, keys } = await filled(3);
    const proxy = await startFaultProxy(store.url);
    const { start, ledger, messages, engine, drain, report } = rig({
      bucket,
      url: proxy.url,
      keys: ["k2", "k1", "root"],
    });
    const { id } = await start();
    await engine().handle(messages.splice(0)[0]?.message);
    const found = JSON.parse((await ledger.find(id))?.ways ?? "");
    await ledger.setWays(id, JSON.stringify({ ...found, copies: false, copiesParts: false }));
    proxy.break(faultOf(bucket));
    await drain(id);
    proxy.close();
    return { bucket, keys, report: await report(id) };
  };
  const isOf1 = ({ url = "" }: IncomingMessage) => url.includes("object%201");

  test(
    "an object whose key is changed more often than faults are forgiven is looked at again",
    { tags: ["thorough"] },
    async () => {
      let writes = 0;
      const { bucket, keys, report } = await streamed((bucket) => ({
        on: (request) => request.method === "GET" && isOf1(request),
        times: 5,
        answer: (request, response) => {
          void put(bucket, "object 1", writes++ % 2 === 0 ? "root" : "k1").then(() =>
            error(400, "InvalidRequest")(request, response),
          );
        },
      }));
      expect(writes).toBe(5);
      expect(report).toMatchObject({ state: "done", rotated: 3, failed: 0 });
      await expectAllUnder(bucket, keys);
    },
  );

  test("what it says of anything else is believed at once", async () => {
    let reads = 0;
    const { report } = await streamed(() => ({
      on: (request) => request.method === "GET" && isOf1(request),
      times: 10,
      answer: (request, response) => {
        reads++;
        error(400, "InvalidRequest")(request, response);
      },
    }));
    expect(report).toMatchObject({ rotated: 2, failed: 1, errors: [{ code: "invalid-request" }] });
    expect(reads).toBe(1);
  });

  test("metadata that cannot be given again is named at the first look", async () => {
    let looks = 0;
    const { report } = await streamed(() => ({
      on: (request) => request.method === "HEAD" && isOf1(request),
      times: 100,
      headers: (headers) => {
        looks++;
        headers["x-amz-missing-meta"] = "1";
      },
    }));
    const detail = expect.stringContaining("1 entries of its metadata");
    expect(report).toMatchObject({ rotated: 2, failed: 1, errors: [{ detail }] });
    // One for each of the bucket's keys at most.
    expect(looks).toBeLessThanOrEqual(3);
  });
});

test("cancelled in the middle, and gone on from there", { tags: ["thorough"] }, async () => {
  const { bucket, keys } = await filled(50);
  const { start, drain, report, engine, ledger, messages } = rig({
    bucket,
    limits: { pageSize: 5, window: 1 },
  });
  const rotation = await start();
  const { id } = rotation;
  let handled = 0;
  await drain(id, {
    parallel: 1,
    meanwhile: async () => {
      if (++handled === 5) await engine().cancel(rotation);
    },
  });
  const cancelled = await report(id);
  expect(cancelled.state).toBe("cancelled");
  expect(cancelled.rotated).toBeLessThan(50);
  for (const { message } of messages.splice(0)) await engine().handle(message);
  expect((await report(id)).rotated).toBe(cancelled.rotated);
  for (const key of keys) {
    const opens = [await isUnder(bucket, key, "k1"), await isUnder(bucket, key, "k2")];
    expect(opens.filter(Boolean)).toHaveLength(1);
  }
  const now = await ledger.find(id);
  if (now) await engine().resume(now);
  await drain(id);
  const done = await report(id);
  expect(done).toMatchObject({ state: "done", listed: 50, failed: 0 });
  expect(total(done)).toBe(50);
  await expectAllUnder(bucket, keys);
});

describe("a store", () => {
  const proxied = async (...faults: Fault[]) => {
    const proxy = await startFaultProxy(store.url);
    proxy.break(...faults);
    return proxy;
  };
  const isCopy = ({ method, headers, url = "" }: IncomingMessage) =>
    method === "PUT" && "x-amz-copy-source" in headers && !url.includes("ssec-rotation");

  test(
    "that fails, is slow or overloaded every so often is asked again",
    { tags: ["thorough"], timeout: 60_000 },
    async () => {
      const { bucket, keys } = await filled(30);
      let n = 0;
      const proxy = await proxied(
        // What was written to find out what the store can do goes all the same.
        { on: ({ method }) => method === "DELETE", times: 4, answer: error(503, "SlowDown") },
        { on: () => ++n % 7 === 0, answer: error(503, "SlowDown") },
        { on: () => n % 11 === 0, answer: error(500, "InternalError") },
      );
      const { start, drain, report } = rig({ bucket, url: proxy.url });
      const { id } = await start();
      await drain(id, { patience: 40_000 });
      proxy.close();
      expect(await report(id)).toMatchObject({ state: "done", listed: 30, failed: 0 });
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
      expect(Contents.map(({ Key }) => Key).sort()).toEqual([...keys].sort());
      await expectAllUnder(bucket, keys);
    },
  );

  test(
    "that is down lets the rotation wait, with a reason, and go on by itself",
    { tags: ["thorough"] },
    async () => {
      const { bucket, keys } = await filled(20);
      const proxy = await proxied();
      const { start, drain, report } = rig({ bucket, url: proxy.url });
      const { id } = await start();
      proxy.break({ on: () => true, answer: error(403, "ExpiredToken") });
      const draining = drain(id);
      await vi.waitFor(
        async () => {
          const waiting = await report(id);
          expect(waiting).toMatchObject({
            state: "running",
            failed: 0,
            reason: expect.stringContaining("ExpiredToken"),
          });
          expect(waiting.pausedUntil).toBeDefined();
        },
        { timeout: 15_000 },
      );
      proxy.break();
      await draining;
      proxy.close();
      const done = await report(id);
      expect(done).toMatchObject({ state: "done", listed: 20, rotated: 20, failed: 0 });
      expect(done.reason).toBeUndefined();
      await expectAllUnder(bucket, keys);
    },
  );

  test(
    "whose credentials expire in the midst, of which a HEAD says no more than of a wrong key, is waited for",
    {
      tags: ["thorough"],
    },
    async () => {
      const { bucket } = await filled(20);
      const proxy = await proxied();
      const { start, drain, report, ledger } = rig({ bucket, url: proxy.url });
      const { id } = await start({ dryRun: true });
      let isExpired = false;
      // As AWS says it: 400.
      proxy.break({
        on: ({ method, url = "" }) => (isExpired ||= method === "HEAD" && url.includes("object%203")),
        answer: error(400, "ExpiredToken"),
      });
      const draining = drain(id);
      await vi.waitFor(async () => expect((await report(id)).reason).toMatch(/ExpiredToken/), {
        timeout: 15_000,
      });
      proxy.break();
      await draining;
      proxy.close();
      expect(await report(id)).toMatchObject({ state: "done", listed: 20, skipped: 20, found: { k1: 20 } });
      expect(await ledger.counts(id)).toMatchObject({ "left/k1": 20 });
    },
  );

  test("that fails at one object alone has it named, and the others rotated", async () => {
    const { bucket, keys } = await filled(12);
    const isPoison = ({ url = "" }: IncomingMessage) => url.includes("object%207");
    const proxy = await proxied({ on: isPoison, answer: error(500, "InternalError") });
    const { start, drain, report } = rig({ bucket, url: proxy.url });
    const { id } = await start();
    await drain(id);
    proxy.close();
    expect(await report(id)).toMatchObject({
      state: "done",
      listed: 12,
      rotated: 11,
      failed: 1,
      errors: [{ key: "object 7", code: "store-error" }],
    });
    expect(await isUnder(bucket, "object 7", "k1")).toBe(true);
    await expectAllUnder(
      bucket,
      keys.filter((key) => key !== "object 7"),
    );
  });

  test("that says it copied, and has not, is found out", async () => {
    const { bucket } = await filled(3);
    const lie: Fault["answer"] = (request, response) => {
      request.resume();
      response.writeHead(200, {
        "content-type": "application/xml",
        "x-amz-server-side-encryption-customer-algorithm": "AES256",
        "x-amz-server-side-encryption-customer-key-md5": customerKey("k2", Buffer.from(secrets.k2, "base64"))
          .md5,
      });
      response.end(`<CopyObjectResult><ETag>"x"</ETag></CopyObjectResult>`);
    };
    const proxy = await proxied({ on: isCopy, answer: lie });
    const { start, drain, report } = rig({ bucket, url: proxy.url });
    const { id } = await start();
    await drain(id);
    proxy.close();
    expect(await report(id)).toMatchObject({
      rotated: 0,
      failed: 3,
      errors: [{ code: "store-error", detail: expect.stringContaining('still opens under "k1"') }, {}, {}],
    });
  });

  test("whose 200 has an error in its body has not copied", async () => {
    const { bucket, keys } = await filled(3);
    const proxy = await proxied({ on: isCopy, times: 2, answer: error(200, "InternalError") });
    const { start, drain, report } = rig({ bucket, url: proxy.url });
    const { id } = await start();
    await drain(id);
    proxy.close();
    expect(await report(id)).toMatchObject({ rotated: 3, failed: 0 });
    await expectAllUnder(bucket, keys);
  });

  test("that lists a name which no client can send has it named, and no other object touched for it", async () => {
    const bucket = await freshBucket();
    await put(bucket, "b", "k1");
    const entry = (key: string) => `<Contents><Key>${key}</Key><Size>12</Size><ETag>"x"</ETag></Contents>`;
    const proxy = await proxied({
      on: ({ url = "" }) => url.includes("list-type=2"),
      answer: (request, response) => {
        request.resume();
        response.writeHead(200, { "content-type": "application/xml" });
        const isOfScratch = request.url?.includes("ssec-rotation");
        response.end(
          `<ListBucketResult><IsTruncated>false</IsTruncated>${isOfScratch ? "" : entry("a/../b")}</ListBucketResult>`,
        );
      },
    });
    const { start, drain, report } = rig({ bucket, url: proxy.url });
    const { id } = await start();
    await drain(id);
    proxy.close();
    expect(await report(id)).toMatchObject({
      state: "done",
      listed: 1,
      failed: 1,
      errors: [{ key: "a/../b", code: "invalid-request" }],
    });
    expect(await isUnder(bucket, "b", "k1")).toBe(true);
  });

  test("that opens an object to any key is believed nothing", async () => {
    const { bucket } = await filled(1);
    const key = customerKey("k2", Buffer.from(secrets.k2, "base64"));
    const any = openingToAnyKey({ url: store.url, ...access() }, key);
    const proxy = await proxied({
      ...any,
      on: (request) =>
        request.method === "HEAD" &&
        !!request.url?.includes("object%200") &&
        "x-amz-server-side-encryption-customer-key" in request.headers,
      headers: (answer, { headers }) => {
        const md5 = headers["x-amz-server-side-encryption-customer-key-md5"];
        if (answer["x-amz-server-side-encryption-customer-algorithm"])
          answer["x-amz-server-side-encryption-customer-key-md5"] = md5;
      },
    });
    const { start, drain, report } = rig({ bucket, url: proxy.url });
    const { id } = await start();
    await drain(id);
    proxy.close();
    const { rotated, state } = await report(id);
    expect({ rotated, state }).toEqual({ rotated: 0, state: "done" });
  });
});

describe("a configuration that is deployed in the midst", () => {
  test("and lacks a key for a while: what may be under it is not known, and does not count as under none", async () => {
    const { bucket } = await filled(20);
    const { start, drain, report, ledger, reconfigure } = rig({ bucket, limits: { pageSize: 5, window: 1 } });
    const { id } = await start({ dryRun: true });
    let handled = 0;
    await drain(id, {
      parallel: 1,
      meanwhile: () => reconfigure({ keys: [5, 6].includes(++handled) ? ["k2"] : ["k2", "k1"] }),
    });
    const { state, found } = await report(id);
    expect({ state, unknown: found.unknown }).toEqual({ state: "done", unknown: 0 });
    const { unclear = 0, "left/k1": left = 0 } = await ledger.counts(id);
    expect(unclear).toBeGreaterThan(0);
    expect(left + unclear).toBe(20);
  });

  test(
    "and means another bucket of the store ends the rotation, which goes on once it is put back",
    { tags: ["thorough"] },
    async () => {
      const [{ bucket, keys }, other] = [await filled(20), await filled(20)];
      const { start, drain, report, engine, ledger, reconfigure } = rig({
        bucket,
        limits: { pageSize: 5, window: 1 },
      });
      const { id } = await start();
      let handled = 0;
      await drain(id, {
        parallel: 1,
        meanwhile: () => {
          if (++handled === 4) reconfigure({ bucket: other.bucket });
        },
      });
      expect(await report(id)).toMatchObject({
        state: "failed",
        reason: expect.stringContaining("elsewhere"),
      });
      await expectAllUnder(other.bucket, other.keys, "k1");
      reconfigure({ bucket });
      await engine().resume((await ledger.find(id)) as Rotation);
      await drain(id);
      expect(await report(id)).toMatchObject({ state: "done", listed: 20, failed: 0 });
      await expectAllUnder(bucket, keys);
    },
  );
});

describe("the target", () => {
  test("whose secret becomes another ends the rotation", async () => {
    const { bucket } = await filled(30);
    const { start, drain, report, rebind } = rig({ bucket, limits: { pageSize: 5, window: 1 } });
    const { id } = await start();
    let handled = 0;
    await drain(id, { parallel: 1, meanwhile: () => void (++handled === 4 && rebind("k2", secrets.root2)) });
    const ended = await report(id);
    expect(ended).toMatchObject({
      state: "failed",
      reason: expect.stringContaining('secret of the key "k2"'),
    });
    // Put right, it goes on.
    rebind("k2", secrets.k2);
  });

  test("whose secret is broken is waited for", { tags: ["thorough"] }, async () => {
    const { bucket, keys } = await filled(30);
    const { start, drain, report, rebind } = rig({ bucket, limits: { pageSize: 5, window: 1 } });
    const { id } = await start();
    let handled = 0;
    const draining = drain(id, {
      parallel: 1,
      meanwhile: () => void (++handled === 4 && rebind("k2", "broken")),
    });
    await vi.waitFor(
      async () =>
        expect(await report(id)).toMatchObject({ state: "running", reason: expect.stringContaining('"k2"') }),
      { timeout: 15_000 },
    );
    rebind("k2", secrets.k2);
    await draining;
    expect(await report(id)).toMatchObject({ state: "done", listed: 30, failed: 0 });
    await expectAllUnder(bucket, keys);
  });
});

test(
  "a large object goes by parts, is gone on with after a kill, and leaves no upload behind",
  { tags: ["thorough"] },
  async () => {
    const bucket = await freshBucket();
    const Body = Buffer.alloc(12 * 2 ** 20, "ssec-edge ");
    const more = { Tagging: "a=b", Metadata: { kept: "yes" } };
    await s3.send(
      new PutObjectCommand({ Bucket: bucket, Key: "large", Body, ...sse("k1", bucket, "large"), ...more }),
    );
    await put(bucket, "small", "k1");
    for (const limits of [
      { maxCopy: 2 ** 20, copiedPart: 5 * 2 ** 20 },
      { maxCopy: 2 ** 20, maxWhole: 2 ** 20, copiedPart: 0, noCopies: true },
    ]) {
      const { through, kill, revive } = killable();
      const { noCopies, ...bounds } = { noCopies: false, ...limits };
      const [to, from] = noCopies ? (["k1", "k2"] as const) : (["k2", "k1"] as const);
      const { start, drain, report, engine, messages, ledger } = rig({
        bucket,
        through,
        limits: bounds,
        keys: [to, from],
      });
      const { id } = await start({ to });
      const [first] = messages.splice(0);
      await engine().handle(first?.message);
      if (noCopies) {
        const { ways } = (await ledger.find(id)) as { ways: string };
        await ledger.setWays(id, JSON.stringify({ ...JSON.parse(ways), copies: false, copiesParts: false }));
      }
      setTimeout(kill, 60);
      await drain(id, { patience: 250 }).catch(() => {});
      messages.length = 0;
      await new Promise((resolve) => setTimeout(resolve, 100));
      revive();
      await drain(id);
      expect(await report(id)).toMatchObject({ state: "done", listed: 2, failed: 0 });
      const got = await s3.send(
        new GetObjectCommand({ Bucket: bucket, Key: "large", ...sse(to, bucket, "large") }),
      );
      expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(Body)).toBe(true);
      expect(got).toMatchObject({ Metadata: { kept: "yes" }, TagCount: 1 });
      expect(await isUnder(bucket, "large", from)).toBe(false);
      expect((await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? []).toEqual([]);
    }
  },
);

test(
  "a part that somebody who lost their lease writes once more costs a new upload, and no more",
  { tags: ["thorough"] },
  async () => {
    const bucket = await freshBucket();
    const Body = Buffer.alloc(7 * 2 ** 20, "ssec-edge ");
    await s3.send(
      new PutObjectCommand({ Bucket: bucket, Key: "large", Body, ...sse("k1", bucket, "large") }),
    );
    const proxy = await startFaultProxy(store.url);
    let written = 0;
    proxy.break({
      on: (request) => isComplete(request) && request.url?.includes("/large") === true,
      times: 1,
      forward: async (request) => {
        const UploadId = new URL(request.url ?? "", proxy.url).searchParams.get("uploadId") ?? "";
        const part = { Bucket: bucket, Key: "large", UploadId, PartNumber: 1 };
        await s3.send(
          new UploadPartCommand({
            ...part,
            Body: Body.subarray(0, 5 * 2 ** 20),
            ...sse("k2", bucket, "large"),
          }),
        );
        written++;
        return request;
      },
    });
    const { start, drain, report } = rig({
      bucket,
      url: proxy.url,
      limits: { maxCopy: 2 ** 20, copiedPart: 5 * 2 ** 20 },
    });
    const { id } = await start();
    await drain(id);
    proxy.close();
    expect(written).toBe(1);
    expect(await report(id)).toMatchObject({ state: "done", rotated: 1, failed: 0 });
    const got = await s3.send(
      new GetObjectCommand({ Bucket: bucket, Key: "large", ...sse("k2", bucket, "large") }),
    );
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(Body)).toBe(true);
    expect((await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? []).toEqual([]);
  },
);

describe("an upload of a large object that is under way", { tags: ["thorough"] }, () => {
  const PART = 5 * 2 ** 20;
  const limits = { maxCopy: 2 ** 20, copiedPart: PART };
  const uploads = async (bucket: string) =>
    (await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? [];
  const large = async () => {
    const bucket = await freshBucket();
    await put(bucket, "large", "k1", { Body: Buffer.alloc(3 * PART, "ssec-edge ") });
    return bucket;
  };

  test("is ended where the rotation is cancelled, also while somebody is at it", async () => {
    const bucket = await large();
    const proxy = await startFaultProxy(store.url);
    let goOn = () => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let isAtIt = false;
    proxy.break({
      on: ({ url = "" }) => url.includes("/large") && url.includes("partNumber="),
      forward: async (request) => {
        isAtIt = true;
        await held;
        return request;
      },
    });
    const { start, drain, report, engine, messages } = rig({ bucket, url: proxy.url, limits });
    const rotation = await start();
    const draining = drain(rotation.id);
    await vi.waitFor(() => expect(isAtIt).toBe(true), { timeout: 15_000 });
    await engine().cancel(rotation);
    for (const { message } of messages.splice(0)) await engine().handle(message);
    goOn();
    await draining;
    await vi.waitFor(
      async () => {
        for (const { message } of messages.splice(0)) await engine().handle(message);
        expect(await uploads(bucket)).toEqual([]);
      },
      { timeout: 5_000 },
    );
    proxy.close();
    expect(await report(rotation.id)).toMatchObject({ state: "cancelled", rotated: 0 });
    expect(await isUnder(bucket, "large", "k1")).toBe(true);
  });

  test("is ended by whoever asks how a cancelled rotation is, where the word of it was lost", async () => {
    const bucket = await large();
    const { database, start, drain, engine, ledger, messages } = rig({ bucket, limits });
    const { id } = await start();
    await untilLarge(database, drain, id);
    await begunUpload(database, bucket);
    await engine().cancel((await ledger.find(id)) as Rotation);
    messages.length = 0;
    await engine().sweep((await ledger.find(id)) as Rotation);
    for (const { message } of messages.splice(0)) await engine().handle(message);
    expect(await uploads(bucket)).toEqual([]);
  });

  test("is ended where a writer has put the object under the target meanwhile", async () => {
    const bucket = await large();
    const { database, start, drain, report, messages } = rig({ bucket, limits });
    const { id } = await start();
    await untilLarge(database, drain, id);
    await begunUpload(database, bucket);
    await put(bucket, "large", "k2", { Body: Buffer.alloc(2 * PART, "another ") });
    messages.length = 0;
    await drain(id);
    expect(await report(id)).toMatchObject({ state: "done", listed: 1, failed: 0 });
    expect(await uploads(bucket)).toEqual([]);
  });

  const untilLarge = async (database: Rig["database"], drain: Rig["drain"], id: string) => {
    const isFound = async () =>
      (await database.prepare("SELECT 1 FROM rotation_objects").all()).results.length > 0;
    const meanwhile = async () => {
      if (await isFound()) throw new Error("a large object was found");
    };
    await expect(drain(id, { parallel: 1, meanwhile })).rejects.toThrow("a large object was found");
  };

  /** By somebody who was killed then. */
  const begunUpload = async (database: Rig["database"], bucket: string) => {
    const of = { Bucket: bucket, Key: "large" };
    const { UploadId } = await s3.send(
      new CreateMultipartUploadCommand({ ...of, ...sse("k2", bucket, "large") }),
    );
    const { ETag } = (await head(bucket, "large", "k1")) ?? {};
    await database.prepare("UPDATE rotation_objects SET uploadId = ?, etag = ?").bind(UploadId, ETag).run();
  };
});

test(
  "10 pages, of which each is listed anew: the keys of the bucket and no others",
  { tags: ["thorough"] },
  async () => {
    const { bucket, keys } = await filled(40);
    const { start, drain } = rig({ bucket, limits: { pageSize: 4 } });
    const { id } = await start();
    await drain(id);
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
    expect(Contents.map(({ Key }) => Key).sort()).toEqual(keys.sort());
  },
);
