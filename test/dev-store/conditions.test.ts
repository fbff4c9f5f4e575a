/** RFC 9110, section 13, on every operation that takes conditions: when one does not hold, nothing changes. */
import { createHash } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { type Answer, testStore } from "./started.ts";

const dev = testStore();
const BODY = "there";
const TAG = createHash("md5").update(BODY).digest("hex");
const OTHER = "0".repeat(32);
const DAY = 86_400_000;
const date = (days: number) => new Date(Date.now() + days * DAY).toUTCString();
const asctime = (days: number) => {
  const [, day, month, year, time] = date(days).split(/,? /);
  return `${date(days).slice(0, 3)} ${month} ${day} ${time} ${year}`;
};
let bucket = "";
let path = "";

beforeEach(async () => {
  bucket ||= await dev.bucket();
  path = `/${bucket}/object`;
  await dev.send({ method: "PUT", path, body: BODY });
});

/** The condition, and whether it holds of what is there. */
const MATCHES = [
  [{ "if-match": `"${TAG}"` }, true],
  [{ "if-match": TAG }, true],
  [{ "if-match": "*" }, true],
  [{ "if-match": `"${OTHER}", "${TAG}"` }, true],
  [{ "if-match": `"${OTHER}"` }, false],
  [{ "if-match": OTHER }, false],
  [{ "if-match": `W/"${TAG}"` }, false],
  [{ "if-unmodified-since": date(1) }, true],
  [{ "if-unmodified-since": date(-1) }, false],
  [{ "if-unmodified-since": asctime(-1) }, false],
  [{ "if-unmodified-since": "yesterday" }, true],
  [{ "if-match": `"${TAG}"`, "if-unmodified-since": date(-1) }, true],
] as const;

const NONE_MATCHES = [
  [{ "if-none-match": `"${TAG}"` }, false],
  [{ "if-none-match": TAG }, false],
  [{ "if-none-match": `W/"${TAG}"` }, false],
  [{ "if-none-match": "*" }, false],
  [{ "if-none-match": `"${OTHER}", W/"${TAG}"` }, false],
  [{ "if-none-match": `"${OTHER}"` }, true],
  [{ "if-modified-since": date(1) }, false],
  [{ "if-modified-since": asctime(1) }, false],
  [{ "if-modified-since": date(-1) }, true],
  [{ "if-modified-since": "2036-01-01" }, true],
  [{ "if-none-match": `"${OTHER}"`, "if-modified-since": date(1) }, true],
] as const;

describe.for(["GET", "HEAD"] as const)("%s", (method) => {
  test.for([...MATCHES])("%j: %s", async ([headers, holds]) => {
    const answer = await dev.send({ method, path, headers });
    expect([answer.status, answer.text]).toEqual([
      holds ? 200 : 412,
      method === "HEAD" ? "" : expect.stringContaining(holds ? BODY : "<Condition>If-"),
    ]);
  });
  test.for([...NONE_MATCHES])("%j: %s", async ([headers, holds]) => {
    const answer = await dev.send({ method, path, headers });
    expect([answer.status, answer.headers.etag]).toEqual([holds ? 200 : 304, `"${TAG}"`]);
    expect(answer.headers["last-modified"]).toMatch(/GMT$/);
  });
});

describe("If-Range", () => {
  test.for([
    [`"${TAG}"`, 206],
    [TAG, 206],
    [`"${OTHER}"`, 200],
    [`W/"${TAG}"`, 200],
    [date(-1), 200],
    [date(1), 200],
    ["garbage", 200],
  ] as const)("%s: %s", async ([ifRange, status]) => {
    const answer = await dev.send({ path, headers: { range: "bytes=1-2", "if-range": ifRange } });
    expect([answer.status, answer.text]).toEqual([status, status === 206 ? "he" : BODY]);
  });
  test("the date that the object says", async () => {
    const { headers } = await dev.send({ method: "HEAD", path });
    const ifRange = String(headers["last-modified"]);
    expect((await dev.send({ path, headers: { range: "bytes=1-2", "if-range": ifRange } })).status).toBe(206);
  });
  test("does not help a condition that fails", async () => {
    const headers = { range: "bytes=1-2", "if-range": `"${TAG}"`, "if-match": `"${OTHER}"` };
    expect((await dev.send({ path, headers })).status).toBe(412);
  });
});

test.for([
  ["bytes=5-", 416],
  ["bytes=-0", 416],
  ["bytes=0-99", 206],
  ["bytes=-99", 206],
  ["bytes=3-1", 200],
  ["bytes=0-1,3-4", 200],
  ["lines=0-1", 200],
] as const)("Range: %s: %s", async ([range, status]) => {
  const answer = await dev.send({ path, headers: { range } });
  expect(answer.status).toBe(status);
  if (status === 416)
    expect([answer.code, answer.headers["content-range"]]).toEqual(["InvalidRange", "bytes */5"]);
});

/** Conditions of a write, and what comes of them where an object is and where none is. */
const WRITES = [
  [{ "if-match": `"${TAG}"` }, 200, "NoSuchKey"],
  [{ "if-match": TAG }, 200, "NoSuchKey"],
  [{ "if-match": `"${OTHER}"` }, "PreconditionFailed", "NoSuchKey"],
  [{ "if-match": `W/"${TAG}"` }, "PreconditionFailed", "NoSuchKey"],
  [{ "if-none-match": "*" }, "PreconditionFailed", 200],
  [{ "if-none-match": `"${OTHER}"` }, "NotImplemented", "NotImplemented"],
  [{ "if-unmodified-since": date(1) }, "NotImplemented", "NotImplemented"],
  [{ "if-modified-since": date(-1) }, "NotImplemented", "NotImplemented"],
  [{ "content-range": "bytes 0-1/5" }, "NotImplemented", "NotImplemented"],
  [{ range: "bytes=0-1" }, "NotImplemented", "NotImplemented"],
] as const;

type Write = (path: string, headers: Record<string, string>) => Promise<Answer>;

const WAYS: Record<string, Write> = {
  PutObject: (to, headers) => dev.send({ method: "PUT", path: to, headers, body: "new" }),
  CopyObject: async (to, headers) => {
    await dev.send({ method: "PUT", path: `/${bucket}/source`, body: "new" });
    return dev.send({
      method: "PUT",
      path: to,
      headers: { ...headers, "x-amz-copy-source": `/${bucket}/source` },
    });
  },
  CompleteMultipartUpload: async (to, headers) => {
    const { text } = await dev.send({ method: "POST", path: `${to}?uploads=` });
    const id = /<UploadId>(\w+)/.exec(text)?.[1];
    const part = await dev.send({ method: "PUT", path: `${to}?partNumber=1&uploadId=${id}`, body: "new" });
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${part.headers.etag}</ETag></Part></CompleteMultipartUpload>`;
    const complete = (more: Record<string, string>) =>
      dev.send({ method: "POST", path: `${to}?uploadId=${id}`, headers: more, body });
    const answer = await complete(headers);
    // A condition that failed leaves the upload as it was.
    if (answer.status === 412) {
      const parts = await dev.send({ path: `${to}?uploadId=${id}` });
      expect(parts.text).toContain("<PartNumber>1</PartNumber>");
    }
    return answer;
  },
};

describe.for(Object.entries(WAYS))("%s", ([, write]) => {
  test.for([...WRITES])("%j", async ([headers, replacing, making]) => {
    const answer = await write(path, headers);
    expect(answer.code ?? answer.status).toBe(replacing);
    expect((await dev.send({ path })).text).toBe(replacing === 200 ? "new" : BODY);

    const missing = `${path}-${Object.keys(headers)}-${crypto.randomUUID()}`;
    const made = await write(missing, headers);
    expect(made.code ?? made.status).toBe(making);
    expect((await dev.send({ path: missing })).status).toBe(making === 200 ? 200 : 404);
  });
});

test.for([
  [{ "if-match": `"${TAG}"` }, 204],
  [{ "if-match": TAG }, 204],
  [{ "if-match": "*" }, 204],
  [{ "if-match": `"${OTHER}"` }, 412],
  [{ "if-none-match": "*" }, 501],
  [{ "x-amz-if-match-size": "5" }, 501],
] as const)("DeleteObject %j: %s", async ([headers, status]) => {
  expect((await dev.send({ method: "DELETE", path, headers })).status).toBe(status);
  expect((await dev.send({ path })).status).toBe(status === 204 ? 404 : 200);
  const gone = await dev.send({ method: "DELETE", path: `${path}-none`, headers });
  expect(gone.status).toBe(status === 204 ? 412 : status);
});

test.for([...MATCHES, ...NONE_MATCHES])("a copy's source %j: %s", async ([named, holds]) => {
  const conditions = Object.entries(named).map(([name, value]) => [`x-amz-copy-source-${name}`, value]);
  const headers = { ...Object.fromEntries(conditions), "x-amz-copy-source": path };
  const answer = await dev.send({ method: "PUT", path: `${path}-copy`, headers });
  expect(answer.code ?? answer.status).toBe(holds ? 200 : "PreconditionFailed");
});
