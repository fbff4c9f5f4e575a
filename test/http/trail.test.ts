/** When events are told, and to whom: the log always; the queue before or after the answer; metrics; the cron. */
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { AuditEvent } from "../../src/audit/event.ts";
import worker from "../../src/index.ts";
import { daily } from "../../src/jobs/daily.ts";
import { db, emptyDatabase, eventAt, rows } from "../audit/database.ts";
import { oneBucket } from "../support/one-bucket.ts";

const DAY = 86_400_000;
const date = (offset: number) => new Date(Date.now() + offset * DAY).toISOString();

const vars = {
  ...oneBucket(),
  CALLERS: { me: { token: "TOKEN", grants: [{ bucket: "media", prefix: "", allow: ["read", "write"] }] } },
  TOKEN: randomBytes(24).toString("base64"),
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

async function call(env: object, path: string, body: unknown, headers: Record<string, string> = {}) {
  const waiting: Promise<unknown>[] = [];
  const context = {
    waitUntil: (promise: Promise<unknown>) => void waiting.push(promise),
    passThroughOnException: () => {},
  };
  const request = new Request(`https://edge.example${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${vars.TOKEN}`, "cf-connecting-ip": "192.0.2.7", ...headers },
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
  const requests = Array.from({ length: 1000 }, (_, i) => ({ ...put, key: `users/42/albums/2026/${i}.jpg` }));
  const { waiting } = await call({ ...vars, QUEUE: taking }, "/v1/presign/batch", { requests });
  await Promise.all(waiting);
  expect(taking.messages.flat()).toHaveLength(1000);
  expect(taking.messages.length).toBeLessThan(40);
  for (const message of taking.messages) expect(JSON.stringify(message).length).toBeLessThan(128_000);
});

test("refusals of a batch that are alike are one event, whose rest is that of the last", async () => {
  const taking = queue();
  const refused = (i: number) => [
    { ...put, bucket: `made up ${i}`, key: `${i}` },
    { ...put, operation: "DeleteObject", key: `${i}` },
    { operation: "Nonsense", key: `${i}` },
    { ...put, key: `${i}`, colour: "red" },
  ];
  const requests = [put, ...Array.from({ length: 100 }, (_, i) => refused(i)).flat(), { ...put, key: "b" }];
  const { waiting } = await call({ ...vars, QUEUE: taking }, "/v1/presign/batch", { requests });
  await waiting[0];
  const alike = [
    {
      operation: "PutObject",
      bucket: "made up 99",
      key: "99",
      outcome: "denied",
      code: "forbidden",
      count: 100,
    },
    {
      operation: "DeleteObject",
      bucket: "media",
      key: "99",
      outcome: "denied",
      code: "forbidden",
      count: 100,
    },
    { outcome: "failed", code: "invalid-request", count: 100 },
    { operation: "PutObject", outcome: "failed", code: "invalid-request", count: 100 },
  ];
  for (const events of [taking.messages.flat(), logged("audit")]) {
    const allowed = events.filter(({ outcome }) => outcome === "allowed");
    expect(allowed.map(({ key, count }) => [key, count])).toEqual([
      ["a", undefined],
      ["b", undefined],
    ]);
    expect(events.filter(({ outcome }) => outcome !== "allowed")).toMatchObject(alike);
  }
});

test("a flood of refusals is a few messages, and all of it is in the log", async () => {
  const taking = queue();
  const env = { ...vars, QUEUE: taking };
  const authorization = "Bearer guess";
  for (let i = 0; i < 50; i++)
    expect((await call(env, "/v1/presign", put, { authorization })).status).toBe(401);
  expect(taking.messages.flat()).toHaveLength(10);
  expect(logged("audit")).toHaveLength(50);
});

describe("a request's id is ours", () => {
  const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

  test.for<[string | undefined, string | undefined]>([
    [undefined, undefined],
    ["trace 7", "trace 7"],
    ["x".repeat(5000), "x".repeat(128)],
    ["00000000-0000-4000-8000-000000000000", "00000000-0000-4000-8000-000000000000"],
    ['"},{"outcome":"allowed"', '"},{"outcome":"allowed"'],
    ["\u00e9\u00ff", undefined],
  ])("beside the client's %s", async ([given, kept]) => {
    const headers: Record<string, string> = given === undefined ? {} : { "x-request-id": given };
    for (const body of [put, { ...put, bucket: "nowhere" }]) {
      lines = [];
      const { response } = await call({ ...vars }, "/v1/presign", body, headers);
      const requestId = response.headers.get("x-request-id");
      expect(requestId).toMatch(UUID);
      expect(requestId).not.toBe(given);
      const [event] = logged("audit");
      expect(event).toMatchObject({ requestId });
      expect(event?.clientRequestId).toBe(kept);
    }
  });
});

test("what a client says of itself is bounded and well-formed", async () => {
  const long = "\u{1F600}".repeat(200);
  await call({ ...vars }, "/v1/presign", put, {
    "user-agent": `x${encodeURIComponent(long)}`,
    "cf-connecting-ip": "not an address; DROP TABLE",
  });
  const [event] = logged("audit");
  expect(event?.userAgent).toHaveLength(256);
  expect(event).not.toHaveProperty("ip");
});

test.for<[string, object]>([
  ["a bucket", { ...put, bucket: "a\ud800" }],
  ["a key", { ...put, key: "a\udc00" }],
  ["a source", { ...put, operation: "CopyObject", source: { bucket: "\ud800", key: "\udfff" } }],
  ["a long bucket, cut in the midst of a character", { ...put, bucket: `${"x".repeat(254)}\u{1F600}` }],
  [
    "a long source",
    { ...put, operation: "CopyObject", source: { bucket: `${"x".repeat(254)}\u{1F600}`, key: "a" } },
  ],
])("no half of a character in %s gets into the log or the queue", async ([, request]) => {
  const taking = queue();
  const { waiting } = await call({ ...vars, QUEUE: taking }, "/v1/presign", request);
  await Promise.all(waiting);
  for (const json of [JSON.stringify(lines), JSON.stringify(taking.messages)]) {
    expect(json).not.toMatch(/\\ud[89a-f]/i);
  }
});

test("a client reports by codes that stores have", async () => {
  for (const code of ["SignatureDoesNotMatch", "MadeUp1", "MadeUp2"]) {
    await call({ ...vars }, "/v1/reports", { operation: "PutObject", bucket: "media", key: "a", code });
  }
  expect(logged("audit").map(({ code }) => code)).toEqual([
    "SignatureDoesNotMatch",
    "OtherStoreError",
    "OtherStoreError",
  ]);
});

describe("each item of a batch counts against the limit", () => {
  const limiter = (most: number) => {
    let asked = 0;
    return {
      asked: () => asked,
      limit: async () => ({ success: ++asked <= most }),
    };
  };
  const requests = Array.from({ length: 300 }, (_, i) => ({ ...put, key: `${i}` }));

  test.for([1, 2, 50, 51, 120, 299])("%i of 300 may", async (most) => {
    const RATE_LIMIT = limiter(most);
    const { text } = await call({ ...vars, RATE_LIMIT }, "/v1/presign/batch", { requests });
    const { results } = JSON.parse(text) as { results: { url?: string; problem?: object }[] };
    expect(results.map(({ url }) => url !== undefined)).toEqual(requests.map((_, i) => i < most));
    expect(results[most]?.problem).toMatchObject({ status: 429, code: "rate-limited" });
    const denied = logged("audit").filter(({ outcome }) => outcome !== "allowed");
    expect(denied).toMatchObject([{ outcome: "denied", code: "rate-limited", operation: "PutObject" }]);
    expect(denied[0]?.count).toBe(most === 299 ? undefined : 300 - most);
    // Who is refused does not ask for all in vain.
    expect(RATE_LIMIT.asked()).toBeLessThanOrEqual(most + 50);
  });

  test("and a limiter that is down does not", async () => {
    const RATE_LIMIT = {
      limit: async () => {
        throw new Error("down");
      },
    };
    const { text } = await call({ ...vars, RATE_LIMIT }, "/v1/presign/batch", { requests });
    expect(text).not.toMatch(/problem/);
    expect(logged("error")).toMatchObject([{ code: "internal" }]);
  });
});

test.for<[string, string, boolean]>([
  ["192.0.2.7", "192.0.2.8", false],
  ["2001:db8:1:2:3:4:5:6", "2001:0db8:1:2::1", true],
  ["2001:db8::1", "2001:db8:0:0:ffff::", true],
  ["2001:db8:0:1::1", "2001:db8::1", false],
  ["::1", "::2", true],
])("strangers of %s and %s share a limit: %s", async ([one, other, isShared]) => {
  const keys: string[] = [];
  const RATE_LIMIT = {
    limit: async ({ key }: { key: string }) => {
      keys.push(key);
      return { success: keys.length === 1 };
    },
  };
  const authorization = "Bearer guess";
  for (const [ip, status] of [
    [one, 401],
    [other, 429],
  ] as const) {
    const answer = await call({ ...vars, RATE_LIMIT }, "/v1/presign", put, {
      authorization,
      "cf-connecting-ip": ip,
    });
    expect(answer.status).toBe(status);
  }
  expect(keys[0] === keys[1]).toBe(isShared);
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

test("neither the trail nor rotations can be asked without a database, nor while it is down", async () => {
  const CALLERS = { me: { token: "TOKEN", grants: [{ bucket: "media", prefix: "", allow: ["admin"] }] } };
  const DB = {
    prepare: () => {
      throw new Error("D1_ERROR: down");
    },
  };
  const ROTATION_QUEUE = {};
  for (const env of [
    { ...vars, CALLERS, ROTATION_QUEUE },
    { ...vars, CALLERS, ROTATION_QUEUE, DB },
  ]) {
    for (const path of ["/v1/audit", "/v1/audit/summary", "/v1/audit/keys/k1/objects", "/v1/rotations"]) {
      const headers = { authorization: `Bearer ${vars.TOKEN}` };
      const response = await worker.fetch(
        new Request(`https://edge.example${path}`, { headers }),
        env as never,
      );
      expect([path, response.status]).toEqual([path, 503]);
      const { code, detail } = (await response.json()) as { code: string; detail: string };
      expect([path, code]).toEqual([path, "unavailable"]);
      expect([path, /does not answer/.test(detail)]).toEqual([path, "DB" in env]);
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
      queue: "audit",
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
