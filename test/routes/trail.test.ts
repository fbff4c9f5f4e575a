/** When events are told, and to whom: the log always; the queue before or after the answer; metrics; the cron. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { AuditEvent } from "../../src/audit/event.ts";
import { daily } from "../../src/daily.ts";
import worker from "../../src/index.ts";
import { db, emptyDatabase, eventAt, rows } from "../audit/database.ts";

const random = (bytes: number) =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("base64");
const DAY = 86_400_000;
const date = (offset: number) => new Date(Date.now() + offset * DAY).toISOString();

const vars = {
  STORES: {
    main: {
      endpoint: "http://127.0.0.1:9",
      region: "r",
      addressing: "path",
      accessKeyId: "STORE_ID",
      secretAccessKey: "STORE_SECRET",
    },
  },
  KEYS: { k1: { secret: "KEY_1" } },
  BUCKETS: { media: { store: "main", keys: ["k1"] } },
  CALLERS: { me: { token: "TOKEN", grants: [{ bucket: "media", prefix: "", allow: ["read", "write"] }] } },
  STORE_ID: "AKIDEXAMPLE",
  STORE_SECRET: random(30),
  KEY_1: random(32),
  TOKEN: random(24),
};

/** A queue that keeps what it is given, or refuses. */
function queue({ refuses = false } = {}) {
  const messages: AuditEvent[][] = [];
  const send = async (message: AuditEvent[]) => {
    if (refuses) throw new Error("Queue is overloaded");
    messages.push(message);
  };
  return { messages, send };
}

let lines: { level: string; entry: Record<string, unknown> }[];
beforeEach(() => {
  lines = [];
  for (const level of ["log", "warn", "error"] as const) {
    vi.spyOn(console, level).mockImplementation(
      (line) => void lines.push({ level, entry: JSON.parse(line) }),
    );
  }
});
afterEach(() => vi.restoreAllMocks());
const logged = (event: string) => lines.map(({ entry }) => entry).filter((entry) => entry.event === event);

async function call(env: object, path: string, body: unknown) {
  const waiting: Promise<unknown>[] = [];
  const context = {
    waitUntil: (promise: Promise<unknown>) => void waiting.push(promise),
    passThroughOnException: () => {},
  };
  const request = new Request(`https://edge.example${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${vars.TOKEN}`, "cf-connecting-ip": "192.0.2.7" },
    body: JSON.stringify(body),
  });
  const response = await worker.fetch(request, env as never, context as never);
  return { status: response.status, text: await response.text(), response, waiting };
}

const put = { operation: "PutObject", bucket: "media", key: "a" };

test("the log has every event, also where nothing is bound", async () => {
  await call({ ...vars }, "/v1/presign", put);
  await call({ ...vars }, "/v1/presign", { ...put, bucket: "nowhere" });
  expect(logged("audit")).toMatchObject([
    { operation: "PutObject", bucket: "media", key: "a", keyId: "k1", outcome: "allowed", ip: "192.0.2.7" },
    { operation: "PutObject", bucket: "nowhere", key: "a", outcome: "denied", code: "forbidden" },
  ]);
});

test("relaxed: the answer does not wait for the queue, nor does its refusal matter", async () => {
  const refusing = queue({ refuses: true });
  const { status, waiting } = await call({ ...vars, QUEUE: refusing }, "/v1/presign", put);
  expect(status).toBe(200);
  expect(waiting).toHaveLength(1);
  await waiting[0];
  expect(logged("audit")).toMatchObject([{ outcome: "allowed" }]);
  expect(logged("error")).toMatchObject([{ code: "audit-unavailable" }]);
});

describe("strict", () => {
  const strict = { ...vars, AUDIT: "strict" };

  test("the event is in the queue before the answer leaves", async () => {
    const taking = queue();
    const { status, waiting } = await call({ ...strict, QUEUE: taking }, "/v1/presign", put);
    expect(status).toBe(200);
    expect(waiting).toEqual([]);
    expect(taking.messages).toMatchObject([[{ operation: "PutObject", outcome: "allowed" }]]);
  });

  test.for([
    ["/v1/presign", put],
    ["/v1/presign/batch", { requests: [put, put] }],
    ["/v1/presign", { ...put, bucket: "nowhere" }],
  ] as const)("or %s answers 503 and hands out nothing", async ([path, body]) => {
    const { status, text, response } = await call({ ...strict, QUEUE: queue({ refuses: true }) }, path, body);
    expect(status).toBe(503);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(JSON.parse(text)).toMatchObject({ code: "audit-unavailable" });
    expect(text).not.toMatch(/X-Amz|customer-key/);
    for (const entry of logged("audit")) {
      expect(entry).toMatchObject({ outcome: "failed", code: "audit-unavailable" });
    }
    expect(logged("error")).toMatchObject([
      { code: "audit-unavailable", message: expect.stringMatching(/overloaded/) },
    ]);
  });

  test("cannot be had without a queue", async () => {
    const { status } = await call({ ...strict }, "/v1/presign", put);
    expect(status).toBe(500);
    expect(logged("error")).toMatchObject([
      { message: 'AUDIT: is "strict", which needs a queue bound as QUEUE' },
    ]);
  });
});

test("a batch of a thousand goes in few messages, none too large", async () => {
  const taking = queue();
  const requests = Array.from({ length: 1000 }, (_, i) => ({ ...put, key: `${i}/${"x".repeat(800)}` }));
  const { waiting } = await call({ ...vars, QUEUE: taking }, "/v1/presign/batch", { requests });
  await Promise.all(waiting);
  expect(taking.messages.flat()).toHaveLength(1000);
  expect(taking.messages.length).toBeLessThan(40);
  for (const message of taking.messages) expect(JSON.stringify(message).length).toBeLessThan(128_000);
});

test("metrics count alike events together", async () => {
  const points: { indexes: string[]; blobs: string[]; doubles: number[] }[] = [];
  const METRICS = { writeDataPoint: (point: never) => void points.push(point) };
  const sized = { ...put, contentLength: 7 };
  await call({ ...vars, METRICS }, "/v1/presign/batch", {
    requests: [sized, sized, { ...put, bucket: "nowhere" }],
  });
  expect(points.sort((a, b) => String(a.blobs).localeCompare(String(b.blobs)))).toEqual([
    { indexes: ["me"], blobs: ["me", "allowed", "", "PutObject", "media", "k1", ""], doubles: [2, 14] },
    {
      indexes: ["me"],
      blobs: ["me", "denied", "forbidden", "PutObject", "nowhere", "", ""],
      doubles: [1, 0],
    },
  ]);
});

test("the trail cannot be asked without a database, nor while it is down", async () => {
  const CALLERS = { me: { token: "TOKEN", grants: [{ bucket: "media", prefix: "", allow: ["admin"] }] } };
  const DB = {
    prepare: () => {
      throw new Error("D1_ERROR: down");
    },
  };
  for (const env of [
    { ...vars, CALLERS },
    { ...vars, CALLERS, DB },
  ]) {
    for (const path of ["/v1/audit", "/v1/audit/summary", "/v1/audit/keys/k1/objects"]) {
      const headers = { authorization: `Bearer ${vars.TOKEN}` };
      const response = await worker.fetch(
        new Request(`https://edge.example${path}`, { headers }),
        env as never,
      );
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({ code: "unavailable" });
    }
  }
});

describe("the cron trigger", () => {
  test("warns of keys that soon stop writing, of those that have, and of buckets that nothing writes to", async () => {
    const env = {
      ...vars,
      KEYS: {
        fresh: { secret: "KEY_1", writeUntil: date(31) },
        near: { secret: "KEY_1", writeUntil: date(29.5) },
        past: { secret: "KEY_1", writeUntil: date(-1) },
        unused: { secret: "KEY_1", writeUntil: date(-1) },
        broken: { secret: "NO_SUCH" },
      },
      BUCKETS: {
        media: { store: "main", keys: ["fresh", "near", "past"] },
        dead: { store: "main", name: "dead", keys: ["past"] },
        odd: { store: "main", name: "odd", keys: ["broken"] },
      },
    };
    await daily(env);
    expect(logged("key-expiring")).toEqual([
      {
        event: "key-expiring",
        time: expect.any(String),
        keyId: "near",
        buckets: ["media"],
        writeUntil: env.KEYS.near.writeUntil,
        message: expect.stringMatching(/stops writing in 30 days/),
      },
      expect.objectContaining({
        keyId: "past",
        buckets: ["media", "dead"],
        message: expect.stringMatching(/no longer writes/),
      }),
      expect.objectContaining({
        buckets: ["dead"],
        message: expect.stringMatching(/none of the keys of BUCKETS\.dead/),
      }),
    ]);
    expect(logged("error")).toMatchObject([
      { code: "key-invalid", message: expect.stringMatching(/^KEYS\.broken/) },
    ]);
  });

  test("ends what is older than AUDIT_DAYS", async () => {
    await emptyDatabase();
    const events = [eventAt(Date.now() - 8 * DAY), eventAt(Date.now() - 6 * DAY)];
    const batch = {
      messages: [{ id: "1", body: events, attempts: 1 }],
      ackAll: () => {},
      retryAll: () => {},
    };
    const env = { ...vars, DB: db, AUDIT_DAYS: 7 };
    await worker.queue(batch, env);
    await worker.scheduled({}, env);
    expect(await rows("SELECT id FROM events")).toEqual([{ id: events[1]?.id }]);
  });

  test("fails for all to see when the database does", async () => {
    const DB = {
      prepare: () => {
        throw new Error("D1_ERROR: down");
      },
    };
    await expect(daily({ ...vars, DB })).rejects.toThrow(/down/);
  });
});
