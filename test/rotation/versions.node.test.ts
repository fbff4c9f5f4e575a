/** Versions that are not current, where a rotation is asked for them: copied, in their order, and removed if need be. */
import type { IncomingMessage } from "node:http";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
} from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { error, startFaultProxy } from "../support/fault-proxy.ts";
import { testSampled } from "../support/sampled.ts";
import { freshBucket, put, rig, type StartOptions, s3, sse, useStore } from "./rig.ts";

const store = useStore();

/** All versions, the oldest first: what each says, and which key opens it; a mark of deletion is null. */
async function history(bucket: string, key: string) {
  const { Versions = [], DeleteMarkers = [] } = await s3.send(
    new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key }),
  );
  const all = [];
  for (const { VersionId, IsLatest } of Versions.toReversed()) {
    for (const name of ["k1", "k2"] as const) {
      const wanted = { Bucket: bucket, Key: key, VersionId, ...sse(name, bucket, key) };
      const got = await s3.send(new GetObjectCommand(wanted)).catch(() => undefined);
      if (got === undefined) continue;
      const body = await got.Body?.transformToString();
      all.push({ id: VersionId, name, body, of: got.Metadata?.["ssec-version-of"], got, isLatest: IsLatest });
    }
  }
  return { all, brief: all.map(({ name, body }) => `${name} ${body}`), marks: DeleteMarkers.length };
}

testSampled(
  [true, false],
  2,
  "versions: the older ones are copied onto new ones, in their order, and what was current last (copied by the store: %s)",
  async (copies) => {
    const bucket = await freshBucket(true);
    await put(bucket, "a", "k1", { Body: "first", Metadata: { n: "1" }, Tagging: "n=1" });
    await put(bucket, "a", "k2", { Body: "second" });
    await put(bucket, "a", "k1", { Body: "third", Metadata: { n: "3" } });
    await put(bucket, "b", "k1", { Body: "only" });
    await put(bucket, "gone", "k1", { Body: "gone" });
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: "gone" }));
    const before = await history(bucket, "a");
    const { start, drain, report, ledger, messages, engine } = rig({ bucket, limits: { lease: 10_000 } });
    const run = async (options: StartOptions) => {
      const { id } = await start(options);
      if (!copies) {
        const isList = ({ message }: (typeof messages)[number]) =>
          message.kind === "list" && message.rotation === id;
        await engine().handle(messages.splice(0).find(isList)?.message);
        const { ways } = (await ledger.find(id)) as { ways: string };
        await ledger.setWays(id, JSON.stringify({ ...JSON.parse(ways), copies: false }));
      }
      await drain(id);
      return report(id);
    };
    // "gone" stays: a copy would bring it back.
    const GONE = { key: "gone", code: "conflict", detail: expect.stringContaining("deleted") };
    expect(await run({ versions: true })).toMatchObject({
      state: "done",
      rotated: 2,
      failed: 0,
      versions: { copied: 1, removed: 0, failed: 1 },
      olderVersions: 4,
      errors: [GONE],
    });
    const after = await history(bucket, "a");
    expect(after.brief).toEqual([
      ...["k1 first", "k2 second", "k1 third"],
      ...["k2 third", "k2 first", "k2 third"],
    ]);
    expect(after.all.slice(3).map(({ of }) => of)).toEqual([
      before.all[2]?.id,
      before.all[0]?.id,
      after.all[3]?.id,
    ]);
    expect(after.all[4]?.got).toMatchObject({ Metadata: { n: "1" }, TagCount: 1 });
    expect(after.all[5]?.got.Metadata).not.toHaveProperty("ssec-version-then");
    // Twice is once.
    expect(await run({ versions: true })).toMatchObject({ rotated: 0, versions: { copied: 0, removed: 0 } });
    expect((await history(bucket, "a")).brief).toEqual(after.brief);
    // And removed where that is asked for: only what has a copy.
    expect(await run({ versions: true, removeVersions: true })).toMatchObject({
      versions: { copied: 0, removed: 3, failed: 1 },
      olderVersions: 1,
    });
    expect((await history(bucket, "a")).brief).toEqual(["k2 second", "k2 third", "k2 first", "k2 third"]);
    expect((await history(bucket, "b")).brief).toEqual(["k2 only"]);
    expect(await history(bucket, "gone")).toMatchObject({ brief: ["k1 gone"], marks: 1 });
  },
);

test.for([
  true,
  false,
])("a locked object's new version has its lock, and the locked one stays under its key (copied by the store: %s)", async (copies) => {
  const Bucket = `locked-${copies}-${Date.now()}`;
  await s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
  const ObjectLockRetainUntilDate = new Date(Date.now() + 3_600_000);
  const lock = { ObjectLockMode: "COMPLIANCE", ObjectLockLegalHoldStatus: "ON", ObjectLockRetainUntilDate };
  await put(Bucket, "kept", "k1", { Body: "kept", ...lock });
  const { start, drain, report, messages, engine, ledger } = rig({
    bucket: Bucket,
    limits: { lease: 10_000 },
  });
  const { id } = await start();
  if (!copies) {
    await engine().handle(messages.splice(0).find(({ message }) => message.kind === "list")?.message);
    const { ways } = (await ledger.find(id)) as { ways: string };
    await ledger.setWays(id, JSON.stringify({ ...JSON.parse(ways), copies: false }));
  }
  await drain(id);
  expect(await report(id)).toMatchObject({ state: "done", rotated: 1, failed: 0, olderVersions: 1 });
  const { brief, all } = await history(Bucket, "kept");
  expect(brief).toEqual(["k1 kept", "k2 kept"]);
  for (const { got } of all) {
    expect(got).toMatchObject({ ObjectLockMode: "COMPLIANCE", ObjectLockLegalHoldStatus: "ON" });
    const until = got.ObjectLockRetainUntilDate?.getTime() ?? 0;
    expect(Math.abs(until - ObjectLockRetainUntilDate.getTime())).toBeLessThan(1000);
  }
});

test("versions: what a writer has given a copy's metadata is no copy, and nothing is removed for it", async () => {
  const bucket = await freshBucket(true);
  const { VersionId = "" } = await put(bucket, "a", "k1", { Body: "first" });
  // As whoever downloads an object with its metadata, and uploads it changed.
  await put(bucket, "a", "k2", { Body: "other", Metadata: { "ssec-version-of": VersionId } });
  const { start, drain, report } = rig({ bucket, limits: { lease: 10_000 } });
  const { id } = await start({ versions: true, removeVersions: true });
  await drain(id);
  expect((await history(bucket, "a")).brief).toEqual(["k1 first", "k2 other"]);
  expect(await report(id)).toMatchObject({
    state: "done",
    versions: { copied: 0, removed: 0, failed: 1 },
    olderVersions: 1,
    errors: [{ key: "a", code: "conflict", detail: expect.stringContaining("other bytes") }],
  });
});

test("versions: locked ones are copied and stay, and are named", async () => {
  const Bucket = `locked-${Date.now()}`;
  await s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
  await put(Bucket, "held", "k1", { Body: "first", ObjectLockLegalHoldStatus: "ON" });
  await put(Bucket, "held", "k1", { Body: "second" });
  const { start, drain, report } = rig({ bucket: Bucket, limits: { lease: 10_000 } });
  const { id } = await start({ versions: true, removeVersions: true });
  await drain(id);
  expect(await report(id)).toMatchObject({
    state: "done",
    rotated: 1,
    versions: { copied: 1, removed: 1, failed: 1 },
    olderVersions: 1,
    errors: [{ key: "held", code: "conflict", detail: expect.stringContaining("cannot be removed") }],
  });
  const { brief, all } = await history(Bucket, "held");
  expect(brief).toEqual(["k1 first", "k2 second", "k2 first", "k2 second"]);
  expect(all[2]?.got.ObjectLockLegalHoldStatus).toBe("ON");
});

/** An object of three versions, whose rotation has begun at a store that can be broken. */
async function begunThroughProxy() {
  const bucket = await freshBucket(true);
  for (const Body of ["first", "second", "third"]) await put(bucket, "a", "k1", { Body });
  const proxy = await startFaultProxy(store.url);
  const { start, drain, report } = rig({ bucket, url: proxy.url, limits: { lease: 10_000 } });
  const { id } = await start({ versions: true });
  return { bucket, proxy, drain, report, id };
}

test(
  "versions: whoever is interrupted is gone on from, and what was current is current again",
  { tags: ["thorough"] },
  async () => {
    const { bucket, proxy, drain, report, id } = await begunThroughProxy();
    // The copy of the first version is made, and then the store is gone for a while.
    let copies = 0;
    const isDown = ({ headers, url = "" }: IncomingMessage) =>
      "x-amz-copy-source" in headers && !url.includes("ssec-rotation") && ++copies > 2 && copies < 12;
    proxy.break(
      { on: isDown, answer: error(500, "InternalError") },
      { on: () => copies > 2 && copies < 12, answer: error(500, "InternalError") },
    );
    let isBuried = false;
    await drain(id, {
      meanwhile: async () => {
        if (copies < 3) return;
        const { all } = await history(bucket, "a");
        isBuried ||= all.at(-1)?.body === "first";
        copies += 3;
      },
    });
    proxy.close();
    expect(isBuried).toBe(true);
    expect(await report(id)).toMatchObject({ state: "done", versions: { failed: 0 }, errors: [] });
    const { brief } = await history(bucket, "a");
    expect(brief.slice(-1)).toEqual(["k2 third"]);
    for (const body of ["k2 first", "k2 second"]) expect(brief).toContain(body);
  },
);

test("versions: what a writer writes meanwhile stays on top", { tags: ["thorough"] }, async () => {
  const { bucket, proxy, drain, report, id } = await begunThroughProxy();
  let copies = 0;
  proxy.break({
    on: ({ headers, url = "" }) =>
      "x-amz-copy-source" in headers && !url.includes("ssec-rotation") && ++copies === 3,
    forward: async (request: IncomingMessage) => {
      await put(bucket, "a", "k2", { Body: "written meanwhile" });
      return request;
    },
  });
  await drain(id);
  proxy.close();
  expect(await report(id)).toMatchObject({ state: "done", versions: { failed: 0 }, errors: [] });
  const { brief } = await history(bucket, "a");
  expect(brief.at(-1)).toBe("k2 written meanwhile");
  for (const body of ["k2 first", "k2 second", "k2 third"]) expect(brief).toContain(body);
});

test(
  "more older versions than one message looks at are counted by several, each once",
  { tags: ["thorough"] },
  async () => {
    const bucket = await freshBucket(true);
    const keys = Array.from({ length: 9 }, (_, i) => `object ${i}`);
    for (let n = 0; n < 4; n++) await Promise.all(keys.map((key) => put(bucket, key, "k1")));
    const { start, drain, report } = rig({ bucket, limits: { pageSize: 10 } });
    const { id } = await start({ dryRun: true });
    let pages = 0;
    await drain(id, {
      parallel: 1,
      fate: ({ kind }) => ({ times: kind === "page" && pages++ === 1 ? 2 : 1 }),
    });
    // The second was worked on twice.
    expect(pages).toBe(2);
    expect(await report(id)).toMatchObject({ state: "done", listed: 9, skipped: 9, olderVersions: 27 });
  },
);

test(
  "credentials that may not ask whether there are versions see them by their list, or it is not known",
  { tags: ["thorough"] },
  async () => {
    const bucket = await freshBucket(true);
    for (const Body of ["first", "second"]) await put(bucket, "a", "k1", { Body });
    const proxy = await startFaultProxy(store.url);
    const refused = (...queries: string[]) =>
      proxy.break({
        on: ({ url = "" }) => queries.some((query) => url.includes(`?${query}`)),
        times: Number.POSITIVE_INFINITY,
        answer: error(403, "AccessDenied"),
      });
    const scanned = async () => {
      const { start, drain, report, ledger } = rig({ bucket, url: proxy.url });
      const { id } = await start({ dryRun: true });
      await drain(id);
      const { hidesVersions } = JSON.parse((await ledger.find(id))?.ways ?? "");
      return { olderVersions: (await report(id)).olderVersions, hidesVersions };
    };
    refused("versioning");
    expect(await scanned()).toEqual({ olderVersions: 1, hidesVersions: false });
    refused("versioning", "encoding-type=url&max-keys=1000&versions");
    expect(await scanned()).toEqual({ olderVersions: 0, hidesVersions: true });
    proxy.close();
  },
);

test(
  "of scratch objects, which whoever was killed has left, no version stays",
  { tags: ["thorough"] },
  async () => {
    const bucket = await freshBucket(true);
    await put(bucket, "a", "k1");
    const { start, drain, report } = rig({ bucket });
    const { id } = await start();
    const scratch = `.ssec-rotation-${id}`;
    for (let n = 0; n < 2; n++) await put(bucket, `${scratch}-0123abcd-put`, "root");
    await drain(id);
    expect(await report(id)).toMatchObject({ state: "done", listed: 1, rotated: 1, olderVersions: 1 });
    const { Versions = [], DeleteMarkers = [] } = await s3.send(
      new ListObjectVersionsCommand({ Bucket: bucket, Prefix: scratch }),
    );
    expect([...Versions, ...DeleteMarkers]).toEqual([]);
  },
);

test("a bucket that has stopped keeping versions: the older ones count, and no copy replaces another", async () => {
  const bucket = await freshBucket(true);
  await put(bucket, "a", "k1", { Body: "first" });
  await put(bucket, "a", "k1", { Body: "second" });
  const VersioningConfiguration = { Status: "Suspended" } as const;
  await s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
  const { start, drain, report } = rig({ bucket, limits: { lease: 10_000 } });
  const { id } = await start({ versions: true });
  await drain(id);
  expect(await report(id)).toMatchObject({
    rotated: 1,
    olderVersions: 2,
    versions: { copied: 0, failed: 2 },
    errors: [{ key: "a", detail: expect.stringContaining("keeps no versions") }],
  });
  expect((await history(bucket, "a")).brief).toEqual(["k1 first", "k1 second", "k2 second"]);
});
