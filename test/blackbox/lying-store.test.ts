/** What the service makes of answers that no store should give: lists without end, names left as they are, bombs. */
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { RunningWorker } from "../../scripts/worker.ts";
import { startWorker } from "../../scripts/worker.ts";
import { type ProblemBody, store } from "./client.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import { oneBucket } from "./one-bucket.ts";

const token = randomBytes(24).toString("base64url");
let proxy: FaultProxy;
let worker: RunningWorker;
const lines: string[] = [];

beforeAll(async () => {
  proxy = await startFaultProxy(store.url);
  worker = await startWorker({
    env: {
      ...oneBucket({ ...store, url: proxy.url }),
      CALLERS: {
        me: { token: "TOKEN", grants: [{ bucket: "media", prefix: "", allow: ["read", "write", "delete"] }] },
      },
      TOKEN: token,
    },
    without: ["DB", "QUEUE", "RATE_LIMIT"],
    logLevel: "none",
    onLog: (line) => lines.push(line),
  });
});
afterEach(() => {
  proxy.break();
  lines.length = 0;
});
afterAll(async () => {
  await worker?.close();
  proxy?.close();
});

interface Answered<T> {
  status: number;
  headers: Headers;
  body: T & Partial<ProblemBody>;
}

async function call<T>(method: string, path: string, body?: object): Promise<Answered<T>> {
  const response = await fetch(`${worker.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? {} : JSON.parse(text) };
}

const everything = () => true;

/** An answer in XML, whatever was asked. */
const answering =
  (document: string | ((query: URLSearchParams) => string), status = 200) =>
  (request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    response.writeHead(status, { "content-type": "application/xml" });
    const query = new URL(request.url ?? "", "http://store").searchParams;
    response.end(typeof document === "string" ? document : document(query));
  };

const XMLNS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
const listOf = (keys: readonly string[], more = "") =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult ${XMLNS}>${more}${keys
    .map(
      (key) =>
        `<Contents><Key>${key}</Key><Size>1</Size><ETag>&#34;x&#34;</ETag><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>`,
    )
    .join("")}</ListBucketResult>`;

interface Listed {
  objects: { key: string; size: number; etag: string; lastModified: string }[];
  prefixes?: string[];
  cursor?: string;
}
const list = (query: Record<string, string> = {}) =>
  call<Listed>("GET", `/v1/objects/media?${new URLSearchParams(query)}`);

const keysOf = ({ body }: Answered<Listed>) => body.objects.map(({ key }) => key);

describe("names in a list are what the store says that they are", () => {
  const names = ["a+b.txt", "100%.txt", "a%20b", "x y", " both ends ", "007", "1e3", "true", "ä/ö", "%zz"];

  test("as they stand, where it does not say that it has encoded them", async () => {
    proxy.break({ on: everything, answer: answering(listOf(names)) });
    expect(keysOf(await list())).toEqual(names);
    proxy.break({ on: everything, answer: answering(listOf(names, "<EncodingType></EncodingType>")) });
    expect(keysOf(await list())).toEqual(names);
  });

  test.for([
    ["%20", encodeURIComponent],
    ["+", (name: string) => encodeURIComponent(name).replaceAll("%20", "+")],
    ["/", (name: string) => encodeURIComponent(name).replaceAll("%2F", "/")],
  ] as const)("decoded, where it does: spaces or slashes as %s", async ([, encode]) => {
    const encoded = [...names, "\r\n\u0085\u2028\u0001"].map(encode);
    proxy.break({ on: everything, answer: answering(listOf(encoded, "<EncodingType>url</EncodingType>")) });
    expect(keysOf(await list())).toEqual([...names, "\r\n\u0085\u2028\u0001"]);
  });

  test.for([
    ["&amp;lt;&lt;&gt;&quot;&apos;", "&lt;<>\"'"],
    ["&#38;&#x26;&#34;&#x22;&#39;", '&&""\''],
    ["&#13;&#xD;&#10;&#9;|&#x1;&#31;&#x7f;", "\r\r\n\t|\u0001\u001f\u007f"],
    ["&#133;&#x85;&#x2028;&#8233;&#x1F600;", "\u0085\u0085\u2028\u2029\u{1F600}"],
    ["raw \u0085\u2028\u2029\r\n\r\t end", "raw \u0085\u2028\u2029\r\n\r\t end"],
  ] as const)("%s is %j", async ([written, name]) => {
    proxy.break({ on: everything, answer: answering(listOf([written, `<![CDATA[a&lt;b]]>`])) });
    expect(keysOf(await list())).toEqual([name, "a&lt;b"]);
  });

  test("one entry is a list, and none is one", async () => {
    proxy.break({ on: everything, answer: answering(`\n ${listOf(["a"])}`) });
    expect((await list()).body).toEqual({
      objects: [{ key: "a", size: 1, etag: '"x"', lastModified: "2026-01-01T00:00:00.000Z" }],
    });
    proxy.break({ on: everything, answer: answering(listOf([])) });
    expect((await list()).body).toEqual({ objects: [] });
    expect((await list({ delimiter: "/" })).body).toEqual({ objects: [], prefixes: [] });
  });
});

/** Goes on as long as the service gives a cursor. @returns the problem that ended it, if one did, and how many pages there were */
async function listAll(limit = 200): Promise<{ pages: number; problem?: ProblemBody }> {
  let cursor: string | undefined;
  for (let pages = 1; pages <= limit; pages++) {
    const answer = await list(cursor === undefined ? {} : { cursor });
    if (answer.status !== 200) return { pages, problem: answer.body as ProblemBody };
    cursor = answer.body.cursor;
    if (cursor === undefined) return { pages };
  }
  throw new Error(`no end after ${limit} pages`);
}

const truncated = (token: string, keys: readonly string[] = [token]) =>
  listOf(keys, `<IsTruncated>true</IsTruncated><NextContinuationToken>${token}</NextContinuationToken>`);
/** A list whose pages follow one another as told; the first is that of no token. */
const pages = (next: (token: string | null) => string) =>
  answering((query) => next(query.get("continuation-token")));

describe("a list ends", () => {
  test.for([
    ["the token stays", () => truncated("same", ["a"])],
    ["the token is the one that was asked for", (token: string | null) => truncated(token ?? "first")],
    ["two tokens take turns", (token: string | null) => truncated(token === "a" ? "b" : "a")],
    [
      "seven go round, after five",
      (token: string | null) => truncated(String(Number(token ?? 0) < 11 ? Number(token ?? 0) + 1 : 5)),
    ],
    [
      "the tokens are new, and the page is the same",
      (token: string | null) => truncated(String(Number(token ?? 0) + 1), ["a", "b"]),
    ],
  ] as const)("with an error, when %s", async ([, next]) => {
    proxy.break({ on: everything, answer: pages(next) });
    const { problem } = await listAll();
    expect(problem).toMatchObject({ status: 502, code: "store-error", detail: /does not end/ });
    expect(lines.join()).toMatch(/STORES.main: .*ListObjectsV2 in BUCKETS.media.*circle/);
  });

  test("with an error, when it goes on nobody knows where", async () => {
    for (const more of ["", "<NextContinuationToken></NextContinuationToken>"]) {
      proxy.break({
        on: everything,
        answer: answering(listOf(["a"], `<IsTruncated>true</IsTruncated>${more}`)),
      });
      expect((await list()).body).toMatchObject({ code: "store-error" });
    }
  });

  test("when it says so, whatever tokens it gives; and without an error, however many pages there are", async () => {
    const last = listOf(
      ["z"],
      "<IsTruncated>false</IsTruncated><NextContinuationToken>t</NextContinuationToken>",
    );
    proxy.break({
      on: everything,
      answer: pages((token) => (Number(token) === 99 ? last : truncated(String(Number(token ?? 0) + 1)))),
    });
    expect(await listAll()).toEqual({ pages: 100 });
  });

  test("a token of any characters comes back to the store as it was", async () => {
    const tokens = ["a\u0085b", "c\u2028\u2029", "d\r\n", " e ", "+%2B/=&", "ü"];
    const asked: (string | null)[] = [];
    proxy.break({
      on: everything,
      answer: pages((token) => {
        asked.push(token);
        const next = tokens[asked.length - 1];
        if (next === undefined) return listOf(["end"]);
        return truncated(
          next.replace(/[\r\n&]/g, (c) => `&#${c.charCodeAt(0)};`),
          [String(asked.length)],
        );
      }),
    });
    expect(await listAll()).toEqual({ pages: tokens.length + 1 });
    expect(asked).toEqual([null, ...tokens]);
  });
});

test.for([
  "guess",
  "a+b",
  "%00",
  Buffer.from('["t"]').toString("base64url"),
  Buffer.from("[1,2,3]").toString("base64url"),
  Buffer.from('{"token":"x"}').toString("base64url"),
])("a cursor that no answer gave (%s) is the caller's mistake", async (cursor) => {
  const { status, body } = await list({ cursor });
  expect(status).toBe(400);
  expect(body.errors).toEqual([{ path: "cursor", message: expect.any(String) }]);
});

describe("an answer that is none is an error of the store's", () => {
  const bomb = `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "${"a".repeat(1000)}">${Array.from(
    { length: 20 },
    (_, i) => `<!ENTITY b${i} "${`&${i === 0 ? "a" : `b${i - 1}`};`.repeat(20)}">`,
  ).join("")}]>`;
  test.for([
    ["nothing", ""],
    ["words", "Bad gateway"],
    ["a page", "<html><body>hello<br></body></html>"],
    ["another document", `<ListPartsResult ${XMLNS}/>`],
    ["half of one", listOf(["a", "b"]).slice(0, -40)],
    ["two", listOf(["a"]).slice(39).repeat(2)],
    ["a bomb", `${bomb}${listOf(["&b19;"]).slice(39)}`],
    [
      "an entity from elsewhere",
      `<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]>${listOf(["&a;"]).slice(39)}`,
    ],
    ["a depth without end", `${"<a>".repeat(100_000)}`],
    ["nine megabytes", listOf([], `<Prefix>${"a".repeat(9 * 2 ** 20)}</Prefix>`)],
    ["an object without a name", listOf([""])],
    ["an object without a size", listOf(["a"]).replace("<Size>1</Size>", "")],
    ["an object of a strange size", listOf(["a"]).replace("<Size>1</Size>", "<Size>1e3</Size>")],
    ["a name that is not encoded as it says", listOf(["100%"], "<EncodingType>url</EncodingType>")],
  ] as const)("%s", async ([, document]) => {
    proxy.break({ on: everything, answer: answering(document) });
    const { status, body } = await list();
    expect({ status, code: body.code }).toEqual({ status: 502, code: "store-error" });
    expect(lines.join()).toContain("BUCKETS.media");
  });

  test("a body without end is not read to its end", async () => {
    let sent = 0;
    proxy.break({
      on: everything,
      answer: (request, response) => {
        request.resume();
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536, 97))) sent += 65_536;
        };
        response.on("drain", more);
        response.writeHead(200);
        more();
      },
    });
    expect((await list()).body).toMatchObject({ code: "store-error" });
    expect(sent).toBeLessThan(64 * 2 ** 20);
  });
});

describe("the parts of an upload", () => {
  const parts = (numbers: readonly number[], more = "") =>
    `<ListPartsResult ${XMLNS}>${more}${numbers
      .map((n) => `<Part><PartNumber>${n}</PartNumber><ETag>"e${n}"</ETag><Size>5</Size></Part>`)
      .join("")}</ListPartsResult>`;
  const more = (marker: string) =>
    `<IsTruncated>true</IsTruncated><NextPartNumberMarker>${marker}</NextPartNumberMarker>`;
  const ask = () =>
    call<{ parts: { partNumber: number }[] }>("POST", "/v1/multipart/parts", {
      bucket: "media",
      key: "a",
      keyId: "k1",
      uploadId: "u",
    });

  test("come page by page", async () => {
    proxy.break({
      on: everything,
      answer: answering((query) => {
        const marker = Number(query.get("part-number-marker") ?? 0);
        return parts(
          [marker + 1, marker + 2],
          marker < 8 ? more(String(marker + 2)) : "<IsTruncated>false</IsTruncated>",
        );
      }),
    });
    const { body } = await ask();
    expect(body.parts.map(({ partNumber }) => partNumber)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test.for([
    ["a marker that stays", () => parts([1], more("1"))],
    ["a marker that goes back", () => parts([5], more("0"))],
    ["no marker, and no parts", () => parts([], "<IsTruncated>true</IsTruncated>")],
    [
      "two markers that take turns",
      (query: URLSearchParams) => parts([1], more(query.get("part-number-marker") === "7" ? "3" : "7")),
    ],
    ["no sizes", () => parts([1]).replace("<Size>5</Size>", "")],
  ] as const)("with %s are an error of the store's", async ([, document]) => {
    proxy.break({ on: everything, answer: answering(document) });
    const { status, body } = await ask();
    expect({ status, code: body.code }).toEqual({ status: 502, code: "store-error" });
  });
});
