/** The store's folder: an older one is taken over, a newer one and another's are not; and what it is made of. */
import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startStore } from "../../src/dev-store/index.ts";
import { s3Client } from "../support/s3.ts";

const credentials = { accessKeyId: "test", secretAccessKey: randomBytes(20).toString("hex") };
let data = "";
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "ssec-folder-"));
});
afterEach(() => rmSync(data, { recursive: true }));

/** What the first edition of the store left: one bucket, one object, one upload with a part. */
function oldFolder(): void {
  mkdirSync(join(data, "segments"));
  const etag = (body: string) => createHash("md5").update(body).digest("hex");
  const segment = (body: string) => {
    const file = crypto.randomUUID();
    writeFileSync(join(data, "segments", file), body);
    return { file, size: body.length, iv: "" };
  };
  const headers = { "content-type": "text/plain" };
  const common = { keyMd5: null, headers };
  const object = {
    ...common,
    key: "k",
    etag: etag("old"),
    size: 3,
    modified: 1000,
    segments: [segment("old")],
    uploadId: null,
  };
  const upload = { ...common, id: "u1", bucket: "old", key: "m", created: 1000 };
  const part = { number: 1, etag: etag("part"), size: 4, modified: 1000, segment: segment("part") };
  const db = new DatabaseSync(join(data, "store.sqlite"));
  db.exec(`
    CREATE TABLE buckets (name TEXT PRIMARY KEY, created INTEGER NOT NULL, cors TEXT, policy TEXT);
    CREATE TABLE objects (bucket TEXT, key TEXT, json TEXT NOT NULL, PRIMARY KEY (bucket, key)) WITHOUT ROWID;
    CREATE TABLE uploads (id TEXT PRIMARY KEY, bucket TEXT, json TEXT NOT NULL);
    CREATE TABLE parts (upload TEXT, number INTEGER, json TEXT NOT NULL, PRIMARY KEY (upload, number)) WITHOUT ROWID;
    INSERT INTO buckets (name, created) VALUES ('old', 1000);
  `);
  db.prepare("INSERT INTO objects VALUES ('old', 'k', ?)").run(JSON.stringify(object));
  db.prepare("INSERT INTO uploads VALUES ('u1', 'old', ?)").run(JSON.stringify(upload));
  db.prepare("INSERT INTO parts VALUES ('u1', 1, ?)").run(JSON.stringify(part));
  db.close();
}

test("an older folder is taken over whole, and stays so", async () => {
  oldFolder();
  for (const round of [1, 2]) {
    const store = await startStore({ data, credentials });
    const s3 = s3Client({ url: store.url, ...credentials });
    const read = async (Key: string) =>
      (await s3.send(new GetObjectCommand({ Bucket: "old", Key }))).Body?.transformToString();
    expect(await read("k")).toBe("old");
    if (round === 1) {
      const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket: "old" }));
      expect(Uploads).toMatchObject([{ Key: "m", UploadId: "u1" }]);
      const Parts = [{ PartNumber: 1, ETag: createHash("md5").update("part").digest("hex") }];
      await s3.send(
        new CompleteMultipartUploadCommand({
          Bucket: "old",
          Key: "m",
          UploadId: "u1",
          MultipartUpload: { Parts },
        }),
      );
      await s3.send(new PutObjectCommand({ Bucket: "old", Key: "new", Body: "new" }));
    }
    expect(await read("m")).toBe("part");
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: "old" }));
    expect(Contents?.map(({ Key }) => Key)).toEqual(["k", "m", "new"]);
    s3.destroy();
    await store.close();
  }
});

/** A triple for the SDK. */
function under(key: Buffer, prefix = "") {
  const md5 = createHash("md5").update(key).digest("base64");
  const triple = {
    SSECustomerAlgorithm: "AES256",
    SSECustomerKey: key.toString("base64"),
    SSECustomerKeyMD5: md5,
  };
  return Object.fromEntries(Object.entries(triple).map(([name, value]) => [prefix + name, value]));
}

test("what an older store encrypted with the customer's key itself opens, and is copied to another key", async () => {
  oldFolder();
  const [k1, k2, iv] = [randomBytes(32), randomBytes(32), randomBytes(16)];
  const body = "encrypted long ago, in more than one block of the cipher";
  const file = crypto.randomUUID();
  writeFileSync(join(data, "segments", file), createCipheriv("aes-256-ctr", k1, iv).update(body));
  const segments = [{ file, size: body.length, iv: iv.toString("base64") }];
  const keyMd5 = createHash("md5").update(k1).digest("base64");
  const more = { keyMd5, headers: {}, etag: "e", size: body.length, modified: 1000, uploadId: null };
  const db = new DatabaseSync(join(data, "store.sqlite"));
  db.prepare("INSERT INTO objects VALUES ('old', 'sse', ?)").run(
    JSON.stringify({ key: "sse", segments, ...more }),
  );
  db.close();
  const store = await startStore({ data, credentials });
  const s3 = s3Client({ url: store.url, ...credentials });
  const read = async (Key: string, key: Buffer, Range?: string) =>
    (
      await s3.send(new GetObjectCommand({ Bucket: "old", Key, ...under(key), ...(Range && { Range }) }))
    ).Body?.transformToString();
  const copy = (from: Buffer, to: Buffer) =>
    s3.send(
      new CopyObjectCommand({
        ...{ Bucket: "old", Key: "sse", CopySource: "old/sse" },
        ...under(from, "CopySource"),
        ...under(to),
      }),
    );
  expect(await read("sse", k1)).toBe(body);
  await copy(k1, k2);
  expect(await read("sse", k2)).toBe(body);
  // From now on it has a key of its own, and a copy reads no byte: the files of both are one.
  await copy(k2, k1);
  expect(await read("sse", k1, "bytes=17-40")).toBe(body.slice(17, 41));
  await expect(read("sse", k2)).rejects.toThrow();
  const whole = new PutObjectCommand({
    Bucket: "old",
    Key: "large",
    Body: Buffer.alloc(7e5, body),
    ...under(k1),
  });
  await s3.send(whole);
  const source = { CopySource: "old/large", ...under(k1, "CopySource"), ...under(k2) };
  await s3.send(new CopyObjectCommand({ Bucket: "old", Key: "copy", ...source }));
  const links = () =>
    readdirSync(join(data, "segments")).map((name) => statSync(join(data, "segments", name)).nlink);
  expect(links().filter((n) => n === 2)).toHaveLength(2);
  await s3.send(new DeleteObjectCommand({ Bucket: "old", Key: "large" }));
  expect(await read("copy", k2, "bytes=300001-300060")).toBe(
    Buffer.alloc(7e5, body).subarray(300_001, 300_061).toString(),
  );
  expect(links().filter((n) => n === 2)).toEqual([]);
  s3.destroy();
  await store.close();
});

test("a folder that a newer store wrote is left as it is, and says so", async () => {
  const file = join(data, "store.sqlite");
  const db = new DatabaseSync(file);
  db.exec("PRAGMA user_version = 99; CREATE TABLE later (x)");
  db.close();
  await expect(startStore({ data, credentials })).rejects.toThrow(/newer store \(format 99/);
  const after = new DatabaseSync(file);
  expect(after.prepare("SELECT name FROM sqlite_master").all()).toMatchObject([{ name: "later" }]);
  after.close();
});

test("a folder that another store runs on is refused", async () => {
  const store = await startStore({ data, credentials });
  await expect(startStore({ data, credentials })).rejects.toThrow(/another store is running/);
  await store.close();
});

test("the store imports nothing of the product that it is the witness of", () => {
  const dir = new URL("../../src/dev-store/", import.meta.url);
  const files = readdirSync(dir).map((name) => new URL(name, dir));
  expect(files.length).toBeGreaterThan(30);
  for (const file of files) {
    const imports = readFileSync(file, "utf8").matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g);
    for (const [, name = ""] of imports)
      expect(name, file.pathname).toMatch(
        /^(node:|\.\/|fast-xml-parser$|valibot$|commander$|@smithy\/signature-v4$|@fastify\/busboy$)/,
      );
  }
});
