/**
 * Conditions by RFC 9110, section 13: every form, on every way to read, replace and remove an object, whatever the store
 * makes of it. Where one does not hold, nothing changes.
 */
import { randomBytes } from "node:crypto";
import { request as httpRequest } from "node:http";
import { ListMultipartUploadsCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, test } from "vitest";
import { api, freshKey, put, secrets } from "../support/client.ts";
import { type EdgeAnswer, edge, MiB, path, problem, s3 } from "../support/edge.ts";
import { testSampled } from "../support/sampled.ts";

interface Current {
  key: string;
  etag: string;
  lastModified: string;
}

async function seed(body = "old"): Promise<Current> {
  const key = freshKey();
  const up = await edge("PUT", path("media", key), { body: Buffer.from(body) });
  expect(up.status, up.body.toString()).toBe(200);
  const head = await edge("HEAD", path("media", key));
  expect(head.headers.etag).toBe(up.headers.etag);
  return { key, etag: String(up.headers.etag), lastModified: String(head.headers["last-modified"]) };
}

const OTHER = '"0123456789abcdef0123456789abcdef"';
const LONG_AGO = "Sun, 06 Nov 1994 08:49:37 GMT";
const bare = (etag: string) => etag.replaceAll('"', "");

/** By name, what is sent of what is there. */
const TAGS: Record<string, (current: Current) => string> = {
  "right, quoted": ({ etag }) => etag,
  "right, unquoted": ({ etag }) => bare(etag),
  "right, weak": ({ etag }) => `W/${etag}`,
  wrong: () => OTHER,
  "wrong, unquoted": () => bare(OTHER),
  "*": () => "*",
  "a list with it": ({ etag }) => `${OTHER}, ${etag}`,
  "a list without it": () => `${OTHER}, "x"`,
};
const DATES: Record<string, (current: Current) => string> = {
  right: ({ lastModified }) => lastModified,
  old: () => LONG_AGO,
  "old, in an old form": () => "Sunday, 06-Nov-94 08:49:37 GMT",
  garbage: () => "yesterday",
};

type Verdict = "holds" | "not";
const IF_MATCH: Record<keyof typeof TAGS, Verdict> = {
  "right, quoted": "holds",
  "right, unquoted": "holds",
  "right, weak": "not",
  wrong: "not",
  "wrong, unquoted": "not",
  "*": "holds",
  "a list with it": "holds",
  "a list without it": "not",
};
const IF_NONE_MATCH: Record<keyof typeof TAGS, Verdict> = {
  "right, quoted": "not",
  "right, unquoted": "not",
  "right, weak": "not",
  wrong: "holds",
  "wrong, unquoted": "holds",
  "*": "not",
  "a list with it": "not",
  "a list without it": "holds",
};
const IF_UNMODIFIED: Record<keyof typeof DATES, Verdict> = {
  right: "holds",
  old: "not",
  "old, in an old form": "not",
  garbage: "holds",
};
const IF_MODIFIED: Record<keyof typeof DATES, Verdict> = {
  right: "not",
  old: "holds",
  "old, in an old form": "holds",
  garbage: "holds",
};

type Form = readonly [header: string, form: string, verdict: Verdict];
const formsOf = (header: string, verdicts: Record<string, Verdict>): Form[] =>
  Object.entries(verdicts).map(([form, verdict]) => [header, form, verdict]);
const OF_WRITES = [
  ...formsOf("if-match", IF_MATCH),
  ...formsOf("if-none-match", IF_NONE_MATCH),
  ...formsOf("if-unmodified-since", IF_UNMODIFIED),
];
const OF_READS = [...OF_WRITES, ...formsOf("if-modified-since", IF_MODIFIED)];
const sent = (form: string, current: Current) => (TAGS[form] ?? DATES[form])?.(current) ?? "";

const expectFailed = (answer: EdgeAnswer) => {
  expect(answer.status, answer.body.toString()).toBe(412);
  expect(problem(answer)).toMatchObject({ code: "precondition-failed" });
};

describe("reading", () => {
  const text = "0123456789";
  let current: Current;
  beforeAll(async () => {
    current = await seed(text);
  });
  const ask = (headers: Record<string, string>, method = "GET") =>
    edge(method, path("media", current.key), { headers });

  testSampled(OF_READS, 8, "%s, %s: %s", async ([header, form, verdict]) => {
    const headers = { [header]: sent(form, current) };
    const failed = ["if-match", "if-unmodified-since"].includes(header) ? 412 : 304;
    for (const method of ["GET", "HEAD"]) {
      for (const range of [{}, { range: "bytes=2-4" }, { range: "bytes=10-" }] as { range?: string }[]) {
        const answer = await ask({ ...headers, ...range }, method);
        if (verdict === "not") {
          expect(answer.status, answer.body.toString()).toBe(failed);
          expect(answer.headers["content-range"]).toBeUndefined();
          if (failed === 304) {
            expect(answer.headers).toMatchObject({
              etag: current.etag,
              "last-modified": current.lastModified,
            });
            expect(answer.body.length).toBe(0);
          } else if (method === "GET") expectFailed(answer);
        } else if (range.range === "bytes=10-") {
          expect(answer.status).toBe(416);
          expect(answer.headers["content-range"]).toBe("bytes */10");
        } else if (range.range !== undefined && method === "GET") {
          expect([answer.status, answer.body.toString()]).toEqual([206, "234"]);
        } else if (range.range === undefined) {
          expect([answer.status, answer.body.toString()]).toEqual([200, method === "GET" ? text : ""]);
        }
      }
    }
  });

  testSampled<[string, (current: Current) => string, 200 | 206]>(
    [
      ["right, quoted", ({ etag }) => etag, 206],
      ["right, unquoted", ({ etag }) => bare(etag), 206],
      ["right, weak", ({ etag }) => `W/${etag}`, 200],
      ["wrong", () => OTHER, 200],
      ["wrong, unquoted", () => bare(OTHER), 200],
      ["*", () => "*", 200],
      ["a list with it", ({ etag }) => `${etag}, ${OTHER}`, 200],
      ["the date", ({ lastModified }) => lastModified, 206],
      ["an old date", () => LONG_AGO, 200],
      ["a later date", () => "Fri, 01 Jan 2100 00:00:00 GMT", 200],
      ["garbage", () => "yesterday, at noon", 200],
    ],
    3,
    "If-Range, %s: %s",
    async ([, value, status]) => {
      const ifRange = { "if-range": value(current) };
      const part = await ask({ ...ifRange, range: "bytes=2-4" });
      expect([part.status, part.body.toString()]).toEqual([status, status === 206 ? "234" : text]);
      // Without a range there is nothing that it could be for.
      const whole = await ask(ifRange);
      expect([whole.status, whole.body.toString()]).toEqual([200, text]);
      const beyond = await ask({ ...ifRange, range: "bytes=10-" });
      expect(beyond.status).toBe(status === 206 ? 416 : 200);
      expectFailed(await ask({ ...ifRange, range: "bytes=2-4", "if-match": OTHER }));
    },
  );

  testSampled<[string, number, string]>(
    [
      ["bytes=0-1,3-4", 200, text],
      ["items=0-1", 200, text],
      ["bytes=5-2", 200, text],
      ["bytes=a-b", 200, text],
      ["bytes=", 200, text],
      ["bytes=2-99999999999999999999999", 206, "23456789"],
      ["bytes=-99999999999999999999999", 206, text],
      ["BYTES=2-4", 206, "234"],
      ["bytes=99999999999999999999999-", 416, ""],
      ["bytes=-0", 416, ""],
    ],
    3,
    "Range: %s is %i",
    async ([range, status, body]) => {
      const answer = await ask({ range });
      expect(answer.status).toBe(status);
      if (status === 416) {
        expect(answer.headers["content-range"]).toBe("bytes */10");
        expect(problem(answer).code).toBe("range-not-satisfiable");
      } else expect(answer.body.toString()).toBe(body);
    },
  );

  test("of nothing is 404, whatever the condition", async () => {
    for (const header of ["if-match", "if-none-match"]) {
      for (const value of ["*", OTHER]) {
        const answer = await edge("GET", path("media", freshKey()), { headers: { [header]: value } });
        expect([answer.status, problem(answer).code]).toEqual([404, "not-found"]);
      }
    }
  });
});

interface Write {
  readonly method: string;
  readonly body?: Buffer | readonly Buffer[];
}

const large = randomBytes(9 * MiB);
const WRITES: Record<string, Write> = {
  "PUT with a length": { method: "PUT", body: Buffer.from("new") },
  "PUT in chunks, small": { method: "PUT", body: [Buffer.from("ne"), Buffer.from("w")] },
  "PUT in chunks, large": { method: "PUT", body: [large.subarray(0, MiB), large.subarray(MiB)] },
  DELETE: { method: "DELETE" },
};

/** What is at the key after a write has been done, or not. */
async function expectAfter(key: string, { body }: Write, wasDone: boolean, before = "old"): Promise<void> {
  const now = await edge("GET", path("media", key));
  if (!wasDone) expect([now.status, now.body.toString()]).toEqual([200, before]);
  else if (body === undefined) expect(now.status).toBe(404);
  else expect(now.body.equals(Buffer.isBuffer(body) ? body : Buffer.concat(body))).toBe(true);
}

/** Nine MiB each time take their time, and how a form is read does not depend on the body. */
const OF_LARGE = ["right, quoted", "wrong", "*", "a list with it", "old"];

describe.each(Object.entries(WRITES))("%s", (way, write) => {
  const isLarge = way === "PUT in chunks, large";
  const isTried = (form: string) => !isLarge || OF_LARGE.includes(form);
  /** They meet what a short one in chunks meets. */
  const tags = isLarge ? ["thorough"] : [];
  const done = write.method === "PUT" ? 200 : 204;
  const send = (key: string, headers: Record<string, string>, bucket = "media") =>
    edge(write.method, path(bucket, key), { headers, ...(write.body && { body: write.body }) });

  const goes = async ([header, form, verdict]: (typeof OF_WRITES)[number]) => {
    const current = await seed();
    const answer = await send(current.key, { [header]: sent(form, current) });
    if (verdict === "not") expectFailed(answer);
    else expect(answer.status, answer.body.toString()).toBe(done);
    await expectAfter(current.key, write, verdict === "holds");
    if (verdict === "holds" && write.method === "PUT") {
      // What it answers is good for the next condition.
      const again = { [header === "if-match" ? "if-match" : "if-none-match"]: String(answer.headers.etag) };
      const next = await edge("DELETE", path("media", current.key), { headers: again });
      expect(next.status).toBe(header === "if-match" ? 204 : 412);
    }
  };
  const writes = OF_WRITES.filter(([, form]) => isTried(form));
  if (isLarge) test.for(writes)("%s, %s: %s", { tags }, goes);
  else testSampled(writes, 8, "%s, %s: %s", goes);

  const goesOfNothing = async (form: string) => {
    const nothing = { key: freshKey(), etag: '"x"', lastModified: LONG_AGO };
    expectFailed(await send(nothing.key, { "if-match": sent(form, nothing) }));
    expect((await edge("HEAD", path("media", nothing.key))).status).toBe(404);
    expect((await send(nothing.key, { "if-none-match": sent(form, nothing) })).status).toBe(done);
  };
  const forms = Object.keys(TAGS);
  if (isLarge) test.for(forms.filter(isTried))("of nothing, %s", { tags }, goesOfNothing);
  else testSampled(forms, 4, "of nothing, %s", goesOfNothing);

  test("of what lies under an older key", { tags }, async () => {
    const key = freshKey();
    await put("media-old", key, "old");
    expectFailed(await send(key, { "if-none-match": "*" }));
    expectFailed(await send(key, { "if-match": OTHER }));
    const etag = String((await edge("HEAD", path("media", key))).headers.etag);
    expect((await send(key, { "if-match": etag })).status).toBe(done);
    await expectAfter(key, write, true);
  });

  test("of what lies in the clear", { tags }, async () => {
    const key = freshKey();
    const { ETag = "" } = await s3.send(new PutObjectCommand({ Bucket: "media", Key: key, Body: "plain" }));
    expectFailed(await send(key, { "if-none-match": "*" }));
    expectFailed(await send(key, { "if-match": OTHER }));
    expect((await send(key, { "if-match": ETag })).status).toBe(done);
  });

  test("of what lies under a key that nobody has", { tags }, async () => {
    const key = freshKey();
    const { headers } = await edge("PUT", path("media", key), { body: Buffer.from("old") });
    for (const condition of [
      { "if-none-match": "*" },
      { "if-none-match": OTHER },
      { "if-match": String(headers.etag) },
      { "if-unmodified-since": "Fri, 01 Jan 2100 00:00:00 GMT" },
    ] as Record<string, string>[]) {
      expectFailed(await send(key, condition, "media-lost"));
    }
    await expectAfter(key, write, false);
    expect((await send(key, { "if-match": "*" }, "media-lost")).status).toBe(done);
  });

  test.for([
    '"unclosed',
    "a b",
    '*, "a"',
    ",",
  ])("a list that is none is refused by name: %s", async (value) => {
    const { key } = await seed();
    for (const header of ["if-match", "if-none-match"]) {
      const answer = await send(key, { [header]: value });
      expect(answer.status).toBe(400);
      expect(problem(answer)).toMatchObject({ code: "invalid-request", errors: [{ path: header }] });
    }
    await expectAfter(key, write, false);
  });

  test.for([
    "if-modified-since",
    "if-range",
    "range",
    "if",
    "x-amz-if-match-size",
  ])("%s, which is not for it, is refused by name", async (header) => {
    const { key, lastModified } = await seed();
    const answer = await send(key, { [header]: header === "range" ? "bytes=0-1" : lastModified });
    expect(answer.status).toBe(400);
    expect(problem(answer)).toMatchObject({ code: "invalid-request", errors: [{ path: header }] });
    await expectAfter(key, write, false);
  });
});

test.for<[string, (current: Current) => Record<string, string>, string]>([
  ["was replaced", ({ etag }) => ({ "if-match": etag }), "old"],
  ["has come", () => ({ "if-none-match": "*" }), ""],
])("what %s while the parts came is not replaced", async ([, condition, before]) => {
  const current = before === "" ? { key: freshKey(), etag: "", lastModified: "" } : await seed(before);
  const { hostname, port } = new URL(api);
  const answered = new Promise<number | undefined>((resolve, reject) => {
    const headers = { authorization: `Bearer ${secrets.ALL_TOKEN}`, ...condition(current) };
    const outgoing = httpRequest(
      { hostname, port, path: path("media", current.key), method: "PUT", headers },
      (incoming) => {
        incoming.resume();
        resolve(incoming.statusCode);
      },
    );
    outgoing.on("error", reject);
    outgoing.write(large);
    void (async () => {
      await expect.poll(() => uploadsOf(current.key), { timeout: 20_000 }).toBe(1);
      await edge("PUT", path("media", current.key), { body: Buffer.from("between") });
      outgoing.end();
    })();
  });
  expect(await answered).toBe(412);
  expect((await edge("GET", path("media", current.key))).body.toString()).toBe("between");
  expect(await uploadsOf(current.key)).toBe(0);
});

async function uploadsOf(key: string): Promise<number> {
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: "media", Prefix: key }));
  return Uploads.length;
}
