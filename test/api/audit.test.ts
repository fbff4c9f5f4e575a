/** The trail as its readers see it: what happened, who did it, and which keys are used for which objects. */
import { describe, expect, test, vi } from "vitest";
import type { AuditEvent } from "../../src/audit/event.ts";
import { api, call, freshKey, presign, rawKeys, refused, secrets } from "../support/client.ts";

type Token = Parameters<typeof call>[2];

async function ask<T>(path: string, token: Token = "ADMIN_TOKEN"): Promise<T> {
  const response = await call(path, {}, token);
  expect(response.status, path).toBe(200);
  return (await response.json()) as T;
}

/** The newest events that fit, once there are as many as expected: the queue is behind the answer. */
function events(query: Record<string, string>, count: number, token?: Token): Promise<AuditEvent[]> {
  const path = `/v1/audit?${new URLSearchParams(query)}`;
  return vi.waitFor(
    async () => {
      const { events } = await ask<{ events: AuditEvent[] }>(path, token);
      expect(events).toHaveLength(count);
      return events;
    },
    { timeout: 20_000, interval: 200 },
  );
}

describe("an event", () => {
  test("of a presigned URL tells who was handed which key for which object, and when", async () => {
    const key = freshKey('ünï/cat "1".jpg');
    const before = Date.now();
    const answer = await presign({ operation: "PutObject", bucket: "media", key, contentLength: 5 });
    const [event] = await events({ bucket: "media", key }, 1);
    expect(event).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      requestId: expect.any(String),
      caller: "all",
      operation: "PutObject",
      bucket: "media",
      key,
      keyId: "k2",
      keyMD5: answer.headers["x-amz-server-side-encryption-customer-key-MD5"],
      outcome: "allowed",
      expiresAt: answer.expiresAt,
      bytes: 5,
      ip: expect.any(String),
      country: expect.stringMatching(/^[A-Z]{2}$/),
      userAgent: expect.any(String),
    });
    expect(Date.parse(event?.time ?? "")).toBeGreaterThanOrEqual(before);
  });

  test("of a copy names its source and both keys", async () => {
    const key = freshKey();
    const source = { bucket: "vault", key: freshKey(), keyId: "k3" };
    await presign({ operation: "CopyObject", bucket: "media", key, source });
    const [event] = await events({ bucket: "media", key }, 1);
    expect(event).toMatchObject({ operation: "CopyObject", keyId: "k2", source });
  });

  test("is made of each item of a batch, whatever became of it", async () => {
    const key = freshKey();
    const requests = [
      { operation: "GetObject", bucket: "media", key, keyId: "k1" },
      { operation: "GetObject", bucket: "media", key, keyId: "nope" },
      { operation: "DeleteObject", bucket: "media", key },
      { operation: "GetObject", bucket: "bad-short", key },
    ];
    await call("/v1/presign/batch", { method: "POST", body: JSON.stringify({ requests }) });
    const all = [
      ...(await events({ bucket: "media", key }, 3)),
      ...(await events({ bucket: "bad-short", key }, 1)),
    ];
    expect(new Set(all.map(({ requestId }) => requestId)).size).toBe(1);
    expect(new Set(all.map(({ id }) => id)).size).toBe(4);
    expect(
      all.map(({ operation, outcome, code }) => [operation, outcome, code].join(" ").trim()).sort(),
    ).toEqual([
      "DeleteObject allowed",
      "GetObject allowed",
      "GetObject failed invalid-request",
      "GetObject failed key-invalid",
    ]);
  });

  test.for<[string, object]>([
    ["bucket is named at any length", { operation: "GetObject", bucket: "b".repeat(200_000), key: "a" }],
    [
      "source's bucket is",
      {
        operation: "CopyObject",
        bucket: "media",
        key: "a",
        source: { bucket: "b".repeat(200_000), key: "a" },
      },
    ],
  ])("is not lost beside one whose %s", async ([, long]) => {
    const key = freshKey();
    const requests = [long, { operation: "DeleteObject", bucket: "media", key }];
    await call("/v1/presign/batch", { method: "POST", body: JSON.stringify({ requests }) });
    await events({ bucket: "media", key }, 1);
  });

  test("is not lost where many are told in a wide script", async () => {
    const prefix = freshKey("");
    const requests = Array.from({ length: 150 }, (_, i) => ({
      operation: "GetObject",
      bucket: "漢".repeat(250),
      key: `${prefix}${"字".repeat(300)}${i}`,
    }));
    await call("/v1/presign/batch", { method: "POST", body: JSON.stringify({ requests }) });
    await events({ key: requests.at(-1)?.key ?? "" }, 1);
  });

  test("of refusals that are alike is one, whose count the summary has", async () => {
    const summary = () =>
      ask<{ total: number; code: Record<string, number> }>("/v1/audit/summary", "ADMIN_TOKEN");
    const before = await summary();
    const key = freshKey();
    const requests = Array.from({ length: 1000 }, (_, i) => ({
      operation: "UploadPartCopy",
      bucket: "vault",
      key: i === 999 ? key : `other/${i}`,
      uploadId: "u",
      partNumber: 1,
      source: { bucket: "vault", key },
    }));
    await call("/v1/presign/batch", { method: "POST", body: JSON.stringify({ requests }) }, "LIMITED_TOKEN");
    const [event] = await events({ bucket: "vault", key }, 1);
    expect(event).toMatchObject({ outcome: "denied", code: "forbidden", caller: "limited", count: 1000 });
    const after = await summary();
    expect((after.code.forbidden ?? 0) - (before.code.forbidden ?? 0)).toBeGreaterThanOrEqual(1000);
    expect(after.total - before.total).toBeGreaterThanOrEqual(1000);
  });

  test("has the client's own id of the request beside ours", async () => {
    const key = freshKey();
    const response = await call("/v1/presign", {
      method: "POST",
      headers: { "x-request-id": "trace-7" },
      body: JSON.stringify({ operation: "DeleteObject", bucket: "media", key }),
    });
    const [event] = await events({ bucket: "media", key }, 1);
    expect(event).toMatchObject({
      requestId: response.headers.get("x-request-id"),
      clientRequestId: "trace-7",
    });
    expect(event?.requestId).not.toBe("trace-7");
  });

  test("of strangers is not one for each: a few, and then their number", { tags: ["thorough"] }, async () => {
    const userAgent = `flood/${freshKey()}`;
    const guess = () =>
      fetch(`${api}/v1/me`, { headers: { authorization: "Bearer guess", "user-agent": userAgent } });
    const since = new Date().toISOString();
    for (let i = 0; i < 8; i++) await Promise.all(Array.from({ length: 25 }, guess));
    await vi.waitFor(
      async () => {
        const { events } = await ask<{ events: AuditEvent[] }>(
          `/v1/audit?outcome=denied&since=${since}&limit=1000`,
        );
        const strangers = events.filter(({ code }) => code === "unauthenticated");
        const flood = strangers.filter((event) => event.userAgent === userAgent);
        expect(flood.length).toBeLessThan(20);
        expect(strangers.reduce((sum, { count = 1 }) => sum + count, 0)).toBeGreaterThanOrEqual(200);
      },
      { timeout: 25_000, interval: 500 },
    );
  });

  test("of a refusal says who was refused what", async () => {
    const key = freshKey();
    const { requestId } = await refused({ operation: "GetObject", bucket: "media", key }, "LIMITED_TOKEN");
    const [event] = await events({ bucket: "media", key, outcome: "denied" }, 1);
    expect(event).toMatchObject({ requestId, caller: "limited", code: "forbidden", outcome: "denied" });
    expect(event).not.toHaveProperty("keyId");
  });

  test("of a stranger says where from", async () => {
    const since = new Date().toISOString();
    const response = await fetch(`${api}/v1/keys`, {
      headers: { authorization: "Bearer guess", "user-agent": "stranger/1" },
    });
    const requestId = response.headers.get("x-request-id");
    const found = await vi.waitFor(
      async () => {
        const { events } = await ask<{ events: AuditEvent[] }>(`/v1/audit?outcome=denied&since=${since}`);
        const event = events.find((each) => each.requestId === requestId);
        expect(event).toBeDefined();
        return event;
      },
      { timeout: 20_000, interval: 200 },
    );
    expect(found).toMatchObject({ code: "unauthenticated", outcome: "denied", userAgent: "stranger/1" });
    expect(found).not.toHaveProperty("caller");
  });

  test("of what a client reports is the store's own refusal", async () => {
    const key = freshKey();
    const report = { operation: "PutObject", bucket: "media", key, code: "SignatureDoesNotMatch" };
    const post = (body: object, token?: Token) =>
      call("/v1/reports", { method: "POST", body: JSON.stringify(body) }, token);
    expect((await post(report)).status).toBe(204);
    expect((await post(report, "READER_TOKEN")).status).toBe(403);
    expect((await post({ ...report, code: "forbidden" })).status).toBe(400);
    const [event] = await events({ bucket: "media", key, outcome: "failed" }, 1);
    expect(event).toMatchObject({ operation: "PutObject", code: "SignatureDoesNotMatch", caller: "all" });
  });
});

describe("GET /v1/audit", () => {
  test("narrows by every field and by time, newest first, page by page", async () => {
    const key = freshKey();
    const start = Date.now();
    for (const operation of ["PutObject", "DeleteObject", "PutObject", "DeleteObject", "PutObject"]) {
      await presign({ operation, bucket: "media", key });
    }
    const all = await events({ bucket: "media", key }, 5);
    expect(all.map(({ id }) => id)).toEqual(
      all
        .map(({ id }) => id)
        .sort()
        .reverse(),
    );
    const queries: [Record<string, string>, number][] = [
      [{ operation: "PutObject" }, 3],
      [{ operation: "DeleteObject", outcome: "allowed" }, 2],
      [{ keyId: "k2" }, 3],
      [{ caller: "all" }, 5],
      [{ caller: "reader" }, 0],
      [{ outcome: "failed" }, 0],
      [{ since: new Date(start).toISOString() }, 5],
      [{ until: new Date(start).toISOString() }, 0],
      [{ since: all[1]?.time ?? "" }, 2],
      [{ until: all[1]?.time ?? "" }, 3],
    ];
    for (const [query, count] of queries) {
      // Two events may be of one millisecond.
      if ("since" in query || "until" in query) {
        const path = `/v1/audit?${new URLSearchParams({ bucket: "media", key, ...query })}`;
        const { events: found } = await ask<{ events: AuditEvent[] }>(path);
        const { since = "", until = "9" } = query;
        expect(found).toEqual(all.filter(({ time }) => time >= since && time < until));
      } else {
        await events({ bucket: "media", key, ...query }, count);
      }
    }
    const paged: AuditEvent[] = [];
    let cursor: string | undefined;
    do {
      const query = new URLSearchParams({ bucket: "media", key, limit: "2", ...(cursor && { cursor }) });
      const page = await ask<{ events: AuditEvent[]; cursor?: string }>(`/v1/audit?${query}`);
      expect(page.events.length).toBeLessThanOrEqual(2);
      paged.push(...page.events);
      cursor = page.cursor;
    } while (cursor);
    expect(paged).toEqual(all);
  });

  test("is for admins, each of whom sees only what they administer", async () => {
    const key = freshKey();
    const inside = `acme/${key}`;
    for (const each of [key, inside])
      await presign({ operation: "DeleteObject", bucket: "media", key: each });
    await presign({ operation: "DeleteObject", bucket: "vault", key: inside });
    await events({ key: inside }, 2);
    await events({ key }, 1);
    await events({ key: inside }, 1, "PREFIX_ADMIN_TOKEN");
    await events({ key }, 0, "PREFIX_ADMIN_TOKEN");
    const { events: visible } = await ask<{ events: AuditEvent[] }>("/v1/audit", "PREFIX_ADMIN_TOKEN");
    for (const event of visible) expect([event.bucket, event.key?.slice(0, 5)]).toEqual(["media", "acme/"]);
    expect((await call("/v1/audit?bucket=vault", {}, "PREFIX_ADMIN_TOKEN")).status).toBe(403);
    for (const path of ["", "/summary", "/keys/k1/objects"]) {
      expect((await call(`/v1/audit${path}`, {}, "READER_TOKEN")).status).toBe(403);
    }
  });

  test.for([
    "limit=0",
    "limit=1001",
    "limit=x",
    "since=yesterday",
    // Of which Date.parse makes something all the same.
    "since=2026-02-30",
    "since=2026-11-28junk",
    "until=2026-11-28 (noon)",
    "outcome=good",
    "cursor=1",
    "cursor=------------------------------------",
    "colour=red",
  ])("refuses ?%s", async (query) => {
    const response = await call(`/v1/audit?${query}`, {}, "ADMIN_TOKEN");
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ path: query.split("=")[0] }] });
  });
});

describe("GET /v1/audit/keys/{keyId}/objects", () => {
  interface Used {
    objects: {
      bucket: string;
      key: string;
      firstUsed: string;
      lastUsed: string;
      operations: string[];
      confirmed: boolean;
    }[];
    cursor?: string;
  }

  test("tells which objects a key was used for", async () => {
    const prefix = `acme/${freshKey("")}`;
    for (const name of ["a", "b", "c"]) {
      const key = `${prefix}${name}`;
      await presign({ operation: "PutObject", bucket: "media", key });
      await presign({ operation: "GetObject", bucket: "media", key, keyId: "k2" });
      await refused({ operation: "PutObject", bucket: "media", key, keyId: "k1" });
      await events({ bucket: "media", key }, 3);
    }
    const found = await usedUnder("k2", 2, "PREFIX_ADMIN_TOKEN");
    const names = found.map(({ key }) => key);
    // As the database orders them: by their bytes of UTF-8.
    const ordered = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(names).toEqual(ordered);
    expect(names.every((name) => name.startsWith("acme/"))).toBe(true);
    const mine = found.filter(({ key }) => key.startsWith(prefix));
    expect(mine.map(({ key }) => key.slice(prefix.length))).toEqual(["a", "b", "c"]);
    for (const object of mine) {
      expect(object).toMatchObject({ bucket: "media", confirmed: false });
      expect([...object.operations].sort()).toEqual(["GetObject", "PutObject"]);
      expect(object.lastUsed >= object.firstUsed).toBe(true);
    }
    const everything = await usedUnder("k2", 1000);
    expect(everything.filter(({ key }) => key.startsWith(prefix))).toEqual(mine);
    const others = await usedUnder("k1", 1000);
    expect(others.some(({ key }) => key.startsWith(prefix))).toBe(false);
  });

  /** All of them, page by page: the trail has those of other tests as well. */
  async function usedUnder(keyId: string, limit: number, token?: Token): Promise<Used["objects"]> {
    const found: Used["objects"] = [];
    let cursor: string | undefined;
    do {
      const query = new URLSearchParams({ limit: String(limit), ...(cursor && { cursor }) });
      const page = await ask<Used>(`/v1/audit/keys/${keyId}/objects?${query}`, token);
      expect(page.objects.length).toBeLessThanOrEqual(limit);
      found.push(...page.objects);
      cursor = page.cursor;
    } while (cursor);
    return found;
  }
});

test("GET /v1/audit/summary counts by outcome, code, caller and operation", async () => {
  interface Summary {
    since: string;
    total: number;
    outcome: Record<string, number>;
    code: Record<string, number>;
    caller: Record<string, number>;
    operation: Record<string, number>;
  }
  const of = (token?: Token) => ask<Summary>("/v1/audit/summary", token);
  const [before, part] = [await of(), await of("PREFIX_ADMIN_TOKEN")];
  const key = `acme/${freshKey()}`;
  await presign({ operation: "ListParts", bucket: "media", key, uploadId: "u" });
  await refused({ operation: "DeleteObject", bucket: "media", key }, "LIMITED_TOKEN");
  await events({ bucket: "media", key }, 2);
  const [after, partAfter] = [await of(), await of("PREFIX_ADMIN_TOKEN")];
  const grown = (a: Summary, b: Summary, kind: "outcome" | "code" | "caller" | "operation", name: string) =>
    (b[kind][name] ?? 0) - (a[kind][name] ?? 0);
  for (const [a, b] of [
    [before, after],
    [part, partAfter],
  ] as const) {
    expect(b.total - a.total).toBeGreaterThanOrEqual(2);
    expect(grown(a, b, "outcome", "allowed")).toBeGreaterThanOrEqual(1);
    expect(grown(a, b, "code", "forbidden")).toBeGreaterThanOrEqual(1);
    expect(grown(a, b, "caller", "limited")).toBeGreaterThanOrEqual(1);
    expect(grown(a, b, "operation", "ListParts")).toBe(1);
  }
  expect(partAfter.total).toBeLessThan(after.total);
});

test("nothing of the trail holds a key, a token, a secret or a signature", async () => {
  const { events } = await ask<{ events: AuditEvent[] }>("/v1/audit?limit=1000");
  const text = JSON.stringify(events);
  expect(events.length).toBeGreaterThan(10);
  for (const secret of [...rawKeys(), ...Object.values(secrets).filter((value) => value.length > 20)]) {
    expect(text).not.toContain(secret.trim());
  }
  expect(text).not.toMatch(/X-Amz-|Bearer /);
});
