/** Requests that are signed as they should be, and ask for odd things: what is meant is done, the rest is refused by name. */
import { createHash } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, test } from "vitest";
import { freshKey, isCeph, store, xmlValue } from "../support/client.ts";
import type { Exchanged } from "../support/exchange.ts";
import { s3Client } from "../support/s3.ts";
import { codeIn, fault, gatewayClient, type Raw, raw } from "./client.ts";

const s3 = gatewayClient();
const at = (key: string, bucket = "media") => `/s3/${bucket}/${encodeURI(key)}`;
const ask = (method: string, path: string, more: Partial<Raw> = {}) => raw({ method, path, ...more });
const told = (answer: Exchanged) => [answer.status, codeIn(answer)];
const md5 = (text: string) => createHash("md5").update(text).digest("base64");

const TEXT = "0123456789";
const key = freshKey("ten");
let etag: string;
beforeAll(async () => {
  etag = String((await ask("PUT", at(key), { body: TEXT })).headers.etag);
});

describe("a range", () => {
  test.for([
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=-100", 206, TEXT, "bytes 0-9/10"],
    ["bytes=8-100", 206, "89", "bytes 8-9/10"],
    ["bytes=0-99999999999999999999", 206, TEXT, "bytes 0-9/10"],
    ["BYTES=0-0", 206, "0", "bytes 0-0/10"],
    ["bytes=0-0,2-3", 200, TEXT, undefined],
    ["bytes=5-2", 200, TEXT, undefined],
    ["bytes=-", 200, TEXT, undefined],
    ["bytes=a-b", 200, TEXT, undefined],
    ["lines=0-1", 200, TEXT, undefined],
  ] as const)("%s is %i", async ([range, status, text, contentRange]) => {
    const got = await ask("GET", at(key), { headers: { range } });
    expect([got.status, got.body.toString(), got.headers["content-range"]]).toEqual([
      status,
      text,
      contentRange,
    ]);
  });

  test.for([
    "bytes=10-",
    "bytes=10-20",
    "bytes=-0",
    "bytes=99999999999999999999-",
  ])("%s is beyond the object", async (range) => {
    const got = await ask("GET", at(key), { headers: { range } });
    expect([...told(got), got.headers["content-range"]]).toEqual([416, "InvalidRange", "bytes */10"]);
    const head = await ask("HEAD", at(key), { headers: { range } });
    expect([head.status, head.body.length]).toEqual([416, 0]);
  });
});

describe("a condition", () => {
  const other = `"${"0".repeat(32)}"`;
  const bare = () => etag.replaceAll('"', "");
  test.for<[string, () => Record<string, string>, number, number]>([
    ["the ETag", () => ({ "if-match": etag }), 200, 200],
    ["the ETag without its quotes", () => ({ "if-match": bare() }), 200, 200],
    ["one of a list", () => ({ "if-match": `${other}, ${etag}` }), 200, 200],
    ["any", () => ({ "if-match": "*" }), 200, 200],
    ["a weak ETag", () => ({ "if-match": `W/${etag}` }), 412, 412],
    ["another", () => ({ "if-match": other }), 412, 412],
    ["not the ETag", () => ({ "if-none-match": etag }), 304, 412],
    ["not the ETag, without its quotes", () => ({ "if-none-match": bare() }), 304, 412],
    ["not the weak ETag", () => ({ "if-none-match": `W/${etag}` }), 304, 412],
    ["none of a list", () => ({ "if-none-match": `${other},${etag}` }), 304, 412],
    ["none at all", () => ({ "if-none-match": "*" }), 304, 412],
    ["not another", () => ({ "if-none-match": other }), 200, 200],
    ["no list", () => ({ "if-match": `"a` }), 400, 400],
  ])("of %s is held by reads and by writes", async ([, headers, read, written]) => {
    for (const method of ["GET", "HEAD"])
      expect((await ask(method, at(key), { headers: headers() })).status, method).toBe(read);
    const put = await ask("PUT", at(key), { headers: headers(), body: TEXT });
    expect(put.status).toBe(written);
    // The same bytes may well have another ETag, written anew.
    if (written === 200) etag = String(put.headers.etag);
  });
});

/** What a cache goes by is told anew (RFC 9110, section 15.4.5). */
test("an object that has not changed keeps its Cache-Control", async () => {
  const path = at(freshKey(""));
  const { headers } = await ask("PUT", path, { body: TEXT, headers: { "cache-control": "max-age=5" } });
  for (const condition of [
    { "if-none-match": String(headers.etag) },
    { "if-none-match": "*" },
    { "if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT" },
  ]) {
    const got = await ask("GET", path, { headers: condition });
    expect([got.status, got.headers["cache-control"]], Object.keys(condition)[0]).toEqual([304, "max-age=5"]);
  }
});

describe("a key", () => {
  test("has 1,024 bytes of UTF-8 at most", async () => {
    const start = freshKey("");
    const longest = start + "é".repeat((1024 - Buffer.byteLength(start)) >> 1);
    const full = longest + "x".repeat(1024 - Buffer.byteLength(longest));
    expect((await ask("PUT", at(full), { body: TEXT })).status).toBe(200);
    expect((await ask("GET", at(full))).body.toString()).toBe(TEXT);
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: "media", Prefix: full }));
    expect(Contents?.map(({ Key }) => Key)).toEqual([full]);
    expect(told(await ask("PUT", at(`${full}x`), { body: TEXT }))).toEqual([400, "KeyTooLongError"]);
    expect((await ask("DELETE", at(full))).status).toBe(204);
  });

  test.for([
    ["GET", "/s3//media/ten", 400, "InvalidURI"],
    ["PUT", "/s3//media/ten", 400, "InvalidURI"],
    ["DELETE", "/s3/media/", 501, "NotImplemented"],
    ["GET", "/s3/media/?versionId=x", 501, "NotImplemented"],
    ["GET", "/s3/media/a?partNumber=0", 400, "InvalidArgument"],
    ["GET", "/s3/media/a?partNumber=1e3", 400, "InvalidArgument"],
    ["GET", "/s3/media/a?response-content-type=a%0D%0Ab", 400, "InvalidArgument"],
    ["GET", "/s3/media/a?response-set-cookie=a", 400, "InvalidArgument"],
    ["PUT", "/s3/media/a?response-content-type=a", 501, "NotImplemented"],
  ] as const)("%s %s is %i %s", async ([method, path, status, code]) => {
    expect(told(await ask(method, path))).toEqual([status, code]);
  });
});

test.for([
  ["versionId", new GetObjectCommand({ Bucket: "media", Key: "a" })],
  ["partNumber", new GetObjectCommand({ Bucket: "media", Key: "a" })],
  ["response-content-type", new GetObjectCommand({ Bucket: "media", Key: "a" })],
  ["x-amz-meta-a", new PutObjectCommand({ Bucket: "media", Key: "a", Body: "x" })],
  ["uploadId", new UploadPartCommand({ Bucket: "media", Key: "a", UploadId: "1", PartNumber: 1 })],
  ["prefix", new ListObjectsV2Command({ Bucket: "media" })],
  ["continuation-token", new ListObjectsV2Command({ Bucket: "media" })],
] as const)("%s that is signed twice is refused", async ([name, command]) => {
  const twice = gatewayClient();
  twice.middlewareStack.add(
    (next) => (args) => {
      Object.assign((args.request as { query: object }).query, { [name]: ["1", "1"] });
      return next(args);
    },
    { step: "build" },
  );
  expect(await fault(twice.send(command as GetObjectCommand))).toEqual({
    name: "InvalidArgument",
    status: 400,
  });
});

describe("a list", () => {
  const token = (text: string) => Buffer.from(text).toString("base64url");
  test.for([
    ["prefix=%ff", 400, "InvalidURI"],
    ["max-keys=-1", 400, "InvalidArgument"],
    ["max-keys=1e3", 400, "InvalidArgument"],
    ["max-keys=99999999999", 400, "InvalidArgument"],
    ["encoding-type=xml", 400, "InvalidArgument"],
    ["list-type=3", 400, "InvalidArgument"],
    ["list-type=2&continuation-token=", 400, "InvalidArgument"],
    ["list-type=2&continuation-token=x", 400, "InvalidArgument"],
    [`list-type=2&continuation-token=${token("0a")}`, 400, "InvalidArgument"],
    [`list-type=2&continuation-token=${token("1a")}=`, 400, "InvalidArgument"],
  ] as const)("with %s is %i %s", async ([query, status, code]) => {
    expect(told(await ask("GET", `/s3/media?${query}`))).toEqual([status, code]);
  });

  test("with a token of another caller, or of another bucket, shows what is the caller's own", async () => {
    const [own, others] = [`acme/${freshKey("")}`, `other/${freshKey("")}`];
    for (const one of [own, others]) await ask("PUT", at(one), { body: "x" });
    for (const after of ["", "acm", "a", own.slice(0, -1)]) {
      const path = `/s3/media?list-type=2&continuation-token=${token(`1${after}`)}`;
      const list = await ask("GET", path, { caller: "limited" });
      expect(list.status).toBe(200);
      const keys = [...list.body.toString().matchAll(/<Key>([^<]*)</g)].map(([, name]) => name);
      expect(keys.every((name) => name?.startsWith("acme/"))).toBe(true);
      expect(keys).toContain(own);
    }
    const beyond = await ask("GET", `/s3/media?list-type=2&continuation-token=${token("1b")}`, {
      caller: "limited",
    });
    expect([beyond.status, beyond.body.toString().includes("<Key>")]).toEqual([200, false]);
    expect(told(await ask("GET", "/s3/vault?list-type=2", { caller: "limited" }))).toEqual([
      403,
      "AccessDenied",
    ]);
  });
});

describe("a copy's source", () => {
  const from = (source: string, more: Partial<Raw> = {}) =>
    ask("PUT", at(`acme/${freshKey("")}`), { headers: { "x-amz-copy-source": source }, ...more });

  test.for([
    ["media", 400, "InvalidArgument"],
    ["/media/", 400, "InvalidArgument"],
    ["/", 400, "InvalidArgument"],
    ["/media/a?b", 400, "InvalidArgument"],
    ["/media/a?versionId=", 400, "InvalidArgument"],
    ["/media/a?versionId=1&versionId=2", 400, "InvalidArgument"],
    ["/media/a%ff", 400, "InvalidArgument"],
    ["/media/a%", 400, "InvalidArgument"],
    ["/media/a%00b", 400, "InvalidURI"],
    ["/media/../vault/a", 400, "InvalidURI"],
    ["/media/a%2F..%2Fb", 400, "InvalidURI"],
    [`/media/${"x".repeat(1025)}`, 400, "KeyTooLongError"],
    ["/nowhere/a", 403, "AccessDenied"],
    ["//media/a", 400, "InvalidArgument"],
    ["/media/there-is-none", 404, "NoSuchKey"],
  ] as const)("%.30s: %i %s", async ([source, status, code]) => {
    expect(told(await from(source))).toEqual([status, code]);
  });

  test("is spelt in any way", async () => {
    const name = `${freshKey("")}a b?c+é%`;
    await s3.send(new PutObjectCommand({ Bucket: "media", Key: name, Body: TEXT }));
    for (const source of [`media/${encodeURIComponent(name)}`, encodeURIComponent(`/media/${name}`)])
      expect((await from(source)).status, source).toBe(200);
  });

  test("is one that the caller may read", async () => {
    const theirs = `other/${freshKey("")}`;
    await ask("PUT", at(theirs), { body: "secret" });
    for (const source of [`/media/${theirs}`, `media/${encodeURIComponent(theirs)}`, "/vault/a"])
      expect(told(await from(source, { caller: "limited" })), source).toEqual([403, "AccessDenied"]);
    const mine = `acme/${freshKey("")}`;
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: "media", Key: mine }));
    const part = `${at(mine)}?partNumber=1&uploadId=${UploadId}`;
    const headers = { "x-amz-copy-source": `/media/${theirs}` };
    expect(told(await ask("PUT", part, { headers, caller: "limited" }))).toEqual([403, "AccessDenied"]);
    const range = { ...headers, "x-amz-copy-source-range": "bytes=0-99" };
    expect(told(await ask("PUT", part, { headers: range }))).toEqual([400, "InvalidArgument"]);
    await s3.send(new AbortMultipartUploadCommand({ Bucket: "media", Key: mine, UploadId }));
  });

  test("is no delete marker", async () => {
    await s3Client(store).send(
      new PutBucketVersioningCommand({ Bucket: "vault", VersioningConfiguration: { Status: "Enabled" } }),
    );
    const Key = freshKey("");
    await ask("PUT", at(Key, "vault"), { body: TEXT });
    const { VersionId } = await s3.send(new DeleteObjectCommand({ Bucket: "vault", Key }));
    expect(told(await from(`/vault/${Key}`))).toEqual([404, "NoSuchKey"]);
    // RGW says of a marker that there is no such object.
    const refused = isCeph ? [404, "NoSuchKey"] : [400, "InvalidRequest"];
    expect(told(await from(`/vault/${Key}?versionId=${VersionId}`))).toEqual(refused);
  });
});

test("an upload's id is of no other bucket, and nobody's without a grant", async () => {
  const Key = freshKey();
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: "media", Key }));
  for (const bucket of ["vault", "derived", "media-lost"]) {
    const path = `${at(Key, bucket)}?uploadId=${UploadId}`;
    expect(told(await ask("PUT", `${path}&partNumber=1`, { body: "x" })), bucket).toEqual([
      404,
      "NoSuchUpload",
    ]);
    expect(told(await ask("GET", path)), bucket).toEqual([404, "NoSuchUpload"]);
  }
  const path = `${at(Key)}?uploadId=${UploadId}`;
  for (const caller of ["limited", "reader"]) {
    expect(told(await ask("PUT", `${path}&partNumber=1`, { body: "x", caller })), caller).toEqual([
      403,
      "AccessDenied",
    ]);
    expect(told(await ask("DELETE", path, { caller })), caller).toEqual([403, "AccessDenied"]);
  }
  for (const partNumber of ["0", "10001", "-1", "1.5", "", "x"])
    expect(
      (await ask("PUT", `${path}&partNumber=${partNumber}`, { body: "x" })).status,
      `part ${partNumber}`,
    ).toBe(400);
  expect((await ask("DELETE", path)).status).toBe(204);
});

describe("a type that a link gives", () => {
  test.for([
    "%00",
    "%0D%0Ax-a: b",
    "%C3%BC",
    "%20",
    "",
    "a%7F",
  ])("is refused where no header can be so: %s", async (type) => {
    const Key = freshKey("");
    const query = type.replaceAll(" ", "%20");
    const answer = await ask("PUT", `${at(Key)}?x-ssec-content-type=${query}`, { body: TEXT });
    expect(told(answer)).toEqual([400, "InvalidArgument"]);
    expect((await ask("HEAD", at(Key))).status).toBe(404);
  });
});

describe("a document's checksum", () => {
  const deletion = "<Delete><Object><Key>no-such-object</Key></Object></Delete>";
  const tagging = "<Tagging><TagSet></TagSet></Tagging>";
  test.for<[string, string, string, Record<string, string>, number]>([
    ["POST", "?delete=", deletion, { "content-md5": md5(deletion) }, 200],
    ["POST", "?delete=", deletion, { "content-md5": md5("x") }, 400],
    ["POST", "?delete=", deletion, { "x-amz-checksum-crc32": "AAAAAA==" }, 400],
    ["PUT", "/KEY?tagging=", tagging, { "content-md5": md5(tagging) }, 200],
    ["PUT", "/KEY?tagging=", tagging, { "content-md5": md5("x") }, 400],
  ])("%s %s is held: %s", async ([method, rest, body, headers, status]) => {
    const answer = await ask(method, `/s3/media${rest.replace("KEY", key)}`, { headers, body });
    expect([answer.status, status === 400 ? codeIn(answer) : undefined]).toEqual([
      status,
      status === 400 ? "BadDigest" : undefined,
    ]);
  });
});

/** Programs go by S3's codes, people by the header that is named. */
test.for<[string, Record<string, string>, string, string]>([
  [
    "two checksums",
    {
      "x-amz-checksum-crc32": "poTHxg==",
      "x-amz-checksum-sha256": createHash("sha256").update(TEXT).digest("base64"),
    },
    "InvalidRequest",
    "x-amz-checksum-",
  ],
  ["too much metadata", { "x-amz-meta-a": "x".repeat(2048) }, "MetadataTooLarge", "metadata"],
  [
    "half a lock",
    { "x-amz-object-lock-mode": "GOVERNANCE" },
    "InvalidArgument",
    "x-amz-object-lock-retain-until-date:",
  ],
])("an upload with %s is told so", async ([, headers, code, name]) => {
  const answer = await ask("PUT", at(freshKey("")), { headers, body: TEXT });
  expect(told(answer)).toEqual([400, code]);
  expect(answer.body.toString()).toContain(`<Message>${name}`);
});

test("a part that there is not has a code of its own, and no page of uploads has none", async () => {
  expect(told(await ask("GET", `${at(key)}?partNumber=2`))).toEqual([416, "InvalidPartNumber"]);
  const path = at(freshKey(""));
  const UploadId = xmlValue((await ask("POST", `${path}?uploads=`)).body.toString(), "UploadId");
  const listed = (await ask("GET", "/s3/media?uploads=&max-uploads=0")).body.toString();
  expect(listed).not.toContain("<Upload>");
  expect(xmlValue(listed, "IsTruncated")).toBe("false");
  expect((await ask("DELETE", `${path}?uploadId=${UploadId}`)).status).toBe(204);
});

test("what is refused of a HEAD has no words", async () => {
  const answers = await Promise.all([
    ask("HEAD", at("there-is-none")),
    ask("HEAD", at("other/x"), { caller: "limited" }),
    ask("HEAD", at(key), { headers: { "if-match": '"x"' } }),
    ask("HEAD", at(key), { secret: "x".repeat(32) }),
    ask("HEAD", "/s3/media?acl="),
  ]);
  expect(answers.map(({ status, body }) => [status, body.length])).toEqual(
    [404, 403, 412, 403, 501].map((status) => [status, 0]),
  );
});
