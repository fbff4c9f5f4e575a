/** What the service makes of answers that no store should give: lists without end, names left as they are, bombs. */
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { GetObjectTaggingCommand } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type ProblemBody, store } from "../support/client.ts";
import {
  type FaultProxy,
  isComplete,
  isHead,
  isPart,
  isPut,
  startFaultProxy,
} from "../support/fault-proxy.ts";
import { overlooking } from "../support/lenient.ts";
import { oneBucket } from "../support/one-bucket.ts";
import { s3Client } from "../support/s3.ts";
import { testSampled } from "../support/sampled.ts";
import type { RunningWorker } from "../support/worker.ts";
import { startTestWorker } from "../support/worker.ts";

const token = randomBytes(24).toString("base64url");
let proxy: FaultProxy;
let worker: RunningWorker;
const lines: string[] = [];

beforeAll(async () => {
  proxy = await startFaultProxy(store.url);
  const { KEYS, BUCKETS, ...env } = oneBucket({ ...store, url: proxy.url });
  const allow = ["read", "write", "delete"];
  worker = await startTestWorker({
    env: {
      ...env,
      KEYS: { ...KEYS, k2: { secret: "KEY_2" } },
      KEY_2: randomBytes(32).toString("base64"),
      // The same place, before a rotation and after it.
      BUCKETS: { ...BUCKETS, rotated: { store: "main", name: "media", keys: ["k2", "k1"] } },
      CALLERS: {
        me: { token: "TOKEN", grants: ["media", "rotated"].map((bucket) => ({ bucket, prefix: "", allow })) },
      },
      TOKEN: token,
    },
    without: ["DB", "QUEUE", "RATE_LIMIT"],
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

async function call<T>(method: string, path: string, body?: object | string): Promise<Answered<T>> {
  const response = await fetch(`${worker.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json");
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && text !== "" ? JSON.parse(text) : {},
  };
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

/** A refusal of S3's. */
const refusing =
  (status: number, code: string, headers: Record<string, string> = {}) =>
  (request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    response.writeHead(status, { "content-type": "application/xml", ...headers });
    response.end(`<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>m</Message></Error>`);
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

  test(
    "when it says so, whatever tokens it gives; and without an error, however many pages there are",
    { tags: ["thorough"] },
    async () => {
      const last = listOf(
        ["z"],
        "<IsTruncated>false</IsTruncated><NextContinuationToken>t</NextContinuationToken>",
      );
      proxy.break({
        on: everything,
        answer: pages((token) => (Number(token) === 99 ? last : truncated(String(Number(token ?? 0) + 1)))),
      });
      expect(await listAll()).toEqual({ pages: 100 });
    },
  );

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

const upload = { bucket: "media", key: "a", keyId: "k1", uploadId: "u" };
const named = { parts: [{ partNumber: 1, etag: '"e1"' }] };

const PROOF = "a key that does not write";

/** Every route on which the service asks the store, and the method with which it does so first. */
const ROUTES: Readonly<Record<string, readonly [method: string, asked: () => Promise<Answered<object>>]>> = {
  list: ["GET", () => list()],
  GET: ["GET", () => call("GET", "/v1/objects/media/a")],
  HEAD: ["HEAD", () => call("HEAD", "/v1/objects/media/a")],
  PUT: ["PUT", () => call("PUT", "/v1/objects/media/a", "body")],
  DELETE: ["DELETE", () => call("DELETE", "/v1/objects/media/a")],
  verify: ["HEAD", () => call("POST", "/v1/verify", { bucket: "media", key: "a" })],
  presign: [
    "HEAD",
    () => call("POST", "/v1/presign", { operation: "GetObject", bucket: "rotated", key: "a" }),
  ],
  multipart: ["POST", () => call("POST", "/v1/multipart", { bucket: "media", key: "a" })],
  parts: ["GET", () => call("POST", "/v1/multipart/parts", upload)],
  complete: ["GET", () => call("POST", "/v1/multipart/complete", { ...upload, ...named })],
  abort: ["DELETE", () => call("POST", "/v1/multipart/abort", upload)],
  [PROOF]: ["PUT", () => call("POST", "/v1/multipart/parts", { ...upload, bucket: "rotated" })],
};

const CAN_WAIT = ["TooManyRequests", "SlowDown", "ServiceUnavailable", "BandwidthLimitExceeded"];

/** What becomes of S3's codes: those that the caller can mend, and those that only the operator can. */
const CALLERS_CODES: Readonly<Record<string, readonly [given: number, status: number, code: string]>> = {
  NoSuchVersion: [404, 404, "not-found"],
  InvalidObjectState: [403, 409, "conflict"],
  RestoreAlreadyInProgress: [409, 409, "conflict"],
  OperationAborted: [409, 409, "conflict"],
  ConditionalRequestConflict: [409, 409, "conflict"],
  PreconditionFailed: [412, 412, "precondition-failed"],
  InvalidRange: [416, 416, "range-not-satisfiable"],
  KeyTooLongError: [400, 400, "invalid-request"],
  InvalidObjectName: [400, 400, "invalid-request"],
  InvalidURI: [400, 400, "invalid-request"],
  MetadataTooLarge: [400, 400, "invalid-request"],
  RequestHeaderSectionTooLarge: [400, 400, "invalid-request"],
  InvalidTag: [400, 400, "invalid-request"],
  InvalidStorageClass: [400, 400, "invalid-request"],
  ObjectLockConfigurationNotFoundError: [404, 400, "invalid-request"],
  InvalidRetentionPeriod: [400, 400, "invalid-request"],
  BadDigest: [400, 400, "invalid-request"],
  InvalidDigest: [400, 400, "invalid-request"],
  XAmzContentChecksumMismatch: [400, 400, "invalid-request"],
  XAmzContentSHA256Mismatch: [400, 400, "invalid-request"],
  IncompleteBody: [400, 400, "invalid-request"],
  RequestTimeout: [400, 400, "invalid-request"],
  MissingContentLength: [411, 411, "length-required"],
  EntityTooLarge: [400, 413, "too-large"],
  QuotaExceeded: [403, 413, "too-large"],
  EntityTooSmall: [400, 400, "invalid-request"],
  InvalidPart: [400, 400, "invalid-request"],
  InvalidPartOrder: [400, 400, "invalid-request"],
  InvalidPartNumber: [416, 416, "range-not-satisfiable"],
  InvalidArgument: [400, 400, "invalid-request"],
  InvalidRequest: [400, 400, "invalid-request"],
  NotImplemented: [501, 400, "invalid-request"],
  ACodeOfItsOwn: [400, 400, "invalid-request"],
  SlowDown: [503, 503, "unavailable"],
  ServiceUnavailable: [503, 503, "unavailable"],
  TooManyRequests: [429, 429, "rate-limited"],
  BandwidthLimitExceeded: [509, 429, "rate-limited"],
};
const OPERATORS_CODES: Readonly<Record<string, number>> = {
  NoSuchBucket: 404,
  AccessDenied: 403,
  AccountProblem: 403,
  AllAccessDisabled: 403,
  InvalidAccessKeyId: 403,
  InvalidSecurity: 403,
  NotSignedUp: 403,
  SignatureDoesNotMatch: 403,
  UserSuspended: 403,
  ExpiredToken: 400,
  InvalidToken: 400,
  TokenRefreshRequired: 400,
  AuthorizationHeaderMalformed: 400,
  IllegalLocationConstraintException: 400,
  PathStyleRequestNotAllowed: 400,
  RequestTimeTooSkewed: 403,
  InvalidBucketName: 400,
  InvalidEncryptionAlgorithmError: 400,
  MalformedXML: 400,
  MissingSecurityHeader: 400,
  InternalError: 500,
  ANewOne: 403,
  NoSuchThing: 404,
};

describe("a refusal of the store's means the same on every route", () => {
  /** An answer to HEAD has no body, so that nobody hears a code: there the store says what is so. */
  const on = ({ method }: IncomingMessage) => method !== "HEAD";
  const routes = Object.entries(ROUTES).filter(([, [method]]) => method !== "HEAD");
  const askAll = () => Promise.all(routes.map(async ([route, [, ask]]) => ({ route, ...(await ask()) })));
  /** Of the part that shows whose key it is, these are what it is sent for. */
  const isExpected = (route: string, code: string) =>
    route === PROOF &&
    /^(BadDigest|XAmzContentSHA256Mismatch|Invalid(Argument|Request)|AccessDenied|A.*)$/.test(code);

  beforeAll(async () => {
    expect((await ROUTES.PUT?.[1]())?.status).toBe(200);
  });

  testSampled(
    Object.entries(CALLERS_CODES),
    4,
    "%s: the caller is told",
    async ([code, [given, status, problem]]) => {
      proxy.break({ on, answer: refusing(given, code, { "retry-after": "7" }) });
      for (const { route, body, headers, ...answer } of await askAll()) {
        // Elsewhere no version is asked for.
        if (code === "NoSuchVersion" && route !== "GET") continue;
        if (isExpected(route, code)) {
          expect({ route, ...answer, code: body.code }).toEqual({ route, status: 409, code: "conflict" });
          continue;
        }
        expect({ route, status: answer.status, code: body.code }).toEqual({ route, status, code: problem });
        expect(headers.get("retry-after"), route).toBe(CAN_WAIT.includes(code) ? "7" : null);
        expect(body.detail, route).not.toMatch(/could not/);
      }
    },
  );

  testSampled(Object.entries(OPERATORS_CODES), 4, "%s: the operator is told", async ([code, given]) => {
    proxy.break({ on, answer: refusing(given, code) });
    for (const { route, status, body } of await askAll()) {
      if (isExpected(route, code)) continue;
      expect({ route, status, code: body.code }).toEqual({ route, status: 502, code: "store-error" });
      expect(body.detail).not.toMatch(/credential|endpoint|bucket/);
      const told = new RegExp(`STORES.main: ${code} to a \\w+ in BUCKETS.*"requestId":"${body.requestId}"`);
      await expect.poll(() => lines.join("\n")).toMatch(told);
    }
  });

  // A HEAD is refused as if it were for the key.
  test.for([
    ["GET", "/v1/objects/media/a"],
    ["GET", "/v1/objects/rotated/a"],
    ["POST", "/v1/presign", { operation: "GetObject", bucket: "rotated", key: "a" }],
    ["POST", "/v1/verify", { bucket: "media", key: "a" }],
    ["POST", "/v1/verify", { bucket: "rotated", key: "a" }],
  ] as const)("a session token that has expired is not a wrong key: %s %s", async ([method, path, body]) => {
    proxy.break({ on: everything, answer: refusing(400, "ExpiredToken") });
    const { status, body: problem } = await call(method, path, body);
    expect([status, problem.code]).toEqual([502, "store-error"]);
    await expect.poll(() => lines.join("\n")).toContain("its session token has expired");
  });

  test("where there is no code, by its status; what is no code is none", async () => {
    for (const [given, status, code] of [
      [404, 404, "not-found"],
      [411, 411, "length-required"],
      [412, 412, "precondition-failed"],
      [413, 413, "too-large"],
      [416, 416, "range-not-satisfiable"],
      [429, 429, "rate-limited"],
      [500, 502, "store-error"],
      [502, 502, "store-error"],
      [503, 503, "unavailable"],
      [504, 504, "store-timeout"],
      [507, 502, "store-error"],
      [418, 502, "store-error"],
    ] as const) {
      for (const document of ["", "<html>", "<Error><Code>a b<c/></Code></Error>"]) {
        proxy.break({ on: everything, answer: answering(document, given) });
        const { body, ...answer } = await call("GET", "/v1/objects/media/a");
        expect([given, answer.status, body.code]).toEqual([given, status, code]);
      }
    }
  });

  test("how long to wait is passed on where it is a time, and nothing else", async () => {
    for (const [given, told] of [
      ["120", "120"],
      ["Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:28:00 GMT"],
      ["soon", "5"],
      ["-1", "5"],
      [undefined, "5"],
    ] as const) {
      for (const [status, code] of [
        [503, "SlowDown"],
        [503, "Whatever"],
        [503, ""],
        [429, "Whatever"],
        [429, ""],
      ] as const) {
        proxy.break({ on: everything, answer: refusing(status, code, given && { "retry-after": given }) });
        expect((await list()).headers.get("retry-after")).toBe(told);
      }
    }
  });

  test.for([
    ["DELETE", () => call("DELETE", "/v1/objects/media/a?versionId=none")],
    ["GET", () => call("GET", "/v1/objects/media/a?versionId=none")],
    ["verify", () => call("POST", "/v1/verify", { bucket: "media", key: "a", versionId: "none" })],
    [
      "presign",
      () =>
        call("POST", "/v1/presign", {
          operation: "GetObject",
          bucket: "rotated",
          key: "a",
          versionId: "none",
        }),
    ],
  ] as const)("a version that is none is named as such: %s", async ([, ask]) => {
    const document = "<Error><Code>InvalidArgument</Code><ArgumentName>versionId</ArgumentName></Error>";
    proxy.break({ on: everything, answer: answering(document, 400) });
    const { status, body } = await ask();
    expect({ status, detail: body.detail }).toEqual({
      status: 400,
      detail: expect.stringContaining("versionId"),
    });
  });
});

describe("a size that HEAD does not tell", () => {
  const silent = {
    on: isHead,
    headers: (headers: Record<string, unknown>) => void delete headers["content-length"],
  };
  const verify = (key: string) => call<{ size: number }>("POST", "/v1/verify", { bucket: "media", key });

  test.for([0, 1, 5000])("is found out: %i bytes", async (size) => {
    const key = `silent/${size}`;
    await call("PUT", `/v1/objects/media/${key}`, "x".repeat(size));
    proxy.break(silent);
    expect((await verify(key)).body).toMatchObject({ encrypted: true, size });
  });

  test("is found out at the end of an upload", async () => {
    proxy.break(silent);
    const object = { bucket: "media", key: "silent/parts" };
    const { body: begun } = await call<{ keyId: string; uploadId: string }>("POST", "/v1/multipart", object);
    const id = { ...object, keyId: begun.keyId, uploadId: begun.uploadId };
    const { body: signed } = await call<{ parts: { url: string }[]; headers: Record<string, string> }>(
      "POST",
      "/v1/multipart/sign",
      { ...id, partNumbers: [1] },
    );
    const { headers } = await fetch(signed.parts[0]?.url ?? "", {
      method: "PUT",
      headers: signed.headers,
      body: "x".repeat(5000),
    });
    const parts = [{ partNumber: 1, etag: headers.get("etag") }];
    const done = await call<{ size: number }>("POST", "/v1/multipart/complete", { ...id, parts, size: 5000 });
    expect(done.body).toMatchObject({ size: 5000 });
  });

  test("is no size, where nothing tells it", async () => {
    const key = "silent/5000";
    for (const length of [undefined, "", "-1", "5e3", "many"]) {
      proxy.break(
        {
          on: isHead,
          headers: (headers) => {
            if (length === undefined) delete headers["content-length"];
            else headers["content-length"] = length;
          },
        },
        { on: ({ method }) => method === "GET", headers: (headers) => void delete headers["content-range"] },
      );
      const { status, body } = await verify(key);
      expect({ length, status, code: body.code }).toEqual({ length, status: 502, code: "store-error" });
    }
  });
});

test("tags that the store lost with an upload are put again", async () => {
  const url = `${worker.url}/v1/objects/media/tagged`;
  const headers = { authorization: `Bearer ${token}` };
  // The rest is of the signature, which is made anew.
  proxy.break(overlooking(store, /^x-amz-(tagging$|date$|content-sha)/, isPut));
  const tagging = { "x-amz-tagging": "who=me&a%20b=c%2Bd%40e" };
  const up = await fetch(url, { method: "PUT", headers: { ...headers, ...tagging }, body: "x" });
  expect(up.status, await up.text()).toBe(200);
  const { TagSet = [] } = await s3Client(store).send(
    new GetObjectTaggingCommand({ Bucket: "media", Key: "tagged" }),
  );
  expect(TagSet.map(({ Key, Value }) => `${Key}=${Value}`).sort()).toEqual(["a b=c+d@e", "who=me"]);
});

describe("an upload's key that is not to be had by a trick of the store's", () => {
  const ask = () => ROUTES[PROOF]?.[1]();
  const isProof = isPart;

  test("which complains of the body before it looks at the key", async () => {
    proxy.break({ on: isProof, answer: refusing(400, "BadDigest") });
    expect(await ask()).toMatchObject({ status: 409, body: { code: "conflict" } });
  });

  test("which takes every part", async () => {
    proxy.break({ on: isProof, answer: answering("", 200) });
    expect(await ask()).toMatchObject({ status: 409, body: { code: "conflict" } });
  });

  test("which knows no such upload", async () => {
    proxy.break({ on: isProof, answer: refusing(404, "NoSuchUpload") });
    expect(await ask()).toMatchObject({ status: 404, body: { code: "not-found" } });
  });
});

describe("no request follows a redirect", () => {
  const arrived: string[] = [];
  let elsewhere: Server;
  let target: string;
  beforeAll(async () => {
    elsewhere = createServer((request, response) => {
      arrived.push(`${request.method} ${JSON.stringify(request.headers)}`);
      response.writeHead(200, { "x-amz-server-side-encryption-customer-algorithm": "AES256" }).end();
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => elsewhere.once("listening", resolve));
    target = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
  });
  afterAll(() => void elsewhere.close());

  test.for([301, 302, 303, 307, 308])("%i", async (status) => {
    for (const [route, [, ask]] of Object.entries(ROUTES)) {
      proxy.break({
        on: everything,
        answer: (request, response) => {
          request.resume();
          response.writeHead(status, { location: `${target}${request.url}` }).end("<Error/>");
        },
      });
      lines.length = 0;
      const { status: answered, body } = await ask();
      expect({ route, answered }).toEqual({ route, answered: 502 });
      if (route !== "HEAD") expect(body.code).toBe("store-error");
      const told = new RegExp(`STORES.main: ${status} to a .*redirects to ${target.slice(7)}`);
      await expect.poll(() => lines.join()).toMatch(told);
    }
    expect(arrived).toEqual([]);
  });

  test("nor of one that the store sends for one operation alone", { tags: ["thorough"] }, async () => {
    const redirect = (request: IncomingMessage, response: ServerResponse) => {
      request.resume();
      response.writeHead(307, { location: `${target}${request.url}` }).end();
    };
    const key = "redirected";
    for (const on of [isComplete, isPart, isHead]) {
      proxy.break({ on, answer: redirect });
      const response = await fetch(`${worker.url}/v1/objects/media/${key}`, {
        method: "PUT",
        headers: { authorization: `Bearer ${token}` },
        body: new Blob([Buffer.alloc(20 * 2 ** 20)]).stream(),
        duplex: "half",
      } as RequestInit);
      expect(response.status).toBe(502);
      await response.text();
    }
    expect(arrived).toEqual([]);
  });
});
