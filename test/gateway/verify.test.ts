/** Signatures that clients make hold, and prove what they were made for and nothing else. */
import { describe, expect, test } from "vitest";
import { S3Fault } from "../../src/gateway/faults.ts";
import { type At, verify } from "../../src/gateway/verify.ts";
import { holds } from "./random.ts";
import {
  type Asked,
  HOST,
  NOW,
  requestOf,
  SHORT_TOKEN,
  type Signed,
  type Signing,
  service,
  signing,
  smithy,
  TOKEN,
} from "./signers.ts";

test("what AWS's own signer and a stranger's sign", async () => {
  await holds(500);
});

const get: Asked = {
  method: "GET",
  path: "/s3/media/a/b%20c",
  query: { versionId: "v 1" },
  headers: { "x-amz-meta-a": "b", range: "bytes=0-9", "if-match": "a,b" },
};
const link: Partial<Signing> = { expiresIn: 900 };

async function codeOf(request: Request, at: Partial<At> = {}): Promise<string> {
  try {
    const { caller } = await verify(request, { host: HOST, service, now: NOW, ...at });
    return caller.name;
  } catch (error) {
    if (error instanceof S3Fault) return error.code;
    throw error;
  }
}

type Mutable = { -readonly [Field in keyof Signed]: Signed[Field] };

interface Attack {
  /** What is signed, and how, where it differs. */
  asked?: Partial<Asked>;
  as?: Partial<Signing>;
  /** What is done to it on its way. */
  change?: (signed: Mutable) => void;
  at?: Partial<At>;
}

const set = (headers: Record<string, string>) => (signed: Signed) =>
  void Object.assign(signed.headers, headers);
const rewrite = (from: string | RegExp, to: string) => (signed: Mutable) => {
  const changed = signed.url.replace(from, to);
  if (changed === signed.url) throw new Error("nothing to change");
  signed.url = changed;
};
const resign = (from: string | RegExp, to: string | ((c: string) => string)) => (signed: Signed) => {
  const { authorization = "" } = signed.headers;
  const changed = authorization.replace(from, to as string);
  if (changed === authorization) throw new Error("nothing to change");
  signed.headers.authorization = changed;
};
const second = (seconds: number) => new Date(NOW + seconds * 1000);
const MISMATCH = "SignatureDoesNotMatch";
const HEADER = "AuthorizationHeaderMalformed";
const QUERY = "AuthorizationQueryParametersError";

describe("a signature in the header", () => {
  test.each<[string, string, Attack]>([
    ["as it was made", "acme", {}],
    ["for another path", MISMATCH, { change: rewrite("b%20c", "c") }],
    ["for another bucket", MISMATCH, { change: rewrite("/media/", "/other/") }],
    ["for a path with a slash that is encoded", MISMATCH, { change: rewrite("a/b", "a%2Fb") }],
    ["for a path with a slash more", MISMATCH, { change: rewrite("a/b", "a//b") }],
    ["for a path without the prefix", MISMATCH, { change: rewrite("/s3/", "/") }],
    ["for the same path, spelt otherwise", "acme", { change: rewrite("/a/", "/%61/") }],
    ["for a path that is no UTF-8", "InvalidURI", { change: rewrite("%20", "%ff") }],
    [
      "for another method",
      MISMATCH,
      { change: (signed) => void Object.assign(signed, { method: "DELETE" }) },
    ],
    ["for a HEAD", MISMATCH, { change: (signed) => void Object.assign(signed, { method: "HEAD" }) }],
    ["for another host", MISMATCH, { at: { host: "other.example.com" } }],
    ["for another port", MISMATCH, { at: { host: `${HOST}:444` } }],
    ["with a parameter more", MISMATCH, { change: rewrite(/$/, "&tagging") }],
    ["with a parameter twice", MISMATCH, { change: rewrite(/$/, "&versionId=v%201") }],
    ["with a parameter less", MISMATCH, { change: rewrite(/\?.*/, "") }],
    ["with another value", MISMATCH, { change: rewrite("v%201", "v%202") }],
    [
      "with a parameter of a signature in the query",
      "InvalidArgument",
      { change: rewrite(/$/, "&X-Amz-Expires=9") },
    ],
    ["with a signed header that is another", MISMATCH, { change: set({ "x-amz-meta-a": "c" }) }],
    ["with a signed header that is doubled", MISMATCH, { change: set({ "x-amz-meta-a": "b, b" }) }],
    [
      "with a header of S3's that gets a space",
      MISMATCH,
      { asked: { headers: { "x-amz-meta-a": "b,c" } }, change: set({ "x-amz-meta-a": "b, c" }) },
    ],
    ["with a list that came in two lines", "acme", { change: set({ "if-match": "a, b" }) }],
    [
      "with a signed header that is folded",
      "acme",
      {
        asked: { headers: { "cache-control": "no-cache  x" } },
        change: set({ "cache-control": "no-cache x" }),
      },
    ],
    [
      "with a signed header that is gone",
      MISMATCH,
      { change: ({ headers }) => void delete headers["x-amz-meta-a"] },
    ],
    [
      "with S3's headers that are not signed",
      "AccessDenied",
      { change: set({ "x-amz-copy-source": "/media/secret" }) },
    ],
    ["with an ACL that is not signed", "AccessDenied", { change: set({ "x-amz-acl": "public-read" }) }],
    [
      "with a session token that is not signed",
      "AccessDenied",
      { change: set({ "x-amz-security-token": "t" }) },
    ],
    ["with CloudFront's mark", "acme", { change: set({ "x-amz-cf-id": "x" }) }],
    ["with another header that is not signed", "acme", { change: set({ "user-agent": "x" }) }],
    ["of a body that is another", MISMATCH, { change: set({ "x-amz-content-sha256": "0".repeat(64) }) }],
    ["of no body's hash", "AccessDenied", { change: resign("x-amz-content-sha256;", "") }],
    [
      "without a word of the body",
      "InvalidRequest",
      { change: ({ headers }) => void delete headers["x-amz-content-sha256"] },
    ],
    ["without a host", "AccessDenied", { change: resign("host;", "") }],
    ["with names out of order", HEADER, { change: resign("host;if-match", "if-match;host") }],
    ["with a name twice", HEADER, { change: resign("host;", "host;host;") }],
    ["with a name in capitals", HEADER, { change: resign("host;", "Host;") }],
    ["15 minutes old", "acme", { as: { date: second(-900) } }],
    ["older", "RequestTimeTooSkewed", { as: { date: second(-901) } }],
    ["of a time to come", "RequestTimeTooSkewed", { as: { date: second(901) } }],
    ["with another date", MISMATCH, { change: set({ "x-amz-date": "20261128T120001Z" }) }],
    ["of another day's scope", HEADER, { change: set({ "x-amz-date": "20261129T120000Z" }) }],
    ["with a date that is none", "AccessDenied", { change: set({ "x-amz-date": "20261128T129900Z" }) }],
    ["without a date", "AccessDenied", { change: ({ headers }) => void delete headers["x-amz-date"] }],
    ["for another region", HEADER, { as: { region: "eu-west-1" } }],
    ["for the store's region", "acme", { as: { region: "US-EAST-04A" } }],
    ["for one region, in another's place", MISMATCH, { change: resign("us-east-1", "auto") }],
    ["for another service", HEADER, { change: resign("/s3/", "/iam/") }],
    ["under another secret", MISMATCH, { as: { secretAccessKey: `${TOKEN}x` } }],
    ["of nobody", "InvalidAccessKeyId", { as: { accessKeyId: "nobody" } }],
    ["of a caller whose token is not bound", "InvalidAccessKeyId", { as: { accessKeyId: "lost" } }],
    [
      "of a caller whose name has a slash",
      "ac/me",
      { as: { accessKeyId: "ac/me", secretAccessKey: `${TOKEN}2` } },
    ],
    ["of another caller, in this one's name", MISMATCH, { as: { secretAccessKey: `${TOKEN}2` } }],
    ["under a short token", "AccessDenied", { as: { accessKeyId: "short", secretAccessKey: SHORT_TOKEN } }],
    ["under another than the short token", MISMATCH, { as: { accessKeyId: "short" } }],
    ["that is cut", HEADER, { change: resign(/.$/, "") }],
    ["of another byte", MISMATCH, { change: resign(/.$/, (c) => (c === "0" ? "1" : "0")) }],
    ["without its parts", HEADER, { change: resign(/Credential=[^,]*, /, "") }],
    ["with a part twice", HEADER, { change: resign(/$/, ", Signature=0") }],
    ["of version 2", "InvalidRequest", { change: set({ authorization: "AWS acme:c2lnbmF0dXJl" }) }],
    ["of version 4A", "InvalidRequest", { change: resign("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256") }],
    ["that is a bearer's token", "InvalidRequest", { change: set({ authorization: `Bearer ${TOKEN}` }) }],
    ["that is not there", "AccessDenied", { change: ({ headers }) => void delete headers.authorization }],
    ["and one in the query", "InvalidArgument", { change: rewrite(/$/, "&X-Amz-Signature=0") }],
  ])("%s: %s", async (_, code, { asked, as, change, at }) => {
    const signed = await smithy({ ...get, ...asked }, { ...signing, ...as });
    change?.(signed);
    expect(await codeOf(requestOf(signed), at)).toBe(code);
  });
});

describe("a presigned URL", () => {
  const plain = { headers: {} };
  test.each<[string, string, Attack]>([
    ["as it was made", "acme", { asked: plain }],
    [
      "for a PUT",
      MISMATCH,
      { asked: plain, change: (signed) => void Object.assign(signed, { method: "PUT" }) },
    ],
    ["for another object", MISMATCH, { asked: plain, change: rewrite("b%20c", "d") }],
    [
      "widened by a parameter",
      MISMATCH,
      { asked: plain, change: rewrite(/$/, "&response-content-type=text/html") },
    ],
    [
      "widened by a header of S3's",
      "AccessDenied",
      { asked: plain, change: set({ "x-amz-copy-source": "/media/secret" }) },
    ],
    ["with a range, as browsers ask for", "acme", { asked: plain, change: set({ range: "bytes=0-1" }) }],
    [
      "with another type than is signed",
      MISMATCH,
      {
        asked: { method: "PUT", headers: { "content-type": "image/png" } },
        change: set({ "content-type": "text/html" }),
      },
    ],
    [
      "that lives longer than was signed",
      MISMATCH,
      { asked: plain, change: rewrite("X-Amz-Expires=900", "X-Amz-Expires=901") },
    ],
    [
      "that lives longer than a week",
      QUERY,
      { asked: plain, change: rewrite("X-Amz-Expires=900", "X-Amz-Expires=604801") },
    ],
    [
      "that lives for no time",
      QUERY,
      { asked: plain, change: rewrite("X-Amz-Expires=900", "X-Amz-Expires=0") },
    ],
    [
      "that lives for some time",
      QUERY,
      { asked: plain, change: rewrite("X-Amz-Expires=900", "X-Amz-Expires=9e2") },
    ],
    ["at its last second", "acme", { asked: plain, as: { date: second(-900) } }],
    ["that has ended", "AccessDenied", { asked: plain, as: { date: second(-901) } }],
    ["that is not valid yet", "AccessDenied", { asked: plain, as: { date: second(901) } }],
    [
      "with its signature twice",
      QUERY,
      { asked: plain, change: rewrite(/(X-Amz-Signature=[^&]*)/, "$1&$1") },
    ],
    ["with its end twice", QUERY, { asked: plain, change: rewrite(/$/, "&X-Amz-Expires=604800") }],
    [
      "with an end in small letters",
      MISMATCH,
      { asked: plain, change: rewrite(/$/, "&x-amz-expires=604800") },
    ],
    ["without its end", QUERY, { asked: plain, change: rewrite(/&X-Amz-Expires=900/, "") }],
    ["without its signature", QUERY, { asked: plain, change: rewrite(/X-Amz-Signature=[^&]*/, "") }],
    ["without its algorithm", QUERY, { asked: plain, change: rewrite(/X-Amz-Algorithm=[^&]*/, "") }],
    ["of another algorithm", QUERY, { asked: plain, change: rewrite("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1") }],
    [
      "of a body that is another",
      MISMATCH,
      { asked: plain, change: set({ "x-amz-content-sha256": "0".repeat(64) }) },
    ],
    [
      "with a session token in a header",
      QUERY,
      { asked: plain, change: set({ "x-amz-security-token": "t" }) },
    ],
    ["for another region", QUERY, { asked: plain, as: { region: "eu-west-1" } }],
    ["of nobody", "InvalidAccessKeyId", { asked: plain, as: { accessKeyId: "nobody" } }],
    ["under another secret", MISMATCH, { asked: plain, as: { secretAccessKey: `${TOKEN}x` } }],
    ["at another host", MISMATCH, { asked: plain, at: { host: "other.example.com" } }],
    [
      "of version 2",
      "InvalidRequest",
      { asked: plain, change: rewrite(/\?.*/, "?AWSAccessKeyId=acme&Expires=9&Signature=c2ln") },
    ],
  ])("%s: %s", async (_, code, { asked, as, change, at }) => {
    const signed = await smithy({ ...get, ...asked }, { ...signing, ...link, ...as });
    change?.(signed);
    expect(await codeOf(requestOf(signed), at)).toBe(code);
  });

  test("says when it ends, and what else is asked", async () => {
    const signed = await smithy({ ...get, headers: {}, query: { a: "1 +", b: "" } }, { ...signing, ...link });
    const verified = await verify(requestOf(signed), { host: HOST, service, now: NOW });
    expect(verified).toMatchObject({ isPresigned: true, expiresIn: 900, expiresAt: NOW + 900_000 });
    expect([...verified.query]).toEqual([
      ["a", "1 +"],
      ["b", ""],
    ]);
  });
});
