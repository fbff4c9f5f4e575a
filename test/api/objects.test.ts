/** Objects through the edge: what goes in comes out, and no client ever sees a key. */
import { createHash, randomBytes } from "node:crypto";
import { request as httpRequest } from "node:http";
import { ListMultipartUploadsCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { api, call, freshKey, presign, get as presignedGet, put, secrets, send } from "../support/client.ts";
import { type EdgeAnswer, edge, MiB, path, problem, s3 } from "../support/edge.ts";
import { testSampled } from "../support/sampled.ts";

type Token = Parameters<typeof call>[2];

const sse = ({ headers }: EdgeAnswer) =>
  Object.keys(headers).filter((name) => name.includes("server-side-encryption"));

testSampled(
  [0, 1, 5 * MiB - 1, 5 * MiB, 5 * MiB + 1, 9 * MiB],
  6,
  "%d bytes go in, and come out",
  async (size) => {
    const body = randomBytes(size);
    for (const given of [body, [body.subarray(0, size >> 1), body.subarray(size >> 1)]]) {
      const key = freshKey("ünï code/a b+c%.bin");
      const up = await edge("PUT", path("media", key), { body: given });
      expect(up.status, up.body.toString()).toBe(200);
      expect(JSON.parse(up.body.toString())).toMatchObject({ bucket: "media", key, keyId: "k2", size });
      expect(up.headers["x-ssec-key-id"]).toBe("k2");
      const down = await edge("GET", path("media", key));
      expect(down.status).toBe(200);
      expect(down.body.equals(body)).toBe(true);
      expect(down.headers).toMatchObject({
        "content-length": String(size),
        "x-ssec-key-id": "k2",
        etag: up.headers.etag,
        "cache-control": "no-store",
        "content-security-policy": "default-src 'none'; sandbox",
        "x-content-type-options": "nosniff",
      });
      expect([...sse(up), ...sse(down)]).toEqual([]);
      // It is the same object as by a presigned URL.
      expect((await presignedGet("media", key)).body.equals(body)).toBe(true);
    }
  },
);

test("content headers and metadata pass both ways; others do not", async () => {
  const key = freshKey();
  const headers = {
    "content-type": "text/plain; charset=utf-8",
    "content-disposition": 'attachment; filename="a.txt"',
    "content-language": "de",
    "cache-control": "max-age=60",
    "x-amz-meta-who": "me",
    "x-amz-meta-empty": "",
    cookie: "a=b",
  };
  expect((await edge("PUT", path("media", key), { headers, body: Buffer.from("hello") })).status).toBe(200);
  const down = await edge("GET", path("media", key));
  expect(down.headers).toMatchObject({
    "content-type": "text/plain; charset=utf-8",
    "content-disposition": 'attachment; filename="a.txt"',
    "content-language": "de",
    "x-amz-meta-who": "me",
    "x-amz-meta-empty": "",
  });
  // The store keeps it, for those who come by presigned URLs.
  expect((await presignedGet("media", key)).headers["cache-control"]).toBe("max-age=60");
  const named = await edge(
    "GET",
    path("media", key, "?response-content-disposition=inline&response-content-type=text/x"),
  );
  expect(named.headers).toMatchObject({ "content-disposition": "inline", "content-type": "text/x" });
});

test("an object that is compressed stays as it is", async () => {
  const key = freshKey("a.gz");
  // Not gzip at all: whoever would decode it on the way would fail.
  const body = randomBytes(100_000);
  const headers = { "content-encoding": "gzip", "content-type": "text/plain" };
  expect((await edge("PUT", path("media", key), { headers, body })).status).toBe(200);
  // For clients that do not take gzip the simulator in front of the Worker decodes by itself.
  const down = await edge("GET", path("media", key), { headers: { "accept-encoding": "gzip" } });
  expect(down.headers["content-encoding"]).toBe("gzip");
  expect(down.headers["content-length"]).toBe("100000");
  expect(down.body.equals(body)).toBe(true);
  const part = await edge("GET", path("media", key), { headers: { range: "bytes=10-19" } });
  expect(part.body.equals(body.subarray(10, 20))).toBe(true);
});

describe("a part, or on a condition", () => {
  const body = randomBytes(1000);
  const key = freshKey();
  let etag: string;
  let lastModified: string;
  const ask = (headers: Record<string, string>) => edge("GET", path("media", key), { headers });

  test("of an object", async () => {
    await edge("PUT", path("media", key), { body });
    const head = await edge("HEAD", path("media", key));
    etag = String(head.headers.etag);
    lastModified = String(head.headers["last-modified"]);
    expect(head).toMatchObject({
      status: 200,
      body: Buffer.alloc(0),
      headers: { "content-length": "1000", "x-ssec-key-id": "k2" },
    });
    expect(sse(head)).toEqual([]);
  });

  test.for([
    ["bytes=0-0", 0, 1],
    ["bytes=10-19", 10, 20],
    ["bytes=990-", 990, 1000],
    ["bytes=-10", 990, 1000],
    ["bytes=900-2000", 900, 1000],
  ] as const)("%s", async ([range, from, to]) => {
    const part = await ask({ range });
    expect(part.status).toBe(206);
    expect(part.headers["content-range"]).toBe(`bytes ${from}-${to - 1}/1000`);
    expect(part.body.equals(body.subarray(from, to))).toBe(true);
  });

  test("that does not hold is said to", async () => {
    expect((await ask({ "if-none-match": etag })).status).toBe(304);
    expect((await ask({ "if-modified-since": new Date().toUTCString() })).status).toBe(304);
    expect((await ask({ "if-match": etag })).status).toBe(200);
    expect((await ask({ "if-none-match": '"other"' })).status).toBe(200);
    const other = await ask({ "if-match": '"other"' });
    expect([other.status, problem(other).code]).toEqual([412, "precondition-failed"]);
    const beyond = await ask({ range: "bytes=1000-" });
    expect([beyond.status, problem(beyond).code]).toEqual([416, "range-not-satisfiable"]);
  });

  test("goes on only with what was begun (If-Range)", async () => {
    expect((await ask({ range: "bytes=1-", "if-range": etag })).status).toBe(206);
    const whole = await ask({ range: "bytes=1-", "if-range": '"other"' });
    expect(whole.status).toBe(200);
    expect(whole.body.equals(body)).toBe(true);
    expect((await ask({ range: "bytes=1-", "if-range": `W/${etag}` })).status).toBe(200);
    expect((await ask({ range: "bytes=1-", "if-range": lastModified })).status).toBe(206);
    expect((await ask({ range: "bytes=1-", "if-range": new Date(0).toUTCString() })).status).toBe(200);
  });
});

test("DELETE removes an object, again and again", async () => {
  const key = freshKey();
  await edge("PUT", path("media", key), { body: Buffer.from("x") });
  for (const _ of [1, 2]) {
    const gone = await edge("DELETE", path("media", key));
    expect([gone.status, gone.body.length]).toEqual([204, 0]);
  }
  const missing = await edge("GET", path("media", key));
  expect([missing.status, problem(missing).code]).toEqual([404, "not-found"]);
  expect((await edge("HEAD", path("media", key))).status).toBe(404);
});

test("objects under older keys are found, those under others and in the clear are said to be so", async () => {
  const key = freshKey();
  await put("media-old", key, "old");
  const old = await edge("GET", path("media", key));
  expect([old.body.toString(), old.headers["x-ssec-key-id"]]).toEqual(["old", "k1"]);
  const lost = await edge("GET", path("media-lost", key));
  expect([lost.status, problem(lost).code]).toEqual([409, "key-unknown"]);
  const named = await edge("GET", path("media", key, "?keyId=k2"));
  expect([named.status, problem(named).code]).toEqual([409, "key-unknown"]);
  expect((await edge("GET", path("media", key, "?keyId=k1"))).status).toBe(200);

  const plain = freshKey();
  await s3.send(new PutObjectCommand({ Bucket: "media", Key: plain, Body: "plain" }));
  for (const bucket of ["media", "media-lost"]) {
    const clear = await edge("GET", path(bucket, plain));
    expect([clear.status, problem(clear).code]).toEqual([409, "not-encrypted"]);
  }
});

test("every object of a derived key opens by its own", async () => {
  const [a, b] = [freshKey(), freshKey()];
  for (const key of [a, b]) {
    expect((await edge("PUT", path("derived", key), { body: Buffer.from(key) })).status).toBe(200);
    const down = await edge("GET", path("derived", key));
    expect([down.body.toString(), down.headers["x-ssec-key-id"]]).toEqual([key, "root"]);
  }
  const { headers } = await presign({ operation: "GetObject", bucket: "derived", key: a });
  const other = await presign({ operation: "GetObject", bucket: "derived", key: b });
  expect((await send({ ...other, headers })).status).toBe(403);
});

describe("what is refused", () => {
  const image = { "content-type": "image/png" };
  test.for<[string, string, Parameters<typeof edge>[2], number, string]>([
    [
      "PUT",
      path("media", "other/a"),
      { token: "LIMITED_TOKEN", headers: image, body: Buffer.alloc(1) },
      403,
      "forbidden",
    ],
    [
      "PUT",
      path("media", "acme/a"),
      { token: "LIMITED_TOKEN", headers: image, body: Buffer.alloc(1001) },
      413,
      "too-large",
    ],
    [
      "PUT",
      path("media", "acme/a"),
      { token: "LIMITED_TOKEN", headers: image, body: [Buffer.alloc(1)] },
      411,
      "length-required",
    ],
    [
      "PUT",
      path("media", "acme/a"),
      { token: "LIMITED_TOKEN", body: Buffer.alloc(1) },
      415,
      "unsupported-type",
    ],
    ["GET", path("media", "a"), { token: "ADMIN_TOKEN" }, 403, "forbidden"],
    ["HEAD", path("vault", "a"), { token: "READER_TOKEN" }, 403, ""],
    ["DELETE", path("media", "a"), { token: "READER_TOKEN" }, 403, "forbidden"],
    ["GET", path("nowhere", "a"), {}, 403, "forbidden"],
    ["GET", "/v1/objects/media/%ff", {}, 400, "invalid-request"],
    ["GET", "/v1/objects/media/", {}, 400, "invalid-request"],
    ["GET", path("media", "a", "?colour=red"), {}, 400, "invalid-request"],
    ["GET", path("media", "a", "?partNumber=0"), {}, 400, "invalid-request"],
    ["GET", path("media", "a", "?response-colour=red"), {}, 400, "invalid-request"],
    ["PUT", path("media", "a", "?x=1"), { body: Buffer.alloc(1) }, 400, "invalid-request"],
    [
      "PUT",
      path("media", "a"),
      { body: Buffer.alloc(1), headers: { "content-md5": "x" } },
      400,
      "invalid-request",
    ],
    [
      "PUT",
      path("media", "a"),
      { body: Buffer.alloc(1), headers: { "content-md5": createHash("md5").update("y").digest("base64") } },
      400,
      "invalid-request",
    ],
    ["PUT", path("read-only", "a"), { body: Buffer.alloc(1) }, 409, "no-writable-key"],
    ["PUT", path("bad-short", "a"), { body: Buffer.alloc(1) }, 500, "key-invalid"],
    ["POST", path("media", "a"), { body: Buffer.alloc(1) }, 405, "method-not-allowed"],
  ])("%s %s", async ([method, path, options, status, code]) => {
    const answer = await edge(method, path, options);
    expect(answer.status, answer.body.toString()).toBe(status);
    if (code !== "") expect(problem(answer)).toMatchObject({ code, status });
  });

  test("a checksum that is right is taken", async () => {
    const body = randomBytes(100);
    const md5 = createHash("md5").update(body).digest("base64");
    const up = await edge("PUT", path("media", freshKey()), { body, headers: { "content-md5": md5 } });
    expect(up.status).toBe(200);
  });

  test("a key climbs nowhere", async () => {
    // What URL parsers collapse is no longer below /v1/objects/media.
    for (const path of ["/v1/objects/media/../vault/a", "/v1/objects/media/%2e%2e/vault/a"]) {
      const answer = await edge("GET", path, { token: "READER_TOKEN" });
      expect([403, 404]).toContain(answer.status);
    }
    const encoded = await edge("GET", "/v1/objects/media/acme%2f..%2fother", { token: "LIMITED_TOKEN" });
    expect([encoded.status, problem(encoded).code]).toEqual([400, "invalid-request"]);
  });
});

describe("a listing", () => {
  interface Listing {
    objects: { key: string; size: number; etag: string; lastModified: string }[];
    prefixes?: string[];
    cursor?: string;
  }
  const list = async (query: string, token?: Token): Promise<Listing> => {
    const response = await call(`/v1/objects/media${query}`, {}, token);
    expect(response.status).toBe(200);
    return (await response.json()) as Listing;
  };

  const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

  const listAll = async (query: Record<string, string>): Promise<Listing[]> => {
    const pages: Listing[] = [];
    do {
      const cursor = pages.at(-1)?.cursor;
      pages.push(await list(`?${new URLSearchParams({ ...query, ...(cursor && { cursor }) })}`));
    } while (pages.at(-1)?.cursor !== undefined);
    return pages;
  };

  test("goes page by page, in order, whatever the keys", async () => {
    const prefix = `acme/${freshKey("")}`;
    const names = ["a b", "a+b.txt", "100%.txt", "a%20b", "ä/ö", "x&y<z>", "&#34;", "\u0001", "n\nl", "r\rl"];
    names.push("c\u0085d", "c\u0085e", "\u2028", "\u2028x", "\u2029", "\ufeff", "\u00a0", "\u{1F600}", " ");
    names.sort(byBytes);
    for (const name of names) await put("media", `${prefix}${name}`, name);
    for (const limit of ["1", "2", "5"]) {
      const found = (await listAll({ prefix, limit })).flatMap(({ objects }) => objects);
      expect(found.map(({ key }) => key)).toEqual(names.map((name) => `${prefix}${name}`));
    }
    const found = (await listAll({ prefix })).flatMap(({ objects }) => objects);
    for (const { key, size, etag, lastModified } of found) {
      expect(size).toBe(Buffer.byteLength(key.slice(prefix.length)));
      expect(etag).toMatch(/^".+"$/);
      expect(Date.parse(lastModified)).toBeGreaterThan(Date.now() - 600_000);
    }
    // A caller with one folder lists that, and nothing above it.
    const mine = await list("", "LIMITED_TOKEN");
    expect(mine.objects.length).toBeGreaterThan(0);
    expect(mine.objects.every(({ key }) => key.startsWith("acme/"))).toBe(true);
  });

  test("with a delimiter names what is below once", async () => {
    const prefix = freshKey("");
    const names = ["a", "b/1", "b/2", "b+ %/1", "c", "d/e/f", "ü\u2028/x"].sort(byBytes);
    for (const name of names) await put("media", `${prefix}${name}`, "x");
    for (const limit of [1, 3, 1000]) {
      const pages = await listAll({ prefix, delimiter: "/", limit: String(limit) });
      const found = pages.map(({ objects, prefixes = [] }) =>
        [...objects.map(({ key }) => key), ...prefixes].sort(byBytes),
      );
      expect(Math.max(...found.map(({ length }) => length))).toBeLessThanOrEqual(limit);
      expect(found.flat()).toEqual(
        ["a", "b+ %/", "b/", "c", "d/", "ü\u2028/"].map((name) => `${prefix}${name}`),
      );
    }
    expect(await list(`?${new URLSearchParams({ prefix: `${prefix}zz` })}`)).toEqual({ objects: [] });
    expect(await list(`?${new URLSearchParams({ prefix, delimiter: "" })}`)).not.toHaveProperty("prefixes");
  });

  test.for([
    ["?prefix=acm", "LIMITED_TOKEN", 403],
    ["?prefix=", "LIMITED_TOKEN", 403],
    ["", "ADMIN_TOKEN", 403],
    ["?limit=0", "ALL_TOKEN", 400],
    ["?limit=1001", "ALL_TOKEN", 400],
    ["?prefix=b&delimiter=/", "LIMITED_TOKEN", 403],
    [`?delimiter=${"/".repeat(1025)}`, "ALL_TOKEN", 400],
  ] as const)("%s of %s is %i", async ([query, token, status]) => {
    expect((await call(`/v1/objects/media${query}`, {}, token)).status).toBe(status);
  });
});

test.for([
  ["prefix", "p".repeat(1025)],
  ["cursor", "guess"],
] as const)("a listing by a %s that cannot be is the caller's mistake", async ([field, value]) => {
  const response = await call(`/v1/objects/media?${field}=${value}`);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ errors: [{ path: field }] });
});

test("a client that goes away leaves nothing behind", { tags: ["thorough"] }, async () => {
  const { hostname, port } = new URL(api);
  for (const headers of [{ "content-length": String(20 * MiB) }, { "transfer-encoding": "chunked" }]) {
    const key = freshKey();
    const outgoing = httpRequest({
      hostname,
      port,
      path: path("media", key),
      method: "PUT",
      headers: { authorization: `Bearer ${secrets.ALL_TOKEN}`, ...headers },
    });
    outgoing.on("error", () => {});
    for (let sent = 0; sent < 18 * MiB; sent += MiB) {
      if (!outgoing.write(randomBytes(MiB))) await new Promise((resolve) => outgoing.once("drain", resolve));
    }
    outgoing.destroy();
    await expect
      .poll(
        async () => {
          const { Uploads = [] } = await s3.send(
            new ListMultipartUploadsCommand({ Bucket: "media", Prefix: key }),
          );
          return Uploads.length;
        },
        { timeout: 20_000 },
      )
      .toBe(0);
    expect((await edge("HEAD", path("media", key))).status).toBe(404);
  }
});

test("fifty at once all arrive", { tags: ["thorough"], timeout: 60_000 }, async () => {
  const bodies = Array.from({ length: 50 }, () => ({
    key: freshKey(),
    body: randomBytes(100_000 + Math.floor(Math.random() * 100_000)),
  }));
  const ups = await Promise.all(bodies.map(({ key, body }) => edge("PUT", path("media", key), { body })));
  expect(ups.map(({ status }) => status)).toEqual(bodies.map(() => 200));
  const downs = await Promise.all(bodies.map(({ key }) => edge("GET", path("media", key))));
  expect(downs.every(({ body }, i) => body.equals(bodies[i]?.body ?? Buffer.alloc(0)))).toBe(true);
});

test("the trail tells what went through, by the store's own word", async () => {
  const key = freshKey();
  const body = randomBytes(1234);
  await edge("PUT", path("media", key), { body });
  await edge("GET", path("media", key));
  await expect
    .poll(
      async () =>
        (await eventsOf(key)).map(({ operation, bytes, expiresAt }) => [operation, bytes, expiresAt]),
      { timeout: 20_000 },
    )
    .toEqual([
      ["GetObject", 1234, undefined],
      ["PutObject", 1234, undefined],
    ]);
  expect((await usedFor(key, "k2"))?.confirmed).toBe(true);
});

test(
  "a length that no number can hold is too large, and holds up no event",
  { tags: ["thorough"] },
  async () => {
    const key = freshKey();
    const { hostname, port } = new URL(api);
    const outgoing = httpRequest({
      hostname,
      port,
      path: path("media", key),
      method: "PUT",
      headers: { authorization: `Bearer ${secrets.ALL_TOKEN}`, "content-length": String(2n ** 63n) },
    });
    outgoing.on("error", () => {});
    outgoing.flushHeaders();
    await expect
      .poll(() => eventsOf(key), { timeout: 20_000 })
      .toMatchObject([{ operation: "PutObject", code: "too-large" }]);
    outgoing.destroy();
  },
);

interface Event {
  operation: string;
  bytes?: number;
  expiresAt?: string;
}

/** What the trail has of an object of media, the newest first. */
async function eventsOf(key: string): Promise<Event[]> {
  const path = `/v1/audit?bucket=media&key=${encodeURIComponent(key)}`;
  return ((await (await call(path, {}, "ADMIN_TOKEN")).json()) as { events: Event[] }).events;
}

interface Used {
  key: string;
  confirmed: boolean;
}

/** What is known of a key's use for one object; the run has used it for many. */
async function usedFor(key: string, keyId: string): Promise<Used | undefined> {
  for (let cursor = ""; ; ) {
    const path = `/v1/audit/keys/${keyId}/objects?limit=1000${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
    const page = (await (await call(path, {}, "ADMIN_TOKEN")).json()) as { objects: Used[]; cursor?: string };
    const used = page.objects.find((object) => object.key === key);
    if (used !== undefined || page.cursor === undefined) return used;
    cursor = page.cursor;
  }
}
