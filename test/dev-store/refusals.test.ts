/** What S3 documents as refused is refused, by the code that it documents, and nothing is kept. */
import { beforeAll, describe, expect, test } from "vitest";
import { customerKey } from "../../src/keys/customer-key.ts";
import { customerKeyHeaders } from "../../src/keys/headers.ts";
import { testStore } from "./started.ts";

const dev = testStore();
let bucket = "";
beforeAll(async () => {
  bucket = await dev.bucket();
});

const ssec = customerKeyHeaders(customerKey("k", Buffer.alloc(32, 1)));
const SSE = "x-amz-server-side-encryption";
const tags = (count: number) => Array.from({ length: count }, (_, i) => `t${i}=x`).join("&");

/** Headers of a write, and what comes of them; null: taken. */
const HEADERS = [
  [{ "x-amz-storage-class": "STANDARD_IA" }, null],
  [{ "x-amz-storage-class": "GLACIER_IR" }, null],
  [{ "x-amz-storage-class": "standard" }, "InvalidStorageClass"],
  [{ "x-amz-storage-class": "COLD" }, "InvalidStorageClass"],
  [{ "x-amz-tagging": tags(10) }, null],
  [{ "x-amz-tagging": tags(11) }, "BadRequest"],
  [{ "x-amz-tagging": "a=1&a=2" }, "InvalidArgument"],
  [{ "x-amz-tagging": "a=%ff" }, "InvalidArgument"],
  [{ "x-amz-tagging": "=x" }, "InvalidTag"],
  [{ "x-amz-tagging": `${"k".repeat(128)}=${"v".repeat(256)}` }, null],
  [{ "x-amz-tagging": `${"k".repeat(129)}=v` }, "InvalidTag"],
  [{ "x-amz-tagging": `k=${"v".repeat(257)}` }, "InvalidTag"],
  [{ "x-amz-tagging": "k=%3C" }, "InvalidTag"],
  [{ "x-amz-tagging": "aws:k=v" }, "InvalidTag"],
  [{ "x-amz-acl": "private" }, null],
  [{ "x-amz-acl": "bucket-owner-full-control" }, null],
  [{ "x-amz-acl": "public-read" }, "AccessControlListNotSupported"],
  [{ "x-amz-acl": "everybody" }, "InvalidArgument"],
  [
    { "x-amz-grant-read": 'uri="http://acs.amazonaws.com/groups/global/AllUsers"' },
    "AccessControlListNotSupported",
  ],
  [{ "x-amz-acl": "private", "x-amz-grant-read": "id=a" }, "InvalidRequest"],
  [{ [SSE]: "AES256" }, null],
  [{ [SSE]: "AES128" }, "InvalidArgument"],
  [{ [SSE]: "aws:kms" }, "NotImplemented"],
  [{ [`${SSE}-aws-kms-key-id`]: "k" }, "InvalidArgument"],
  [{ ...ssec, [SSE]: "AES256" }, "InvalidArgument"],
  [{ ...ssec, [SSE]: "aws:kms" }, "InvalidArgument"],
  [{ ...ssec, [`${SSE}-aws-kms-key-id`]: "k" }, "InvalidArgument"],
  [{ "x-amz-website-redirect-location": "/there" }, null],
  [{ "x-amz-website-redirect-location": "there" }, "InvalidRedirectLocation"],
  [{ "x-amz-meta-a": "x".repeat(2047) }, null],
  [{ "x-amz-meta-a": "x".repeat(2048) }, "MetadataTooLarge"],
  [{ "x-amz-meta-a": "" }, null],
  [{ "x-amz-security-token": "made up" }, "InvalidToken"],
  [{ "x-amz-expected-bucket-owner": "123456789012" }, "AccessDenied"],
  [{ "x-amz-object-lock-legal-hold": "ON" }, "InvalidRequest"],
] as const;

describe.for(["PutObject", "CreateMultipartUpload", "CopyObject"])("%s", (operation) => {
  test.for([...HEADERS])("%j: %s", async ([headers, code]) => {
    const key = `${operation}-${crypto.randomUUID()}`;
    await dev.send({ method: "PUT", path: `/${bucket}/source`, body: "x" });
    const copy = {
      "x-amz-copy-source": `/${bucket}/source`,
      "x-amz-metadata-directive": "REPLACE",
      "x-amz-tagging-directive": "REPLACE",
    };
    const isCreate = operation === "CreateMultipartUpload";
    const answer = await dev.send({
      method: isCreate ? "POST" : "PUT",
      path: `/${bucket}/${key}${isCreate ? "?uploads=" : ""}`,
      headers: { ...(operation === "CopyObject" && copy), ...(headers as Record<string, string>) },
      ...(operation === "PutObject" && { body: "x" }),
    });
    expect(answer.code ?? null, answer.text).toBe(code);
    const isThere = code === null && !isCreate;
    expect((await dev.send({ method: "HEAD", path: `/${bucket}/${key}` })).status).toBe(isThere ? 200 : 404);
    const { text } = await dev.send({ path: `/${bucket}?uploads=&prefix=${key}` });
    expect(text.includes("<UploadId>")).toBe(code === null && isCreate);
  });
});

test("what is kept is given back", async () => {
  const path = `/${bucket}/kept`;
  const headers = {
    "x-amz-storage-class": "STANDARD_IA",
    "x-amz-website-redirect-location": "/there",
    "x-amz-meta-a": "plain",
    "content-encoding": "aws-chunked, br,aws-chunked",
    expires: "Wed, 21 Oct 2026 07:28:00 GMT",
    [SSE]: "AES256",
  };
  const put = await dev.send({
    method: "PUT",
    path,
    body: "x",
    headers: { ...headers, "x-amz-meta-a": "plain" },
  });
  expect([put.status, put.headers[SSE]]).toEqual([200, "AES256"]);
  const got = await dev.send({ path });
  expect(got.headers).toMatchObject({ ...headers, "content-encoding": "br" });
  await dev.send({ method: "PUT", path, body: "x" });
  expect((await dev.send({ path })).headers["x-amz-storage-class"]).toBeUndefined();
});

test("what is archived is read when it is restored, and that is not here", async () => {
  const path = `/${bucket}/archived`;
  await dev.send({ method: "PUT", path, body: "x", headers: { "x-amz-storage-class": "DEEP_ARCHIVE" } });
  expect((await dev.send({ method: "HEAD", path })).status).toBe(200);
  expect((await dev.send({ path })).code).toBe("InvalidObjectState");
  const copied = await dev.send({
    method: "PUT",
    path: `${path}-copy`,
    headers: { "x-amz-copy-source": path },
  });
  expect(copied.code).toBe("InvalidObjectState");
});

test.for([
  ["x-amz-copy-source", "/b/k"],
  ["x-amz-acl", "public-read"],
  ["x-amz-tagging", "a=b"],
  ["x-amz-something-new", "1"],
] as const)("%s that is not signed is refused", async ([name, value]) => {
  const answer = await dev.send({
    method: "PUT",
    path: `/${bucket}/late`,
    body: "x",
    unsigned: { [name]: value },
  });
  expect([answer.status, answer.code, answer.text]).toEqual([
    403,
    "AccessDenied",
    expect.stringContaining(`<HeadersNotSigned>${name}<`),
  ]);
  expect((await dev.send({ path: `/${bucket}/late` })).status).toBe(404);
});

test.for([
  ["GET", "", { [SSE]: "AES256" }, 400],
  ["HEAD", "", { [SSE]: "AES256" }, 400],
  ["GET", "?partNumber=0", {}, 400],
  ["GET", "?partNumber=x", {}, 400],
  ["GET", "?partNumber=2", {}, 416],
  ["HEAD", "?partNumber=2", {}, 416],
  ["GET", "?partNumber=1", {}, 206],
  ["GET", "?partNumber=1", { range: "bytes=0-0" }, 400],
  ["GET", "?attributes=", { "x-amz-object-attributes": "Colour" }, 400],
  ["GET", "?torrent=", {}, 501],
  ["GET", "?acl=&tagging=", {}, 400],
  ["PATCH", "", {}, 501],
  ["POST", "", {}, 405],
] as const)("%s%s %j: %s", async ([method, query, headers, status]) => {
  const path = `/${bucket}/whole`;
  await dev.send({ method: "PUT", path, body: "whole" });
  const answer = await dev.send({ method, path: `${path}${query}`, headers });
  expect(answer.status).toBe(status);
  if (method === "HEAD") expect(answer.text).toBe("");
});

test("a wrong customer key is 403, none is 400, and a HEAD says neither in words", async () => {
  const path = `/${bucket}/ssec`;
  await dev.send({ method: "PUT", path, body: "x", headers: ssec });
  const other = customerKeyHeaders(customerKey("k", Buffer.alloc(32, 2)));
  for (const method of ["GET", "HEAD"]) {
    expect((await dev.send({ method, path, headers: ssec })).status).toBe(200);
    const [wrong, none] = [
      await dev.send({ method, path, headers: other }),
      await dev.send({ method, path }),
    ];
    expect([wrong.status, none.status]).toEqual([403, 400]);
    if (method === "HEAD") expect(wrong.text + none.text).toBe("");
  }
});

describe("XML", () => {
  const tagged = (body: string) => dev.send({ method: "PUT", path: `/${bucket}/xml?tagging=`, body });
  const document = (value: string, open = "<Tagging>", close = "</Tagging>") =>
    `${open}<TagSet><Tag><Key>k</Key><Value>${value}</Value></Tag></TagSet>${close}`;
  const bomb = `<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>${document("&b;")}`;

  test.for([
    ["numeric references", document("&#97;&#x62;&#47;"), "ab/"],
    ["a namespace", document("a", '<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'), "a"],
    [
      "a prefix",
      '<s:Tagging xmlns:s="x"><s:TagSet><s:Tag><s:Key>k</s:Key><s:Value>a</s:Value></s:Tag></s:TagSet></s:Tagging>',
      "a",
    ],
    ["a declaration and space", `<?xml version="1.0"?>\n${document(" a ")}\n`, " a "],
    ["a section", document("<![CDATA[a/b]]>"), "a/b"],
  ] as const)("with %s is read", async ([, body, value]) => {
    await dev.send({ method: "PUT", path: `/${bucket}/xml`, body: "x" });
    expect((await tagged(body)).status).toBe(200);
    expect((await dev.send({ path: `/${bucket}/xml?tagging=` })).text).toContain(`<Value>${value}</Value>`);
  });

  test.for([
    ["a document type", bomb],
    ["an external entity", `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>${document("&b;")}`],
    ["an unknown entity", document("&nbsp;")],
    ["a bare ampersand", document("a & b")],
    ["half a surrogate pair", document("&#xD800;")],
    ["a NUL", document("&#0;")],
    ["another root", "<Tags></Tags>"],
    ["two roots", document("a") + document("b")],
    ["no end", document("a").slice(0, -5)],
    ["an element twice", document("a</Value><Value>b")],
    ["great depth", document(`${"<a>".repeat(5000)}${"</a>".repeat(5000)}`)],
    ["nothing", ""],
  ] as const)("with %s is malformed", async ([, body]) => {
    await dev.send({ method: "PUT", path: `/${bucket}/xml`, body: "x" });
    expect((await tagged(body)).code).toBe("MalformedXML");
  });

  test("that is too long is refused", async () => {
    expect((await tagged(document(" ".repeat(2 ** 21)))).code).toBe("EntityTooLarge");
  });
});
