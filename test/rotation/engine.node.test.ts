/** Rotations in this process: what is found, what is re-encrypted, what is kept, and what is counted. */
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
} from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import {
  freshBucket,
  head,
  isUnder,
  type KeyName,
  put,
  type RigOptions,
  s3,
  sse,
  rig as underWay,
  useStore,
} from "./rig.ts";

useStore();

/** Nobody is dead: on a machine that is busy a short lease is lost, and whoever takes it skips what was rotated before. */
const rig = ({ limits, ...options }: RigOptions) =>
  underWay({ ...options, limits: { lease: 30_000, ...limits } });

const names = async (bucket: string) =>
  ((await s3.send(new ListObjectsV2Command({ Bucket: bucket }))).Contents ?? []).map(({ Key }) => Key);

test("every object is re-encrypted, and counted once", async () => {
  const bucket = await freshBucket();
  const keys = Array.from({ length: 45 }, (_, i) => `object ${i}`);
  await Promise.all(keys.map((key, i) => put(bucket, key, i % 5 === 0 ? "k2" : "k1")));
  const { start, drain, report, told, objects } = rig({ bucket });
  const { id } = await start();
  await drain(id);
  expect(await report(id)).toMatchObject({
    state: "done",
    listed: 45,
    isListed: true,
    rotated: 36,
    skipped: 9,
    failed: 0,
    found: { k1: 36, k2: 9, plain: 0, unknown: 0 },
    olderVersions: 0,
    errors: [],
  });
  const areUnder = (name: KeyName) => Promise.all(keys.map((key) => isUnder(bucket, key, name)));
  expect(await areUnder("k2")).toEqual(keys.map(() => true));
  expect(await areUnder("k1")).toEqual(keys.map(() => false));
  // Nothing is left of what it looked with, and every object that was touched is told of.
  expect((await names(bucket)).sort()).toEqual(keys.sort());
  expect(objects.filter(({ result }) => result === "rotated")).toHaveLength(36);
  expect(told[0]).toMatchObject({ operation: "RotateObjects" });
  expect(told.at(-1)).toMatchObject({ operation: "EndRotation" });
  const again = await start();
  await drain(again.id);
  expect(await report(again.id)).toMatchObject({ state: "done", listed: 45, rotated: 0, skipped: 45 });
});

test("a dry run changes nothing, and tells which object is under which key", async () => {
  const bucket = await freshBucket();
  const under: [string, KeyName | undefined][] = [
    ...Array.from({ length: 25 }, (_, i): [string, KeyName] => [`a${i}`, "k1"]),
    ...Array.from({ length: 7 }, (_, i): [string, KeyName] => [`b${i}`, "k2"]),
    ["plain", undefined],
    ["strange", "root2"],
  ];
  for (const [key, name] of under) await put(bucket, key, name);
  const { start, drain, report } = rig({ bucket });
  const { id } = await start({ dryRun: true });
  await drain(id);
  expect(await report(id)).toMatchObject({
    state: "done",
    dryRun: true,
    listed: 34,
    rotated: 0,
    skipped: 32,
    failed: 2,
    found: { k1: 25, k2: 7, plain: 1, unknown: 1 },
    errors: [
      { key: "plain", code: "not-encrypted" },
      { key: "strange", code: "key-unknown" },
    ],
  });
  for (const [key, name] of under) if (name) expect(await isUnder(bucket, key, name), key).toBe(true);
});

test("only what is asked for is touched: a prefix, one key", async () => {
  const bucket = await freshBucket();
  await put(bucket, "a/1", "k1");
  await put(bucket, "a/2", "root");
  await put(bucket, "b/1", "k1");
  const { start, drain, report } = rig({ bucket, keys: ["k2", "k1", "root"] });
  const { id } = await start({ prefix: "a/", from: "k1" });
  await drain(id);
  expect(await report(id)).toMatchObject({ state: "done", from: "k1", prefix: "a/", rotated: 1, skipped: 1 });
  expect(await isUnder(bucket, "a/1", "k2")).toBe(true);
  expect(await isUnder(bucket, "a/2", "root")).toBe(true);
  expect(await isUnder(bucket, "b/1", "k1")).toBe(true);
});

test.for<[KeyName, KeyName]>([
  ["k1", "root"],
  ["root", "k1"],
  ["root", "root2"],
])("from %s to %s", async ([from, to]) => {
  const bucket = await freshBucket();
  const keys = ["one", "two/ü ☃", "three"];
  for (const key of keys) await put(bucket, key, from);
  const { start, drain, report } = rig({ bucket, keys: [to, from] });
  const { id } = await start({ to });
  await drain(id);
  expect(await report(id)).toMatchObject({ state: "done", rotated: 3, failed: 0 });
  for (const key of keys) {
    expect(await isUnder(bucket, key, to), key).toBe(true);
    expect(await isUnder(bucket, key, from), key).toBe(false);
  }
});

const KEPT = {
  ContentType: "text/x-kept",
  CacheControl: "max-age=7",
  ContentDisposition: 'attachment; filename="a b.txt"',
  ContentLanguage: "de",
  ContentEncoding: "gzip",
  Expires: new Date("2030-01-01T00:00:00Z"),
  Metadata: { empty: "", plain: "value", utf8: Buffer.from("Grüße ☃", "utf8").toString("latin1") },
  StorageClass: "STANDARD_IA",
  WebsiteRedirectLocation: "/elsewhere",
  Tagging: "a=1&b=%C3%BC%20x",
} as const;

/** Without what each answer has anew. */
function lasting(answer: Awaited<ReturnType<typeof head>>) {
  const { $metadata, ETag, LastModified, SSECustomerKeyMD5, VersionId, ...rest } = answer ?? {};
  return rest;
}

test.for([true, false])("all that an object has is kept (copied by the store: %s)", async (copies) => {
  const bucket = await freshBucket();
  await put(bucket, "object", "k1", KEPT);
  const before = lasting(await head(bucket, "object", "k1"));
  expect(before).toMatchObject({ ContentType: "text/x-kept", StorageClass: "STANDARD_IA" });
  const { start, drain, report, ledger, messages, engine } = rig({ bucket });
  const { id } = await start();
  if (!copies) {
    // As the store would be found that does not copy.
    const [first] = messages.splice(0);
    await engine().handle(first?.message);
    const { ways } = (await ledger.find(id)) as { ways: string };
    await ledger.setWays(id, JSON.stringify({ ...JSON.parse(ways), copies: false }));
  }
  await drain(id);
  expect(await report(id)).toMatchObject({ state: "done", rotated: 1, failed: 0, errors: [] });
  expect(lasting(await head(bucket, "object", "k2"))).toEqual(before);
  const { TagSet } = await s3.send(new GetObjectTaggingCommand({ Bucket: bucket, Key: "object" }));
  expect(TagSet).toEqual([
    { Key: "a", Value: "1" },
    { Key: "b", Value: "ü x" },
  ]);
  const { Body } = await s3.send(
    new GetObjectCommand({ Bucket: bucket, Key: "object", ...sse("k2", bucket, "object") }),
  );
  expect(await Body?.transformToString()).toBe("the object object");
});

test("odd names: line ends of other scripts, what looks encoded, the longest", async () => {
  const bucket = await freshBucket();
  const odd = [
    "a\u0085b",
    "a\u2028b",
    "%2e%2e",
    "a+b c&d=e?f#g",
    "\u{10ffff}",
    "\uffee",
    " x ",
    "'()*!",
    "a//b",
  ];
  const long = "l".repeat(1024);
  for (const key of [...odd, long]) await put(bucket, key, "k1");
  await put(bucket, "b", "k1");
  const { start, drain, report } = rig({ bucket, limits: { pageSize: 3 } });
  const { id } = await start();
  await drain(id);
  expect(await report(id)).toMatchObject({ state: "done", rotated: odd.length + 2, failed: 0, errors: [] });
  for (const key of [...odd, long, "b"]) expect(await isUnder(bucket, key, "k2"), key).toBe(true);
});

test("a bucket with versions: the current ones are rotated, the others are counted by what they need", async () => {
  const bucket = await freshBucket(true);
  await put(bucket, "a", "k1");
  await put(bucket, "a", "k1");
  await put(bucket, "b", "k2");
  await put(bucket, "gone", "k1");
  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: "gone" }));
  const dry = rig({ bucket });
  const inventory = await dry.start({ dryRun: true });
  await dry.drain(inventory.id);
  expect(await dry.report(inventory.id)).toMatchObject({
    listed: 2,
    found: { k1: 1, k2: 1 },
    olderVersions: 2,
  });
  const { id } = await dry.start();
  await dry.drain(id);
  // What was current until now is an older version from now on.
  expect(await dry.report(id)).toMatchObject({
    rotated: 1,
    skipped: 1,
    found: { k1: 1, k2: 1 },
    olderVersions: 3,
  });
  expect(await names(bucket)).toEqual(["a", "b"]);
});

test("one secret under two names is one key: nothing has to be done", async () => {
  const bucket = await freshBucket();
  await put(bucket, "a", "k1");
  const twin = rig({ bucket, keys: ["k2", "k1"] });
  const { secrets } = await import("./rig.ts");
  const same = rig({ bucket, keys: ["k2", "k1"], secrets: { k2: secrets.k1 } });
  const { id } = await same.start();
  await same.drain(id);
  expect(await same.report(id)).toMatchObject({ state: "done", rotated: 0, skipped: 1, found: { k2: 1 } });
  twin.database.close();
});

test("two rotations of one bucket do not run at once", async () => {
  const bucket = await freshBucket();
  const { start, drain } = rig({ bucket });
  const { id } = await start();
  await expect(start({ dryRun: true })).rejects.toThrow(/running/);
  await drain(id);
  await expect(start({ dryRun: true })).resolves.toMatchObject({ state: "running" });
});

test("an empty bucket is done at once", async () => {
  const bucket = await freshBucket();
  const { start, drain, report } = rig({ bucket });
  const { id } = await start();
  await drain(id);
  expect(await report(id)).toMatchObject({ state: "done", listed: 0, isListed: true, rotated: 0 });
});

test(
  "what lies in the clear is encrypted where that is asked for, and opens to nobody without a key then",
  { tags: ["thorough"] },
  async () => {
    const bucket = await freshBucket();
    const large = Buffer.alloc(11 * 2 ** 20, "in the clear ");
    await put(bucket, "plain", undefined, KEPT);
    await put(bucket, "large", undefined, { Body: large });
    await put(bucket, "old", "k1");
    for (const limits of [{}, { maxCopy: 2 ** 20, copiedPart: 5 * 2 ** 20 }]) {
      const before = lasting(await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: "plain" })));
      const { start, drain, report } = rig({ bucket, limits });
      const inventory = await start({ dryRun: true, encryptPlain: true });
      await drain(inventory.id);
      expect(await report(inventory.id)).toMatchObject({ skipped: 3, failed: 0, found: { plain: 2, k1: 1 } });
      const { id } = await start({ encryptPlain: true });
      await drain(id);
      expect(await report(id)).toMatchObject({
        state: "done",
        encryptPlain: true,
        rotated: 3,
        failed: 0,
        found: { plain: 2, k1: 1 },
        errors: [],
      });
      expect(lasting(await head(bucket, "plain", "k2"))).toEqual({
        ...before,
        SSECustomerAlgorithm: "AES256",
      });
      const Key = "large";
      const got = await s3.send(new GetObjectCommand({ Bucket: bucket, Key, ...sse("k2", bucket, Key) }));
      expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(large)).toBe(true);
      for (const key of ["plain", "large"])
        await expect(s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))).rejects.toThrow();
      await put(bucket, "plain", undefined, KEPT);
      await put(bucket, "large", undefined, { Body: large });
      await put(bucket, "old", "k1");
    }
  },
);

test("what lies in the clear is named, and never touched", async () => {
  const bucket = await freshBucket();
  await put(bucket, "plain", undefined);
  await s3.send(new CopyObjectCommand({ Bucket: bucket, Key: "also plain", CopySource: `${bucket}/plain` }));
  const { start, drain, report } = rig({ bucket });
  const { id } = await start();
  await drain(id);
  expect(await report(id)).toMatchObject({
    rotated: 0,
    failed: 2,
    found: { plain: 2 },
    errors: [
      { key: "also plain", code: "not-encrypted" },
      { key: "plain", code: "not-encrypted" },
    ],
  });
});
