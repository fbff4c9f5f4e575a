/** `ssec put`, `get`, `head`, `rm`, `ls` and `cp`. */
import { createHash, randomBytes } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { freshKey, isCeph, put, send, store } from "../support/client.ts";
import { s3 } from "../support/edge.ts";
import { error, type FaultProxy, isGet, isPart, isPut, startFaultProxy } from "../support/fault-proxy.ts";
import { runHere, ssec, ssecHere, startSsec } from "../support/ssec.ts";
import { MiB, startTransferWorker, token } from "../support/ways.ts";
import type { RunningWorker } from "../support/worker.ts";

const dir = mkdtempSync(join(tmpdir(), "ssec-transfers-"));
afterAll(() => rmSync(dir, { recursive: true }));

const all = (args: string[], input?: Buffer) =>
  input === undefined ? ssecHere(args) : ssec(args, "ALL_TOKEN", input);
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

function file(name: string, bytes: Buffer): string {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return path;
}

async function head(object: string): Promise<Record<string, unknown> & { metadata: Record<string, string> }> {
  const { status, stdout, stderr } = await all(["head", object, "--json"]);
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
}

describe.for([
  ["nothing", 0],
  ["what fits one PUT", 100_000],
  ["parts, the last of them short", 17 * MiB + 1],
] as const)("%s", { timeout: 120_000 }, ([, size]) => {
  const bytes = randomBytes(size);
  const key = freshKey(`ünï/cat & "dog" ${size}.jpg`);
  const object = `media/${key}`;

  let up: Awaited<ReturnType<typeof all>>;
  beforeAll(async () => {
    up = await all(["put", file(`up-${size}`, bytes), object, "--meta", "by=me", "--json"]);
  });

  test("goes up and comes down", async () => {
    expect(up.status, up.stderr).toBe(0);
    expect(JSON.parse(up.stdout)).toMatchObject({
      bucket: "media",
      key,
      keyId: "k2",
      size,
      sha256: sha256(bytes),
    });

    const down = join(dir, `down-${size}`);
    const { status, stdout, stderr } = await all(["get", object, down]);
    expect(status, stderr).toBe(0);
    expect(stdout).toContain(`${size} bytes, SHA-256 ${sha256(bytes)}, as uploaded`);
    expect(readFileSync(down).equals(bytes)).toBe(true);
    expect(readdirSync(dir).filter((name) => name.endsWith(".ssec-part"))).toEqual([]);

    expect(await head(object)).toMatchObject({
      size,
      keyId: "k2",
      contentType: "image/jpeg",
      metadata: { by: "me", sha256: sha256(bytes) },
    });
  });

  test(
    "is copied to another bucket, under that one's key",
    { tags: size > 100_000 ? ["thorough"] : [] },
    async () => {
      const copied = await all(["cp", object, "vault/copies/"]);
      expect(copied.status, copied.stderr).toBe(0);
      // Ceph does not copy encrypted objects.
      expect(copied.stdout).toContain(
        `${size} bytes under k3, copied ${isCeph ? "through this machine" : "by the store"}`,
      );
      expect(await head(`vault/copies/cat & "dog" ${size}.jpg`)).toMatchObject({
        size,
        keyId: "k3",
        contentType: "image/jpeg",
        metadata: { by: "me", sha256: sha256(bytes) },
      });
      const { bytes: came } = await all(["get", `vault/copies/cat & "dog" ${size}.jpg`, "-"]);
      expect(came.equals(bytes)).toBe(true);
    },
  );

  test("is listed, and deleted", async () => {
    const { stdout } = await all(["ls", object.slice(0, -4), "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ key, size });
    expect((await all(["rm", object])).status).toBe(0);
    expect((await all(["ls", object])).stdout).toBe("");
  });
});

test(
  "standard input goes up, and standard output is nothing but the object",
  { tags: ["thorough"], timeout: 60_000 },
  async () => {
    const bytes = randomBytes(9 * MiB + 1);
    const object = `media/${freshKey("dump.sql")}`;
    const up = await all(["put", "-", object, "--cache-control", "no-cache"], bytes);
    expect(up.status, up.stderr).toBe(0);
    expect(up.stdout).toContain(`${bytes.length} bytes under k2, SHA-256 ${sha256(bytes)}`);
    const down = await all(["get", object, "-"]);
    expect(down.status, down.stderr).toBe(0);
    expect(down.bytes.equals(bytes)).toBe(true);
    expect(await head(object)).toMatchObject({ cacheControl: "no-cache" });
  },
);

test("what is wrong is said", { timeout: 60_000 }, async () => {
  const missing = await all(["get", `media/${freshKey()}`, dir]);
  expect(missing).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^ssec: 404: There is no such object/),
  });
  const forbidden = await ssecHere(["put", file("x", randomBytes(1)), "media/other/x"], "LIMITED_TOKEN");
  expect(forbidden).toMatchObject({ status: 1, stderr: expect.stringMatching(/^ssec: 403: /) });
  const nowhere = await all(["put", join(dir, "no-such-file"), "media/x"]);
  expect(nowhere).toMatchObject({ status: 1, stderr: expect.stringContaining("no-such-file") });
  expect(await all(["get", "media"])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("as BUCKET/KEY"),
  });
  expect(await all(["put", "x", "media/x", "--meta", "y"])).toMatchObject({ status: 2 });
});

test("bytes that are not those that were uploaded are thrown away", { timeout: 60_000 }, async () => {
  const key = freshKey();
  await put("media", key, randomBytes(10), { metadata: { sha256: sha256(randomBytes(10)) } });
  const path = join(dir, "damaged");
  const { status, stderr } = await all(["get", `media/${key}`, path]);
  expect(status).toBe(1);
  expect(stderr).toContain("what came is not what was uploaded");
  expect(existsSync(path)).toBe(false);
});

describe("through a store that is watched", { timeout: 120_000 }, () => {
  let proxy: FaultProxy;
  let worker: RunningWorker;
  beforeAll(async () => {
    proxy = await startFaultProxy(store.url);
    worker = await startTransferWorker(proxy.url);
  });
  afterEach(() => proxy.break());
  afterAll(async () => {
    await worker?.close();
    proxy?.close();
  });

  const env = { SSEC_TOKEN: token, XDG_STATE_HOME: join(dir, "state") };
  /** A process of its own, which can be killed. */
  const apart = (...args: string[]) => startSsec(["--url", worker.url, ...args], env);
  const watched = (...args: string[]) => runHere(["--url", worker.url, ...args], env);
  const partOf = ({ url = "" }: IncomingMessage) => Number(/partNumber=(\d+)/.exec(url)?.[1]);

  async function openUploads(key: string): Promise<number> {
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: "media", Prefix: key }));
    return Uploads.length;
  }

  async function killUpload(size: number, moments: number): Promise<void> {
    const bytes = randomBytes(size);
    const path = file("killed", bytes);
    const key = freshKey("killed.bin");
    const kill = 1 + Math.floor(Math.random() * moments);
    const sent: number[] = [];
    const watch = (request: IncomingMessage) => {
      if (isPart(request)) sent.push(partOf(request));
      return false;
    };
    let first: ReturnType<typeof apart> | undefined;
    proxy.break({
      on: (request) => {
        watch(request);
        if (sent.length === kill) first?.child.kill("SIGKILL");
        return false;
      },
    });
    first = apart("put", path, `media/${key}`, "--parallel", "2");
    expect((await first.ended).status).toBeNull();
    const partCount = Math.ceil(size / remembered(key).partSize);
    const held = new Set(await heldParts(key));

    sent.length = 0;
    proxy.break({ on: watch });
    const second = await watched("put", path, `media/${key}`, "--resume");
    expect(second.status, second.stderr).toBe(0);
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.filter((number) => held.has(number))).toEqual([]);
    expect(sent.length).toBeLessThanOrEqual(partCount - held.size);

    proxy.break();
    const { status, bytes: came } = await watched("get", `media/${key}`, "-");
    expect(status).toBe(0);
    expect(came.equals(bytes)).toBe(true);
    expect(await openUploads(key)).toBe(0);
  }
  const KILLED = "an upload of %i MiB that is killed at any moment resumes, and only what is missing is sent";
  test.for([
    [18, 2],
    [100, 9],
  ] as const)(KILLED, { tags: ["thorough"] }, ([size, moments]) => killUpload(size * MiB, moments));

  async function heldParts(key: string): Promise<number[]> {
    const { uploadId, keyId } = remembered(key);
    const response = await fetch(`${worker.url}/v1/multipart/parts`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ bucket: "media", key, keyId, uploadId }),
    });
    const { parts } = (await response.json()) as { parts: { partNumber: number }[] };
    return parts.map(({ partNumber }) => partNumber);
  }

  /** What the command line has written down of an upload. */
  function remembered(key: string): { uploadId: string; keyId: string; partSize: number } {
    const folder = join(dir, "state/ssec-edge/transfers");
    const notes = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
    const note = notes.map((text) => JSON.parse(text)).find((each) => each.key === key);
    expect(Object.keys(note).sort()).toEqual(["bucket", "key", "keyId", "partSize", "sha256", "uploadId"]);
    return note;
  }

  async function killDownload(size: number, killedAt: number): Promise<void> {
    const bytes = randomBytes(size);
    const key = freshKey("big.bin");
    const up = await watched("put", file("big", bytes), `media/${key}`);
    expect(up.status, up.stderr).toBe(0);
    const path = join(dir, `big-again-${size}`);
    const ranges: string[] = [];
    let first: ReturnType<typeof apart> | undefined;
    proxy.break({
      on: (request) => {
        if (isGet(request)) ranges.push(String(request.headers.range));
        if (ranges.length === killedAt) first?.child.kill("SIGKILL");
        return false;
      },
    });
    first = apart("get", `media/${key}`, path, "--parallel", "1");
    expect((await first.ended).status).toBeNull();
    expect(existsSync(path)).toBe(false);
    // A part is asked for when those before it have been written.
    const begun = ranges.splice(0).slice(0, killedAt - 1);
    proxy.break({
      on: (request) => {
        if (isGet(request)) ranges.push(String(request.headers.range));
        return false;
      },
    });
    const second = await watched("get", `media/${key}`, path, "--resume");
    expect(second.status, second.stderr).toBe(0);
    expect(ranges.filter((range) => begun.includes(range))).toEqual([]);
    expect(ranges).toHaveLength(Math.ceil(size / (16 * MiB)) - begun.length);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  }
  const FETCHED = "a download of %i MiB that is killed resumes, and only what is missing is fetched";
  test.for([
    [20, 2],
    [100, 5],
  ] as const)(FETCHED, { tags: ["thorough"] }, ([size, killedAt]) => killDownload(size * MiB, killedAt));

  test("the parts of a download do not wait for the first", { tags: ["thorough"] }, async () => {
    const key = freshKey("side-by-side.bin");
    const up = await watched("put", file("side-by-side", randomBytes(40 * MiB)), `media/${key}`);
    expect(up.status, up.stderr).toBe(0);
    const ranges: string[] = [];
    let down: ReturnType<typeof apart> | undefined;
    proxy.break({
      on: (request) => {
        if (!isGet(request)) return false;
        ranges.push(String(request.headers.range));
        if (ranges.length === 2) down?.child.kill("SIGKILL");
        return ranges.length === 1;
      },
      stallAnswerAfter: MiB,
    });
    down = apart("get", `media/${key}`, join(dir, "side-by-side-again"));
    await down.ended;
    expect(ranges.slice(0, 2)).toEqual(["bytes=0-16777215", "bytes=16777216-33554431"]);
  });

  test(
    "a store that fails now and then is asked again, and one that goes on failing is told",
    { tags: ["thorough"] },
    async () => {
      const bytes = randomBytes(9 * MiB);
      const path = file("unlucky", bytes);
      const object = `media/${freshKey()}`;
      proxy.break(
        { on: isPart, times: 2, answer: error(503, "SlowDown") },
        { on: isPart, times: 1, cutRequestAfter: MiB },
      );
      expect((await watched("put", path, object)).status).toBe(0);
      proxy.break({ on: isGet, times: 2, cutAnswerAfter: MiB });
      const down = await watched("get", object, "-");
      expect(down.bytes.equals(bytes)).toBe(true);
      proxy.break({ on: isGet, times: 99, answer: error(503, "SlowDown") });
      const told = await watched("get", object, "-");
      expect(told).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/^ssec: the store answers 503 SlowDown/m),
      });
    },
  );

  test("a short file goes up through a store that fails now and then", async () => {
    const path = file("short-unlucky", randomBytes(100_000));
    proxy.break(
      { on: isPut, times: 1, answer: error(503, "SlowDown") },
      { on: isPut, times: 1, answer: error(400, "RequestTimeout") },
      { on: isPut, times: 1, cutRequestAfter: 10_000 },
    );
    const { status, stderr } = await watched("put", path, `media/${freshKey()}`);
    expect(status, stderr).toBe(0);
  });

  test.for([
    ["in one piece", isPut, 1000],
    ["in parts", isPart, 9 * MiB],
  ] as const)("a store that does not say that it encrypted has not: %s", async ([, on, size]) => {
    const key = freshKey();
    proxy.break({
      on,
      times: 99,
      headers: (headers) => delete headers["x-amz-server-side-encryption-customer-algorithm"],
    });
    const told = await watched("put", file("unproved", randomBytes(size)), `media/${key}`);
    expect(told).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(
        /^ssec: the store did not say that it encrypted: remove the object, and see `ssec check --live`/m,
      ),
    });
  });

  /** The file grows as soon as the first of these requests comes. */
  const growAtFirst = (isOne: (request: IncomingMessage) => boolean, path: string) => {
    let hasChanged = false;
    proxy.break({
      on: (request) => {
        if (isOne(request) && !hasChanged) appendFileSync(path, "more");
        hasChanged ||= isOne(request);
        return false;
      },
    });
  };

  test(
    "a file that changes while it goes up is refused, and nothing stays in the store",
    { tags: ["thorough"] },
    async () => {
      const path = file("changing", randomBytes(9 * MiB));
      const key = freshKey();
      growAtFirst(isPart, path);
      const { status, stderr } = await watched("put", path, `media/${key}`);
      expect(status).toBe(1);
      expect(stderr).toContain("changed while it was uploaded");
      expect(await openUploads(key)).toBe(0);
      expect((await watched("head", `media/${key}`)).status).toBe(1);
    },
  );

  test("a short file that changes while it goes up is refused, and is not in the store", async () => {
    const path = file("short", randomBytes(100_000));
    const key = freshKey();
    growAtFirst(isPut, path);
    const changed = await watched("put", path, `media/${key}`);
    expect(changed).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("changed while it was uploaded"),
    });
    expect((await watched("head", `media/${key}`)).status).toBe(1);
    expect((await watched("put", path, `media/${key}`)).status).toBe(0);
  });

  test("Ctrl-C names an upload whose parts are in the store", { tags: ["thorough"] }, async () => {
    const path = file("interrupted", randomBytes(17 * MiB));
    const key = freshKey();
    let running: ReturnType<typeof apart> | undefined;
    let parts = 0;
    proxy.break({
      on: (request) => {
        if (isPart(request) && ++parts === 2) running?.child.kill("SIGINT");
        return false;
      },
    });
    running = apart("put", path, `media/${key}`, "--jobs", "1");
    const { status, stderr } = await running.ended;
    expect(status).toBe(130);
    expect(stderr).toContain("--resume goes on");
    expect(stderr).toContain(`media/${key}: its parts so far stay in the store`);
    proxy.break();
    expect((await watched("put", path, `media/${key}`, "--resume")).status).toBe(0);
    expect(await openUploads(key)).toBe(0);
  });

  test("the same file to the same object twice at once is done once", { tags: ["thorough"] }, async () => {
    const path = file("twice", randomBytes(9 * MiB));
    const object = `media/${freshKey()}`;
    let begun: () => void = () => {};
    const isBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    let go: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    proxy.break({
      on: isPart,
      times: 1,
      forward: async (request) => {
        begun();
        await held;
        return request;
      },
    });
    const state = { SSEC_TOKEN: token };
    const first = startSsec(["--url", worker.url, "put", path, object], state);
    await isBegun;
    const second = await ssecHere(["put", path, object], token, worker.url);
    expect(second).toMatchObject({ status: 1, stderr: expect.stringContaining("under way already") });
    go();
    expect((await first.ended).status).toBe(0);
  });

  test.for([
    ["short", 1000],
    ["in parts", 9 * MiB],
  ] as const)(
    "a copy through this machine keeps all that is kept of an object, %s",
    { tags: ["thorough"] },
    async ([, size]) => {
      const key = freshKey();
      const up = await presigned({
        operation: "PutObject",
        bucket: "media",
        key,
        contentType: "text/x-mine",
        cacheControl: "max-age=60",
        contentDisposition: 'attachment; filename="a b.txt"',
        contentEncoding: "identity-of-mine",
        contentLanguage: "is",
        expires: "2030-01-01T00:00:00Z",
        // Ceph has but the classes that its operator makes.
        ...(!isCeph && { storageClass: "STANDARD_IA" }),
        websiteRedirectLocation: "/elsewhere",
        tagging: { "kind of": "cat + dog = 2", empty: "", ü: "ñ" },
        metadata: { by: "me", empty: "", word: "=?UTF-8?B?Wm/Dqw==?=" },
      });
      const sent = await send(up, randomBytes(size));
      expect(sent.status, sent.text).toBe(200);
      const isCopy = ({ headers }: IncomingMessage) => headers["x-amz-copy-source"] !== undefined;
      proxy.break({ on: isCopy, times: 99, answer: error(501, "NotImplemented") });
      const copied = await ssecHere(["cp", `media/${key}`, `media/${key}.copy`], token, worker.url);
      expect(copied.status, copied.stderr).toBe(0);
      expect(copied.stdout).toContain("copied through this machine");
      const headed = async (name: string) => {
        const { stdout } = await ssecHere(["head", `media/${name}`, "--json"], token, worker.url);
        const { key: _, etag, lastModified, versionId, ...kept } = JSON.parse(stdout);
        return kept;
      };
      const original = await headed(key);
      expect(original).toMatchObject({
        size,
        tagCount: 3,
        contentType: "text/x-mine",
        metadata: { word: "Zoë" },
      });
      expect(await headed(`${key}.copy`)).toEqual(original);
      const tagsOf = async (name: string) =>
        (await send(await presigned({ operation: "GetObjectTagging", bucket: "media", key: name }))).text;
      expect(
        [...(await tagsOf(`${key}.copy`)).matchAll(/<Value>(.*?)<\/Value>/g)]
          .map(([, value]) => value)
          .sort(),
      ).toEqual([...(await tagsOf(key)).matchAll(/<Value>(.*?)<\/Value>/g)].map(([, value]) => value).sort());
    },
  );

  test("a copy that lacks something of the object is a failure", async () => {
    const key = freshKey();
    const up = await presigned({ operation: "PutObject", bucket: "media", key, metadata: { by: "me" } });
    expect((await send(up, "x")).status).toBe(200);
    proxy.break({
      on: ({ method, url = "" }) => method === "HEAD" && url.includes(".copy"),
      times: 99,
      headers: (headers) => {
        delete headers["x-amz-meta-by"];
      },
    });
    expect(await ssecHere(["cp", `media/${key}`, `media/${key}.copy`], token, worker.url)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("without what the object has: metadata.by"),
    });
  });

  async function presigned(request: object): Promise<Parameters<typeof send>[0]> {
    const response = await fetch(`${worker.url}/v1/presign`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(request),
    });
    const answer = await response.json();
    expect(response.status, JSON.stringify(answer)).toBe(200);
    return answer as Parameters<typeof send>[0];
  }
});
