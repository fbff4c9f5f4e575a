/** Rotations over HTTP: begun by an admin, carried by the Worker's own queue, while readers and writers go on. */
import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import {
  CopyObjectCommand,
  CreateBucketCommand,
  GetObjectAclCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RotationReport } from "../../src/rotation/state.ts";
import { isCeph, store } from "../support/client.ts";
import { s3 } from "../support/edge.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { s3Client, triple } from "../support/s3.ts";
import { type RunningWorker, startTestWorker } from "../support/worker.ts";

const OBJECTS = 60;
const bucket = `rotation-${randomBytes(6).toString("hex")}`;
const token = () => randomBytes(24).toString("base64url");
const secrets = {
  ID: store.accessKeyId,
  SECRET: store.secretAccessKey,
  KEY_1: randomBytes(32).toString("base64"),
  KEY_2: randomBytes(32).toString("base64"),
  KEY_ROOT: randomBytes(32).toString("base64"),
  ADMIN: token(),
  USER: token(),
  PART: token(),
};
const everything = ["read", "write", "delete"];
const names = ["before", "now", "derived"];
const env = {
  STORES: {
    main: {
      endpoint: store.url,
      region: "us-east-1",
      addressing: "path",
      accessKeyId: "ID",
      secretAccessKey: "SECRET",
    },
  },
  KEYS: { k1: { secret: "KEY_1" }, k2: { secret: "KEY_2" }, root: { secret: "KEY_ROOT", derive: true } },
  // One place, before, during and after.
  BUCKETS: {
    before: { store: "main", name: bucket, keys: ["k1"] },
    now: { store: "main", name: bucket, keys: ["k2", "k1"] },
    derived: { store: "main", name: bucket, keys: ["root", "k2", "k1"] },
  },
  CALLERS: {
    admin: { token: "ADMIN", grants: names.map((name) => ({ bucket: name, prefix: "", allow: ["admin"] })) },
    user: { token: "USER", grants: names.map((name) => ({ bucket: name, prefix: "", allow: everything })) },
    part: { token: "PART", grants: [{ bucket: "now", prefix: "part/", allow: ["admin"] }] },
  },
  ...secrets,
};

let worker: RunningWorker;
const log: string[] = [];

beforeAll(async () => {
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  worker = await startTestWorker({
    env,
    without: ["RATE_LIMIT"],
    onLog: (line) => void log.push(line),
  });
});
afterAll(() => worker?.close());

type Who = "ADMIN" | "USER" | "PART";

const call = (path: string, init: RequestInit = {}, who: Who = "ADMIN") =>
  fetch(`${worker.url}/v1${path}`, {
    ...init,
    headers: { authorization: `Bearer ${secrets[who]}`, ...init.headers },
  });

const post = (body: object, who?: Who, path = "/rotations") =>
  call(path, { method: "POST", body: JSON.stringify(body) }, who);

async function refused(answer: Promise<Response>): Promise<string> {
  const response = await answer;
  const { code } = (await response.json()) as { code: string };
  return `${response.status} ${code}`;
}

async function started(body: object): Promise<RotationReport> {
  const response = await post(body);
  const report = (await response.json()) as RotationReport;
  expect(response.status, JSON.stringify(report)).toBe(202);
  return report;
}

async function ended(id: string): Promise<RotationReport> {
  for (const until = Date.now() + 90_000; Date.now() < until; ) {
    const report = (await (await call(`/rotations/${id}`)).json()) as RotationReport;
    if (report.state !== "running") return report;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("the rotation does not end");
}

const put = async (name: string, key: string, body: string | Uint8Array<ArrayBuffer>, headers = {}) => {
  const response = await call(`/objects/${name}/${key}`, { method: "PUT", body, headers }, "USER");
  expect(response.status, await response.text()).toBe(200);
};

async function presigned(name: string, key: string): Promise<Response> {
  const answer = await post({ operation: "GetObject", bucket: name, key }, "USER", "/presign");
  const { url, headers } = (await answer.json()) as { url: string; headers: Record<string, string> };
  return fetch(url, { headers });
}

test(
  "every object stays readable while the bucket is rotated, and is under the new key then",
  { tags: ["thorough"], timeout: 180_000 },
  async () => {
    const keys = Array.from({ length: OBJECTS }, (_, i) => `objects/${i}`);
    for (const key of keys) await put("before", key, `the object ${key}`, { "x-amz-meta-n": key });
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: "objects/plain", Body: "plain" }));

    const { id } = await started({ bucket: "now" });
    let isOver = false;
    let reads = 0;
    const reading = Promise.all(
      [0, 1].map(async (lane) => {
        for (let i = lane; !isOver; i += 7) {
          const key = keys[i % keys.length] as string;
          const edge = await call(`/objects/now/${key}`, {}, "USER");
          expect([edge.status, await edge.text()]).toEqual([200, `the object ${key}`]);
          // A URL is for the key that the object was under when it was asked for.
          const direct = await presigned("now", key);
          const isStale = direct.status === 400 || direct.status === 403;
          const body = isStale ? await presigned("now", key) : direct;
          expect([body.status, await body.text()]).toEqual([200, `the object ${key}`]);
          reads++;
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      }),
    );
    // Its failure is met below.
    reading.catch(() => {});
    const done = await ended(id).finally(() => {
      isOver = true;
    });
    await reading;
    expect(reads).toBeGreaterThan(3);
    expect(done).toMatchObject({
      bucket: "now",
      prefix: "",
      to: "k2",
      dryRun: false,
      state: "done",
      listed: OBJECTS + 1,
      rotated: OBJECTS,
      skipped: 0,
      failed: 1,
      found: { k1: OBJECTS, plain: 1, unknown: 0 },
      olderVersions: 0,
      errors: [{ key: "objects/plain", code: "not-encrypted" }],
    });
    expect(done.bytes).toBe(keys.reduce((sum, key) => sum + `the object ${key}`.length, 0));
    for (const key of keys) {
      const now = await call(`/objects/now/${key}`, {}, "USER");
      expect([now.headers.get("x-ssec-key-id"), now.headers.get("x-amz-meta-n")]).toEqual(["k2", key]);
      await now.body?.cancel();
    }
    const old = await call(`/objects/before/${keys[0]}`, {}, "USER");
    expect(old.status).toBe(409);

    const again = await ended((await started({ bucket: "now" })).id);
    expect(again).toMatchObject({
      state: "done",
      listed: OBJECTS + 1,
      rotated: 0,
      skipped: OBJECTS,
      failed: 1,
    });

    const errors = (await (await call(`/rotations/${id}/errors`)).json()) as object;
    expect(errors).toEqual({
      errors: [{ key: "objects/plain", code: "not-encrypted", detail: expect.any(String) }],
    });
    const { rotations } = (await (await call("/rotations?bucket=now")).json()) as {
      rotations: RotationReport[];
    };
    expect(rotations.map((rotation) => rotation.id)).toEqual([again.id, id]);

    // One line an object, one event a page, and the beginning and the end.
    const lines = log.flatMap((line) =>
      line.startsWith("{") ? [JSON.parse(line) as Record<string, unknown>] : [],
    );
    const touched = lines.filter(({ event, rotation }) => event === "rotation" && rotation === id);
    expect(touched.filter(({ result }) => result === "rotated")).toHaveLength(OBJECTS);
    const operations = lines.flatMap(({ event, operation }) => (event === "audit" ? [operation] : []));
    for (const operation of ["StartRotation", "RotateObjects", "EndRotation"])
      expect(operations).toContain(operation);
    const text = log.join("\n");
    for (const secret of [secrets.KEY_1, secrets.KEY_2, secrets.ADMIN]) expect(text).not.toContain(secret);
  },
);

test(
  "what is kept: metadata that is empty or not ASCII, content headers, lists of access, and what is larger than one piece",
  { tags: ["thorough"] },
  async () => {
    const large = randomBytes(3 * 2 ** 20);
    const headers = {
      "content-type": "text/x-kept",
      "cache-control": "max-age=7",
      "content-disposition": "inline",
      "x-amz-meta-empty": "",
      "x-amz-meta-kept": "yes",
    };
    await put("before", "kept/large", new Uint8Array(large), headers);
    await put("before", "kept/small", "small", { ...headers, "content-encoding": "gzip" });
    const sse = (name: "KEY_1" | "KEY_2") => triple(Buffer.from(secrets[name], "base64"));
    // Node takes no characters beyond a byte each; whatever bytes arrive are to stay.
    const utf8 = Buffer.from("Grüße ☃", "utf8").toString("latin1");
    const accents = { Bucket: bucket, Key: "kept/accents" };
    await s3.send(new PutObjectCommand({ ...accents, Body: "x", Metadata: { utf8 }, ...sse("KEY_1") }));
    const before = await s3.send(new HeadObjectCommand({ ...accents, ...sse("KEY_1") }));
    expect(before.Metadata?.utf8).toMatch(/[^ -~]/);
    // Where objects have lists of their own.
    const listed = { Bucket: bucket, Key: "kept/listed" };
    if (isCeph) {
      await s3.send(new PutObjectCommand({ ...listed, Body: "x", ACL: "public-read", ...sse("KEY_1") }));
    } else await put("before", listed.Key, "x");
    const grantsOf = async () => (await s3.send(new GetObjectAclCommand(listed))).Grants;
    const grants = await grantsOf();
    if (isCeph) expect(JSON.stringify(grants)).toContain("AllUsers");
    const done = await ended((await started({ bucket: "now", prefix: "kept/" })).id);
    expect(done).toMatchObject({ state: "done", rotated: 4, failed: 0, errors: [] });
    expect(await grantsOf()).toEqual(grants);
    const { Metadata } = await s3.send(new HeadObjectCommand({ ...accents, ...sse("KEY_2") }));
    expect(Metadata).toEqual(before.Metadata);
    for (const [key, body] of [
      ["kept/large", large],
      ["kept/small", Buffer.from("small")],
    ] as const) {
      const head = await call(`/objects/now/${key}`, { method: "HEAD" }, "USER");
      expect(Object.fromEntries(head.headers)).toMatchObject({
        ...headers,
        "cache-control": "no-store",
        "content-length": String(body.length),
        "x-ssec-key-id": "k2",
      });
    }
    const got = await call("/objects/now/kept/large", {}, "USER");
    expect(Buffer.from(await got.arrayBuffer()).equals(large)).toBe(true);
  },
);

test(
  "a dry run tells which object is under which key; the keys tell what needs them",
  { timeout: 60_000 },
  async () => {
    const look = async () => ended((await started({ bucket: "now", dryRun: true })).id);
    const { found } = await look();
    await put("before", "dry/old", "x");
    await put("now", "dry/new", "x");
    const report = await look();
    const { KeyCount } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
    expect(report).toMatchObject({ state: "done", dryRun: true, rotated: 0, listed: KeyCount });
    const k1 = (found.k1 ?? 0) + 1;
    expect(report.found).toEqual({ ...found, k1, k2: (found.k2 ?? 0) + 1 });
    expect((await call("/objects/before/dry/old", {}, "USER")).status).toBe(200);
    const { keys } = (await (await call("/keys")).json()) as { keys: { id: string; neededBy?: object }[] };
    // "before" was not scanned by its own name.
    expect(keys.find((key) => key.id === "k1")?.neededBy).toMatchObject({
      objects: k1,
      complete: false,
      scannedAt: expect.any(String),
    });
    expect(keys.find((key) => key.id === "root")?.neededBy).toBeUndefined();
  },
);

test("from a shared key to one an object", { tags: ["thorough"], timeout: 60_000 }, async () => {
  await put("before", "to-root/a", "a");
  await put("before", "to-root/b", "b");
  const done = await ended((await started({ bucket: "derived", prefix: "to-root/" })).id);
  expect(done).toMatchObject({ to: "root", rotated: 2, failed: 0 });
  const a = await call("/objects/derived/to-root/a", {}, "USER");
  expect([a.headers.get("x-ssec-key-id"), await a.text()]).toEqual(["root", "a"]);
});

test("cancelled, it stops; resumed, it goes on", { timeout: 60_000 }, async () => {
  const { id } = await started({ bucket: "now" });
  const cancelled = await call(`/rotations/${id}`, { method: "DELETE" });
  expect(cancelled.status).toBe(200);
  expect(((await cancelled.json()) as RotationReport).state).toBe("cancelled");
  expect((await call(`/rotations/${id}`, { method: "DELETE" })).status).toBe(200);
  const resumed = await call(`/rotations/${id}/resume`, { method: "POST" });
  expect(((await resumed.json()) as RotationReport).state).toBe("running");
  expect(await ended(id)).toMatchObject({ state: "done" });
  expect(await refused(call(`/rotations/${id}`, { method: "DELETE" }))).toBe("409 conflict");
  expect(await refused(call(`/rotations/${id}/resume`, { method: "POST" }))).toBe("409 conflict");
});

describe("refused", () => {
  test.for<[string, object, Who, string]>([
    ["whoever is no admin", { bucket: "now" }, "USER", "403 forbidden"],
    ["a bucket that there is not", { bucket: "nowhere" }, "ADMIN", "403 forbidden"],
    ["more than the caller administers", { bucket: "now" }, "PART", "403 forbidden"],
    ["a field that there is not", { bucket: "now", force: true }, "ADMIN", "400 invalid-request"],
    [
      "removal of what is not copied",
      { bucket: "now", removeVersions: true },
      "ADMIN",
      "400 invalid-request",
    ],
    ["half a character", { bucket: "now", prefix: "\ud83d" }, "ADMIN", "400 invalid-request"],
    ["a key of another bucket", { bucket: "now", to: "root" }, "ADMIN", "400 invalid-request"],
    ["from a key to itself", { bucket: "now", from: "k2" }, "ADMIN", "400 invalid-request"],
  ])("%s", async ([, body, who, expected]) => {
    expect(await refused(post(body, who))).toBe(expected);
  });

  test("another, while one runs in the same place", { timeout: 60_000 }, async () => {
    const answers = await Promise.all(
      ["now", "derived", "now"].map((name) => post({ bucket: name, prefix: "none/", dryRun: true })),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses[0]).toBe(202);
    expect(statuses.slice(1).every((status) => status === 409 || status === 202)).toBe(true);
    expect(statuses).toContain(409);
    for (const answer of answers.filter(({ status }) => status === 202))
      await ended(((await answer.json()) as RotationReport).id);
  });

  test("what is not for the caller to see is not there", { timeout: 60_000 }, async () => {
    const { id } = await started({ bucket: "now", prefix: "none/", dryRun: true });
    await ended(id);
    expect(await refused(call(`/rotations/${id}`, {}, "PART"))).toBe("404 not-found");
    expect(await refused(call(`/rotations/${id}`, {}, "USER"))).toBe("403 forbidden");
    expect(await refused(call("/rotations/nothing"))).toBe("404 not-found");
    expect(await refused(call("/rotations?bucket=derived", {}, "PART"))).toBe("403 forbidden");
    expect(await refused(call(`/rotations/${id}`, { method: "PUT" }))).toBe("405 method-not-allowed");
    const { rotations } = (await (await call("/rotations", {}, "PART")).json()) as { rotations: object[] };
    expect(rotations).toEqual([]);
  });
});

test(
  "what is re-encrypted between the look for its key and its reading is read all the same, and looked for once",
  { tags: ["thorough"] },
  async () => {
    const proxy = await startFaultProxy(store.url);
    const main = { ...env.STORES.main, endpoint: proxy.url };
    const own = await startTestWorker({
      env: { ...env, STORES: { main } },
      without: ["RATE_LIMIT"],
    });
    const sse = triple(Buffer.from(secrets.KEY_2, "base64"));
    const read = (key: string) =>
      fetch(`${own.url}/v1/objects/now/${key}`, { headers: { authorization: `Bearer ${secrets.USER}` } });
    try {
      for (const [key, moment] of [
        ["race/found", ({ method }: IncomingMessage) => method === "GET"],
        // By then the new key has been tried, in vain.
        [
          "race/sought",
          ({ headers }: IncomingMessage) =>
            headers["x-amz-server-side-encryption-customer-key"] === secrets.KEY_1,
        ],
      ] as const) {
        await put("before", key, "as it was");
        const reencrypt = async (request: IncomingMessage) => {
          await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: "as it was", ...sse }));
          return request;
        };
        let isDone = false;
        proxy.break({
          on: (request) => {
            const isNow = !isDone && !!request.url?.includes(key) && moment(request);
            isDone ||= isNow;
            return isNow;
          },
          forward: reencrypt,
        });
        const response = await read(key);
        expect([isDone, response.status, await response.text()], key).toEqual([true, 200, "as it was"]);
      }
      // The key that it was found under is tried first the next time; and it need not be true any more.
      await put("before", "found/again", "as it was");
      const heads: number[] = [];
      for (const isReplaced of [false, false, true, false]) {
        if (isReplaced) await put("now", "found/again", "as it was");
        let count = 0;
        proxy.break({ on: ({ method }) => method === "HEAD" && ++count < 0, answer: () => {} });
        const response = await read("found/again");
        expect([response.status, await response.text()]).toEqual([200, "as it was"]);
        heads.push(count);
      }
      expect(heads).toEqual([2, 1, 2, 1]);
    } finally {
      await own.close();
      proxy.close();
    }
  },
);

/** What finds the key that an object lies under, and then uses it. */
const USES: readonly [string, (url: string, key: string) => Promise<unknown>][] = [
  ["is read at the edge", (url, key) => asUser(`${url}/v1/objects/now/${key}`)],
  [
    "is verified",
    (url, key) =>
      asUser(`${url}/v1/verify`, { method: "POST", body: JSON.stringify({ bucket: "now", key }) }),
  ],
  [
    "is copied by the gateway",
    async (url, key) => {
      const credentials = { accessKeyId: "user", secretAccessKey: secrets.USER };
      const client = s3Client({ url: `${url}/s3`, ...credentials });
      try {
        await client.send(new CopyObjectCommand({ Bucket: "now", Key: "copy", CopySource: `now/${key}` }));
      } finally {
        client.destroy();
      }
    },
  ],
];

async function asUser(url: string, init: RequestInit = {}): Promise<void> {
  const response = await fetch(url, { ...init, headers: { authorization: `Bearer ${secrets.USER}` } });
  expect([response.status, await response.text()]).toEqual([200, expect.anything()]);
}

test.for(USES)(
  "what %s may be re-encrypted and written under the old key again meanwhile, more than once",
  { tags: ["thorough"] },
  async ([, use]) => {
    const proxy = await startFaultProxy(store.url);
    const main = { ...env.STORES.main, endpoint: proxy.url };
    const own = await startTestWorker({ env: { ...env, STORES: { main } }, without: ["RATE_LIMIT"] });
    const under = Object.fromEntries(
      (["KEY_1", "KEY_2"] as const).map((id) => {
        const sse = triple(Buffer.from(secrets[id], "base64"));
        return [sse.SSECustomerKeyMD5, sse];
      }),
    );
    const [first, second] = Object.keys(under) as [string, string];
    const key = `back-and-forth-${randomBytes(4).toString("hex")}`;
    const write = (md5: string) =>
      s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: "as it was", ...under[md5] }));
    const asked = ({ headers }: IncomingMessage) =>
      `${headers["x-amz-server-side-encryption-customer-key-md5"] ?? ""}`;
    let now = first;
    let moves = 0;
    let found = "";
    await write(now);
    // Whoever asks under the key that was found finds it under the other.
    proxy.break({
      on: (request) => moves < 3 && !!request.url?.includes(key) && asked(request) === now,
      times: Infinity,
      forward: async (request) => {
        if (found !== now) found = now;
        else {
          moves++;
          now = now === first ? second : first;
          found = "";
          await write(now);
        }
        return request;
      },
    });
    try {
      await use(own.url, key);
      expect(moves).toBe(3);
    } finally {
      await own.close();
      proxy.close();
    }
  },
);

test(
  "where the queue is not bound, the operator is told which binding is missing, and callers nothing of it",
  { tags: ["thorough"] },
  async () => {
    const lines: string[] = [];
    const bare = await startTestWorker({
      env,
      without: ["RATE_LIMIT", "ROTATION_QUEUE"],
      onLog: (line) => void lines.push(line),
    });
    try {
      const response = await fetch(`${bare.url}/v1/rotations`, {
        method: "POST",
        headers: { authorization: `Bearer ${secrets.ADMIN}` },
        body: JSON.stringify({ bucket: "now" }),
      });
      const text = await response.text();
      expect([response.status, JSON.parse(text).code]).toEqual([503, "unavailable"]);
      expect(text).not.toMatch(/QUEUE|DB/);
      expect(lines.join("\n")).toContain("ROTATION_QUEUE");
    } finally {
      await bare.close();
    }
  },
);
