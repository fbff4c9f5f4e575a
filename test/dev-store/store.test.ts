/** The development store refuses what S3 refuses, keeps nothing in the clear, and survives a kill. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutBucketCorsCommand,
  PutObjectCommand,
  type S3Client,
  type S3ServiceException,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningStore, startStore } from "../../src/dev-store/index.ts";
import { verify } from "../../src/dev-store/sigv4.ts";
import { s3Client, sourceTriple, triple } from "../support/s3.ts";

const credentials = { accessKeyId: "test", secretAccessKey: randomBytes(20).toString("hex") };
const Bucket = "b-1";
const data = mkdtempSync(join(tmpdir(), "ssec-store-test-"));
let now = Date.now;
let store: RunningStore;
let s3: S3Client;

function clientFor(url: string): S3Client {
  return s3Client({ url, ...credentials }, { maxAttempts: 1 });
}

beforeAll(async () => {
  store = await startStore({ data, credentials, now: () => now() });
  s3 = clientFor(store.url);
  await s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  await store.close();
  rmSync(data, { recursive: true });
});

async function refusal(sent: Promise<unknown>): Promise<string> {
  const error = await sent.then(
    () => {
      throw new Error("was not refused");
    },
    (error: S3ServiceException) => error,
  );
  return `${error.$metadata?.httpStatusCode} ${error.name}`;
}

async function read(Key: string, more: object = {}, client = s3): Promise<Buffer> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, ...more }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

test("AWS's published presigned example is accepted, and nothing a character off", async () => {
  const verifier = {
    credentials: {
      accessKeyId: "AKIAIOSFODNN7EXAMPLE",
      secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    },
    region: "us-east-1",
    now: () => Date.parse("2013-05-24T01:00:00Z"),
  };
  const query = {
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request",
    "X-Amz-Date": "20130524T000000Z",
    "X-Amz-Expires": "86400",
    "X-Amz-SignedHeaders": "host",
    "X-Amz-Signature": "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
  };
  const host = "examplebucket.s3.amazonaws.com";
  const target = { method: "GET", host, path: "/test.txt", query, bucket: "examplebucket", key: "test.txt" };
  await expect(verify(target, { host }, verifier)).resolves.toMatchObject({ payload: "UNSIGNED-PAYLOAD" });
  await expect(verify({ ...target, path: "/test.txu" }, { host }, verifier)).rejects.toThrow(
    /does not match/,
  );
  const later = { ...verifier, now: () => Date.parse("2013-05-25T00:00:01Z") };
  await expect(verify(target, { host }, later)).rejects.toThrow(/expired/);
});

describe("SSE-C", () => {
  test("opens to its key alone, and echoes it", async () => {
    const [key, other] = [triple(), triple()];
    const put = await s3.send(new PutObjectCommand({ Bucket, Key: "sse", Body: "inside", ...key }));
    expect(put.SSECustomerKeyMD5).toBe(key.SSECustomerKeyMD5);
    expect(put.ETag).not.toBe(`"${createHash("md5").update("inside").digest("hex")}"`);
    expect((await read("sse", key)).toString()).toBe("inside");
    expect(await refusal(read("sse"))).toMatch(/^400 InvalidRequest/);
    expect(await refusal(read("sse", other))).toMatch(/^403 AccessDenied/);
    await s3.send(new PutObjectCommand({ Bucket, Key: "plain", Body: "outside" }));
    expect(await refusal(read("plain", key))).toMatch(/^400 InvalidRequest/);
  });

  test.for([
    [{ SSECustomerAlgorithm: undefined }, "400 InvalidArgument"],
    [{ SSECustomerAlgorithm: "AES128" }, "400 InvalidEncryptionAlgorithmError"],
    [{ SSECustomerKeyMD5: createHash("md5").update("x").digest("base64") }, "400 InvalidArgument"],
  ] as const)("%j is refused: %s", async ([change, expected]) => {
    const command = new PutObjectCommand({ Bucket, Key: "bad", Body: "x", ...triple() });
    // Set after the SDK's own middleware, which would mend some of it.
    command.middlewareStack.add(
      (next) => (args) => {
        const { headers } = args.request as { headers: Record<string, string> };
        if ("SSECustomerKeyMD5" in change)
          headers["x-amz-server-side-encryption-customer-key-md5"] = change.SSECustomerKeyMD5;
        else if (change.SSECustomerAlgorithm === undefined)
          delete headers["x-amz-server-side-encryption-customer-algorithm"];
        else headers["x-amz-server-side-encryption-customer-algorithm"] = change.SSECustomerAlgorithm;
        return next(args);
      },
      { step: "build" },
    );
    expect(await refusal(s3.send(command))).toBe(expected);
    expect(await refusal(read("bad"))).toMatch(/^404/);
  });

  test("copies decrypt with one key and encrypt with another, in place as well", async () => {
    const [from, to] = [triple(), triple()];
    await s3.send(
      new PutObjectCommand({ Bucket, Key: "copy", Body: "moved", ContentType: "text/x", ...from }),
    );
    const copy = { Bucket, Key: "copy", CopySource: `${Bucket}/copy`, ...to };
    expect(await refusal(s3.send(new CopyObjectCommand(copy)))).toMatch(/^400/);
    expect(await refusal(s3.send(new CopyObjectCommand({ ...copy, ...sourceTriple(to) })))).toMatch(/^403/);
    await s3.send(new CopyObjectCommand({ ...copy, ...sourceTriple(from) }));
    expect((await read("copy", to)).toString()).toBe("moved");
    expect(await refusal(read("copy", from))).toMatch(/^403/);
  });

  test("lies encrypted on the disk, and its key nowhere", async () => {
    const raw = randomBytes(32);
    const secret = randomBytes(60).toString("hex");
    await s3.send(new PutObjectCommand({ Bucket, Key: "hidden", Body: `one ${secret}`, ...triple(raw) }));
    await s3.send(new PutObjectCommand({ Bucket, Key: "shown", Body: `two ${secret}` }));
    const files = readdirSync(data, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const bytes = files.map((file) => readFileSync(join(file.parentPath, file.name)));
    const holds = (needle: string | Buffer) => bytes.some((content) => content.includes(needle));
    expect(holds(`two ${secret}`)).toBe(true);
    expect(holds(`one ${secret}`)).toBe(false);
    for (const key of [raw, raw.toString("base64"), raw.toString("hex")]) expect(holds(key)).toBe(false);
  });
});

test("any range of an encrypted multipart object is that range of its bytes", async () => {
  const key = triple();
  const parts = [randomBytes(5 * 2 ** 20), randomBytes(100_001)];
  const upload = { Bucket, Key: "ranges", ...key };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(upload));
  const sent = parts.map((Body, i) =>
    s3.send(new UploadPartCommand({ ...upload, UploadId, PartNumber: i + 1, Body })),
  );
  const Parts = (await Promise.all(sent)).map(({ ETag }, i) => ({ ETag, PartNumber: i + 1 }));
  const complete = { ...upload, UploadId, MultipartUpload: { Parts } };
  expect(
    await refusal(
      s3.send(new UploadPartCommand({ ...upload, ...triple(), UploadId, PartNumber: 3, Body: "x" })),
    ),
  ).toMatch(/^400/);
  const { ETag } = await s3.send(new CompleteMultipartUploadCommand(complete));
  expect(ETag).toMatch(/-2"$/);
  expect((await s3.send(new CompleteMultipartUploadCommand(complete))).ETag).toBe(ETag);

  const whole = Buffer.concat(parts);
  const offset = fc.integer({ min: 0, max: whole.length - 1 });
  const nearTheSeam = fc.integer({ min: 5 * 2 ** 20 - 40, max: 5 * 2 ** 20 + 40 });
  const ranges = fc.tuple(fc.oneof(offset, nearTheSeam), fc.integer({ min: 0, max: 100 }));
  await fc.assert(
    fc.asyncProperty(ranges, async ([first, length]) => {
      const got = await read("ranges", { ...key, Range: `bytes=${first}-${first + length}` });
      expect(got.equals(whole.subarray(first, first + length + 1))).toBe(true);
    }),
    { numRuns: 60 },
  );
  expect(await refusal(read("ranges", { ...key, Range: `bytes=${whole.length}-` }))).toMatch(/^416/);
});

describe("signatures", () => {
  test("every x-amz-* header must be signed", async () => {
    const command = new PutObjectCommand({ Bucket, Key: "unsigned", Body: "x" });
    command.middlewareStack.add(
      (next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers["x-amz-meta-late"] = "1";
        return next(args);
      },
      { step: "deserialize" },
    );
    const error = await s3.send(command).catch((error: unknown) => error);
    expect(error).toMatchObject({ name: "AccessDenied", HeadersNotSigned: "x-amz-meta-late" });
  });

  test("clocks may differ by fifteen minutes, regions and keys not at all", async () => {
    const put = (client: S3Client) => client.send(new PutObjectCommand({ Bucket, Key: "clock", Body: "x" }));
    now = () => Date.now() + 16 * 60_000;
    // The SDK would learn the store's clock from the first refusal.
    expect(await refusal(put(clientFor(store.url)))).toMatch(/^403 RequestTimeTooSkewed/);
    now = Date.now;
    const elsewhere = s3Client({ url: store.url, ...credentials }, { region: "eu-1" });
    expect(await refusal(put(elsewhere))).toMatch(/^400 AuthorizationHeaderMalformed/);
    const stranger = s3Client({ url: store.url, ...credentials, secretAccessKey: "guess" });
    expect(await refusal(put(stranger))).toMatch(/^403 SignatureDoesNotMatch/);
    expect((await fetch(`${store.url}/${Bucket}/clock`)).status).toBe(403);
  });
});

test("conditions hold", async () => {
  const put = (more: object) => s3.send(new PutObjectCommand({ Bucket, Key: "cond", Body: "x", ...more }));
  const { ETag } = await put({ IfNoneMatch: "*" });
  expect(await refusal(put({ IfNoneMatch: "*" }))).toMatch(/^412/);
  expect(await refusal(put({ IfMatch: '"other"' }))).toMatch(/^412/);
  await put({ IfMatch: ETag });
  expect(await refusal(read("cond", { IfMatch: '"other"' }))).toMatch(/^412/);
  expect(await refusal(s3.send(new HeadObjectCommand({ Bucket, Key: "cond", IfNoneMatch: ETag })))).toMatch(
    /^304/,
  );
  expect(
    await refusal(
      s3.send(new PutObjectCommand({ Bucket, Key: "md5", Body: "x", ContentMD5: `${"A".repeat(22)}==` })),
    ),
  ).toMatch(/BadDigest/);
});

test("listings are complete, in order, page by page, folded at the delimiter", async () => {
  const keys = ["a/1", "a/2", "b", "c/x/1", "c/y", "ü", "é"].map((key) => `list/${key}`);
  for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
  const listed: string[] = [];
  const folded: string[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket, Prefix: "list/", MaxKeys: 2, ContinuationToken }),
    );
    listed.push(...(page.Contents ?? []).map(({ Key }) => String(Key)));
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
  expect(listed).toEqual([...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
  do {
    const page: ListObjectsV2CommandOutput = await s3.send(
      new ListObjectsV2Command({ Bucket, Prefix: "list/", Delimiter: "/", MaxKeys: 1, ContinuationToken }),
    );
    folded.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => String(Prefix)));
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
  expect(folded).toEqual(["list/a/", "list/c/"]);
  await s3.send(new DeleteObjectCommand({ Bucket, Key: "list/b" }));
  expect(await refusal(read("list/b"))).toMatch(/^404 NoSuchKey/);
});

test("CORS lets in the origins that were named, on refusals too", async () => {
  const rule = {
    AllowedOrigins: ["https://*.example.com"],
    AllowedMethods: ["PUT"],
    AllowedHeaders: ["x-amz-*"],
    ExposeHeaders: ["ETag"],
  };
  await s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [rule] } }));
  const ask = (origin: string, headers: string) =>
    fetch(`${store.url}/${Bucket}/x`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "PUT", "access-control-request-headers": headers },
    });
  const allowed = await ask("https://app.example.com", "x-amz-meta-a");
  expect([allowed.status, allowed.headers.get("access-control-allow-origin")]).toEqual([
    200,
    "https://app.example.com",
  ]);
  expect((await ask("https://evil.test", "x-amz-meta-a")).status).toBe(403);
  expect((await ask("https://app.example.com", "authorization")).status).toBe(403);
  const refused = await fetch(`${store.url}/${Bucket}/x`, {
    method: "PUT",
    body: "x",
    headers: { origin: "https://app.example.com" },
  });
  expect([refused.status, refused.headers.get("access-control-expose-headers")]).toEqual([403, "ETag"]);
});

describe("run alone", () => {
  const dir = mkdtempSync(join(tmpdir(), "ssec-store-alone-"));
  afterAll(() => rmSync(dir, { recursive: true }));

  async function launch(): Promise<{ child: ChildProcess; url: string }> {
    const { accessKeyId, secretAccessKey } = credentials;
    const given = ["--access-key-id", accessKeyId, "--secret-access-key", secretAccessKey];
    const child = spawn(process.execPath, ["src/dev-store/main.ts", "--port", "0", "--data", dir, ...given]);
    const [line] = await once(child.stdout, "data");
    return { child, url: /^store ready (\S+)\n$/.exec(String(line))?.[1] ?? "" };
  }

  test(
    "what it has promised is there after a kill, and nothing half-written",
    { tags: ["thorough"] },
    async () => {
      const first = await launch();
      const client = clientFor(first.url);
      await client.send(new CreateBucketCommand({ Bucket }));
      const key = triple();
      const promised = new Map<string, string>();
      const uploads = Array.from({ length: 120 }, async (_, i) => {
        const Body = randomBytes(50_000).toString("base64");
        await client.send(new PutObjectCommand({ Bucket, Key: `k${i % 40}-${i}`, Body, ...key }));
        promised.set(`k${i % 40}-${i}`, Body);
        if (promised.size === 30) first.child.kill("SIGKILL");
      });
      await Promise.allSettled(uploads);
      expect(promised.size).toBeGreaterThanOrEqual(30);
      expect(promised.size).toBeLessThan(120);

      const second = await launch();
      const again = clientFor(second.url);
      const { Contents = [] } = await again.send(new ListObjectsV2Command({ Bucket }));
      const listed = Contents.map(({ Key }) => String(Key));
      expect(listed).toEqual(expect.arrayContaining([...promised.keys()]));
      for (const name of listed) {
        const body = (await read(name, key, again)).toString();
        expect(body).toHaveLength(66_668);
        if (promised.has(name)) expect(body).toBe(promised.get(name));
      }
      expect(readdirSync(join(dir, "segments"))).toHaveLength(listed.length);

      const third = spawn(process.execPath, ["src/dev-store/main.ts", "--port", "0", "--data", dir]);
      const [said] = await Promise.all([once(third.stderr, "data"), once(third, "exit")]);
      expect(String(said)).toContain("for development only");
      expect(third.exitCode).toBe(1);
      second.child.kill("SIGTERM");
      expect(await once(second.child, "exit")).toEqual([0, null]);
    },
  );
});
