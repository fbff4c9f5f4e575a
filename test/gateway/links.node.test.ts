/** Links of the Worker itself, and S3 credentials for a while: what opens without a key, for whom, and what it cannot. */
import { randomBytes } from "node:crypto";
import { GetObjectCommand, ListBucketsCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, freshKey, type ProblemBody, send, store, xmlValue } from "../support/client.ts";
import { type Exchanged, exchange } from "../support/exchange.ts";
import { AUDIENCE, type Issuer, startIssuer } from "../support/issuer.ts";
import { oneBucket } from "../support/one-bucket.ts";
import { s3Client } from "../support/s3.ts";
import { ssecHere } from "../support/ssec.ts";
import { type RunningWorker, startTestWorker } from "../support/worker.ts";
import { fault } from "./client.ts";

const everything = ["read", "write", "delete"];
const token = randomBytes(24).toString("base64url");
const short = randomBytes(8).toString("hex");
const lines: string[] = [];
let issuer: Issuer;
let worker: RunningWorker;
/** The same, without GATEWAY_SECRET and at a host of its own. */
let other: RunningWorker;
let jwt: string;

beforeAll(async () => {
  issuer = await startIssuer();
  jwt = await issuer.token({ exp: Math.floor(Date.now() / 1000) + 1000 });
  const env = {
    ...oneBucket(store),
    CALLERS: {
      me: {
        token: "TOKEN",
        grants: [{ bucket: "media", prefix: "", allow: everything, maxExpiresIn: 604_800 }],
      },
      "a caller, with/all": { token: "ODD", grants: [{ bucket: "media", prefix: "", allow: everything }] },
      short: { token: "SHORT", grants: [{ bucket: "media", prefix: "", allow: everything }] },
      limited: {
        token: "LIMITED",
        grants: [
          {
            bucket: "media",
            prefix: "acme/",
            allow: everything,
            maxExpiresIn: 60,
            maxBytes: 9,
            contentTypes: ["image/*"],
          },
        ],
      },
      app: {
        issuer: issuer.issuer,
        jwks: issuer.jwks,
        audience: AUDIENCE,
        grants: [{ bucket: "media", prefix: "users/{sub}/", allow: everything }],
      },
    },
    TOKEN: token,
    ODD: `${token}odd`,
    SHORT: short,
    LIMITED: `${token}limited`,
    GATEWAY_SECRET: randomBytes(32).toString("base64"),
  };
  const without = ["DB", "QUEUE", "RATE_LIMIT"] as const;
  worker = await startTestWorker({ env, without, onLog: (line) => lines.push(line) });
  const { GATEWAY_SECRET: _, ...less } = env;
  other = await startTestWorker({ env: { ...less, S3_HOSTS: ["s3.localhost:1234", "localhost"] }, without });
});
afterAll(async () => {
  await worker?.close();
  await other?.close();
  issuer?.close();
});

async function post<T>(path: string, body: unknown, bearer = token, at = worker): Promise<T> {
  const answer = await fetch(`${at.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${bearer}` },
    body: JSON.stringify(body),
  });
  return (await answer.json()) as T;
}
const link = (request: object, bearer?: string, at?: RunningWorker) =>
  post<Answer & ProblemBody>("/v1/presign", { bucket: "media", via: "edge", ...request }, bearer, at);
/** Headers of an upload in chunks, which a link has not signed: whoever says so says it in the clear. */
const chunkedAs = (length: number) => ({
  "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
  "x-amz-decoded-content-length": String(length),
  "content-encoding": "aws-chunked",
});
const codeIn = ({ text }: { text: string }) => /<Code>(\w+)<\/Code>/.exec(text)?.[1];

test("a link puts, reads and removes an object, with nothing but itself", async () => {
  const key = freshKey("a b/ü+%?.png");
  const put = await link({ operation: "PutObject", key, contentType: "image/png", contentLength: 5 });
  expect(put).toMatchObject({ method: "PUT", headers: { "content-type": "image/png" } });
  expect(put).not.toHaveProperty("keyId");
  expect(put.url).toMatch(new RegExp(`^${worker.url}/s3/media/`));
  expect((await send(put, "hello")).status).toBe(200);
  const get = await link({ operation: "GetObject", key });
  expect(get.headers).toEqual({});
  const got = await fetch(get.url);
  expect([got.status, await got.text()]).toEqual([200, "hello"]);
  expect([...got.headers.keys()].filter((name) => /customer/.test(name))).toEqual([]);
  expect(got.headers.get("content-security-policy")).toContain("sandbox");
  const range = await fetch(get.url, { headers: { range: "bytes=1-3" } });
  expect([range.status, await range.text()]).toEqual([206, "ell"]);
  const head = await link({ operation: "HeadObject", key });
  expect((await send(head)).status).toBe(200);
  const remove = await link({ operation: "DeleteObject", key });
  expect((await send(remove)).status).toBe(204);
  expect(codeIn(await send(get))).toBe("NoSuchKey");
});

test("a link may say what the answer is called", async () => {
  const key = freshKey();
  await send(await link({ operation: "PutObject", key }), "hello");
  const contentDisposition = 'attachment; filename="a b.txt"';
  const { url } = await link({ operation: "GetObject", key, response: { contentDisposition } });
  const got = await fetch(url);
  expect([got.status, got.headers.get("content-disposition")]).toEqual([200, contentDisposition]);
});

describe("a link that takes at most so many bytes", () => {
  const made = (more: object = {}) =>
    link({ operation: "PutObject", key: freshKey(), contentType: "text/plain", maxBytes: 5, ...more });
  const putTo = (url: string, body: string, headers: Record<string, string> = {}) => {
    const { hostname, port, pathname, search } = new URL(url);
    return exchange({ hostname, port, method: "PUT", path: pathname + search, headers }, [body]);
  };
  const sized = (body: string) => ({ "content-length": String(body.length) });
  const errorIn = ({ status, body }: Exchanged) => [status, codeIn({ text: body.toString() })];
  const read = async (key: string) => {
    const got = await fetch((await link({ operation: "GetObject", key })).url);
    return [got.status, got.headers.get("content-type"), await got.text()];
  };

  test("takes them, and gives them the type that it names", async () => {
    for (const body of ["hello", "x", ""]) {
      const key = freshKey();
      const { url, headers } = await made({ key });
      expect(headers).toEqual({ "content-type": "text/plain" });
      expect((await putTo(url, body, sized(body))).status).toBe(200);
      expect(await read(key)).toEqual([200, "text/plain", body]);
    }
  });

  test.for([
    ["more, and says so", "hello!", sized("hello!"), [400, "EntityTooLarge"]],
    ["more, and says nothing", "hello!", {}, [411, "MissingContentLength"]],
    [
      "chunks of S3's own, which are not signed",
      "hello",
      chunkedAs(5),
      [400, "AuthorizationQueryParametersError"],
    ],
    ["another type", "hello", { ...sized("hello"), "content-type": "text/html" }, [403, "AccessDenied"]],
  ] as const)("refuses %s", async ([, body, headers, error]) => {
    const key = freshKey();
    const { url } = await made({ key });
    expect(errorIn(await putTo(url, body, headers))).toEqual(error);
    expect((await read(key))[0]).toBe(404);
  });

  test("cannot be widened", async () => {
    const { url } = await made();
    for (const wider of [
      url.replace("x-ssec-max-bytes=5", "x-ssec-max-bytes=50"),
      url.replace("&x-ssec-max-bytes=5", ""),
      url.replace("text%2Fplain", "text%2Fhtml"),
      `${url}&x-ssec-max-bytes=50`,
    ]) {
      expect(wider).not.toBe(url);
      expect(errorIn(await putTo(wider, "hello!", sized("hello!")))).toEqual([403, "SignatureDoesNotMatch"]);
    }
  });

  test("is of the edge alone", async () => {
    const field = { status: 400, errors: [{ path: "maxBytes" }] };
    expect(await made({ via: "store" })).toMatchObject(field);
    expect(await made({ contentLength: 6 })).toMatchObject(field);
    expect(await made({ operation: "GetObject", contentType: undefined })).toMatchObject(field);
  });
});

test("links come in batches, with snippets, and are in the trail when they are made and when they are used", async () => {
  const key = freshKey();
  await send(await link({ operation: "PutObject", key }), "hello");
  const { results } = await post<{ results: (Answer & { problem: ProblemBody })[] }>("/v1/presign/batch", {
    requests: [
      { operation: "GetObject", bucket: "media", key, via: "edge", snippet: "curl", expiresIn: 604_800 },
      { operation: "ListParts", bucket: "media", key, uploadId: "u", via: "edge" },
      { operation: "GetObject", bucket: "media", key, keyId: "k1", via: "edge" },
      { operation: "GetObject", bucket: "media", key, via: "elsewhere" },
    ],
  });
  const [first, ...bad] = results;
  expect(first?.snippet).toContain("/s3/media/");
  expect(bad.map(({ problem }) => problem.errors?.[0]?.path)).toEqual(["via", "keyId", "via"]);
  lines.length = 0;
  expect((await fetch(first?.url ?? "")).status).toBe(200);
  await expect.poll(() => lines.filter((line) => line.includes('"event":"audit"')).length).toBe(1);
  const used = JSON.parse(lines.find((line) => line.includes('"event":"audit"')) ?? "{}");
  expect(used).toMatchObject({
    caller: "me",
    operation: "GetObject",
    via: "s3",
    key,
    keyId: "k1",
    outcome: "allowed",
  });
  lines.length = 0;
  await link({ operation: "GetObject", key });
  await expect.poll(() => lines.filter((line) => line.includes('"event":"audit"')).length).toBe(1);
  const made = JSON.parse(lines.find((line) => line.includes('"event":"audit"')) ?? "{}");
  expect(made).toMatchObject({ caller: "me", operation: "GetObject", via: "edge", outcome: "allowed" });
  expect(made.expiresAt).toBeDefined();
  expect(lines.join("\n")).not.toMatch(/X-Amz-Signature/);
});

test("a user with a JWT has links that last no longer than it", async () => {
  const key = `users/42/${freshKey()}`;
  const put = await link({ operation: "PutObject", key }, jwt);
  expect((await send(put, "mine")).status).toBe(200);
  const get = await link({ operation: "GetObject", key, expiresIn: 600 }, jwt);
  expect(await (await fetch(get.url)).text()).toBe("mine");
  expect(get.url).not.toContain(jwt.slice(-43));
  const longer = await link({ operation: "GetObject", key, expiresIn: 3600 }, jwt);
  expect(longer).toMatchObject({ status: 400, errors: [{ path: "expiresIn" }] });
  const others = await link({ operation: "GetObject", key: "users/43/a" }, jwt);
  expect(others).toMatchObject({ code: "forbidden" });
  // Another's object, by the same signature.
  expect(codeIn(await send({ ...get, url: get.url.replace("users/42", "users/43") }))).toBe(
    "SignatureDoesNotMatch",
  );
});

test("whoever is called as they like has links, and whoever's token is short signs with a session", async () => {
  const key = freshKey();
  await send(await link({ operation: "PutObject", key }), "hello");
  for (const bearer of [`${token}odd`, short]) {
    const { url } = await link({ operation: "GetObject", key }, bearer);
    expect(await (await fetch(url)).text()).toBe("hello");
    expect(url.includes("X-Amz-Security-Token")).toBe(bearer === short);
  }
});

describe("the limits of a grant", () => {
  const bearer = `${token}limited`;
  test("hold when a link is made", async () => {
    const put = { operation: "PutObject", key: "acme/a.png" };
    const wrong = [
      [{ operation: "GetObject", key: "other/a" }, "forbidden"],
      [{ operation: "GetObject", key: "acme/a", expiresIn: 61 }, "invalid-request"],
      [{ ...put, contentType: "image/png" }, "length-required"],
      [{ ...put, contentType: "image/png", contentLength: 10 }, "too-large"],
      [{ ...put, contentType: "image/png", maxBytes: 10 }, "too-large"],
      [{ ...put, contentType: "text/html", maxBytes: 5 }, "unsupported-type"],
      [{ ...put, contentType: "text/html", contentLength: 5 }, "unsupported-type"],
    ] as const;
    for (const [request, code] of wrong) expect(await link(request, bearer)).toMatchObject({ code });
  });

  test("hold when it is used", async () => {
    const key = `acme/${freshKey("a.png")}`;
    const put = await link(
      { operation: "PutObject", key, contentType: "image/png", contentLength: 5 },
      bearer,
    );
    const html = { ...put, headers: { "content-type": "text/html" } };
    expect(codeIn(await send(html, "hello"))).toBe("AccessDenied");
    expect(codeIn(await send(put, "hello, and more"))).toBe("SignatureDoesNotMatch");
    expect(
      codeIn(await send({ ...put, headers: { ...put.headers, "x-amz-acl": "public-read" } }, "hello")),
    ).toBe("AccessDenied");
    expect((await send(put, "hello")).status).toBe(200);
  });
});

test("Uppy's uploads in parts are begun and ended with the session of a user, as the trail has it", async () => {
  const key = `users/42/${freshKey()}`;
  const uppy = async (method: string, more: object = {}, body = "") =>
    send({ ...(await post<Answer>("/v1/uppy/media/sign", { method, key, ...more }, jwt)), method }, body);
  lines.length = 0;
  const uploadId = xmlValue((await uppy("POST")).text, "UploadId");
  const part = await uppy("PUT", { uploadId, partNumber: 1, size: 5 }, "hello");
  expect(part.status, part.text).toBe(200);
  const list = `<Part><PartNumber>1</PartNumber><ETag>${part.headers.etag}</ETag></Part>`;
  const document = `<CompleteMultipartUpload>${list}</CompleteMultipartUpload>`;
  const done = await uppy("POST", { uploadId }, document);
  expect(done.status, done.text).toBe(200);
  const events = () =>
    lines
      .filter((line) => line.includes('"event":"audit"'))
      .map((line) => JSON.parse(line))
      .map(({ via, operation, outcome, subject, bytes }) => [via, operation, outcome, subject, bytes]);
  await expect.poll(events).toEqual([
    ["edge", "CreateMultipartUpload", "allowed", "42", undefined],
    ["s3", "CreateMultipartUpload", "allowed", "42", undefined],
    [undefined, "UploadPart", "allowed", "42", 5],
    ["edge", "CompleteMultipartUpload", "allowed", "42", undefined],
    ["s3", "CompleteMultipartUpload", "allowed", "42", 5],
  ]);
  const longer = await post("/v1/uppy/media/sign", { method: "POST", key, expiresIn: 3600 }, jwt);
  expect(longer).toMatchObject({ status: 400, errors: [{ path: "expiresIn" }] });
});

describe("without GATEWAY_SECRET", () => {
  test("a user with a JWT sends with Uppy in one piece, and is told why not in parts", async () => {
    const file = { key: `users/42/${freshKey()}`, size: 5 };
    const put = await post<Answer>("/v1/uppy/media/sign", { method: "PUT", ...file }, jwt, other);
    expect((await send({ ...put, method: "PUT" }, "hello")).status).toBe(200);
    const begun = await post("/v1/uppy/media/sign", { method: "POST", ...file }, jwt, other);
    expect(begun).toMatchObject({ code: "unavailable", detail: expect.stringContaining("GATEWAY_SECRET") });
  });

  test("a partner has links, at the first host that is for S3", async () => {
    const { url } = await link({ operation: "GetObject", key: "a b" }, token, other);
    expect(url).toMatch(/^http:\/\/s3\.localhost:1234\/media\/a%20b\?X-Amz-Algorithm=/);
  });

  test("a user with a JWT has none, and no credentials", async () => {
    expect(await link({ operation: "GetObject", key: "users/42/a" }, jwt, other)).toMatchObject({
      code: "unavailable",
    });
    expect(await post("/v1/s3/credentials", {}, jwt, other)).toMatchObject({ code: "unavailable" });
  });
});

describe("the command", () => {
  const ssec = (args: string[], bearer = token, at = worker) => ssecHere(args, bearer, at.url);

  test("shares an object, and a place to upload one to", async () => {
    const object = `media/${freshKey("a b.txt")}`;
    const missing = await ssec(["share", object]);
    expect([missing.status, missing.stdout]).toEqual([1, ""]);
    const upload = await ssec(["share", object, "--upload", "--type", "text/plain", "--size", "5"]);
    expect(upload.stderr).toMatch(/Upload with: curl -T FILE URL$/m);
    const sent = await fetch(upload.stdout.trim(), { method: "PUT", body: Buffer.from("hello") });
    expect(sent.status).toBe(200);
    const small = await ssec(["share", object, "--upload", "--max-bytes", "5"]);
    for (const [body, status] of [
      ["hello!", 400],
      ["hello", 200],
    ] as const)
      expect((await fetch(small.stdout.trim(), { method: "PUT", body: Buffer.from(body) })).status).toBe(
        status,
      );
    const shared = await ssec(["share", object, "--for", "7d", "--download"]);
    const got = await fetch(shared.stdout.trim());
    expect([await got.text(), got.headers.get("content-disposition")]).toEqual(["hello", "attachment"]);
    expect(shared.stdout).toContain("X-Amz-Expires=604800");
    const json = await ssec(["share", object, "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ method: "GET", headers: {} });
    expect((await ssec(["share", object, "--for", "1 hour"])).status).toBe(2);
    expect((await ssec(["share", object, "--type", "text/plain"])).status).not.toBe(0);
  });

  test("gives credentials to AWS's tools, and to a shell", { tags: ["thorough"] }, async () => {
    const given = JSON.parse((await ssec(["credentials", "--for", "15m"])).stdout);
    expect(given).toMatchObject({ Version: 1, SessionToken: expect.any(String) });
    const credentials = {
      accessKeyId: given.AccessKeyId,
      secretAccessKey: given.SecretAccessKey,
      sessionToken: given.SessionToken,
    };
    const s3 = s3Client({ url: `${worker.url}/s3`, accessKeyId: "", secretAccessKey: "" }, { credentials });
    const { Buckets } = await s3.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toEqual(["media"]);
    const shell = await ssec(["credentials", "--export"]);
    expect(shell.stdout).toMatch(
      /^export AWS_ACCESS_KEY_ID='?SSEC.*\nexport AWS_SECRET.*\nexport AWS_SESSION_TOKEN=.*\n$/,
    );
    const without = await ssec(["credentials"], token, other);
    expect([without.status, without.stdout]).toEqual([1, ""]);
    expect(without.stderr).toContain("GATEWAY_SECRET");
  });
});

describe("S3 credentials for a while", () => {
  interface Credentials {
    accessKeyId: string;
    secretAccessKey: string;
    sessionToken: string;
    expiration: string;
  }
  const clientFor = (given: Credentials, more: Partial<Credentials> = {}) => {
    const { accessKeyId, secretAccessKey, sessionToken } = { ...given, ...more };
    const credentials = { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
    return s3Client({ url: `${worker.url}/s3`, accessKeyId, secretAccessKey }, { credentials });
  };

  test("are a user's, below their prefix alone", async () => {
    const credentials = await post<Credentials>("/v1/s3/credentials", {}, jwt);
    expect(Date.parse(credentials.expiration) - Date.now()).toBeLessThanOrEqual(1000 * 1000);
    const s3 = clientFor(credentials);
    const Key = `users/42/${freshKey()}`;
    await s3.send(new PutObjectCommand({ Bucket: "media", Key, Body: "mine" }));
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: "media", Key }));
    expect(await Body?.transformToString()).toBe("mine");
    const others = s3.send(new GetObjectCommand({ Bucket: "media", Key: "users/43/a" }));
    expect(await fault(others)).toEqual({ name: "AccessDenied", status: 403 });
    const withoutToken = { ...credentials, sessionToken: "" };
    expect((await fault(clientFor(withoutToken).send(new ListBucketsCommand({})))).name).toBe(
      "InvalidAccessKeyId",
    );
    for (const bad of [{ accessKeyId: "me" }, { sessionToken: "x" }])
      expect((await fault(clientFor(credentials, bad).send(new ListBucketsCommand({})))).name).toBe(
        "InvalidToken",
      );
    const secretAccessKey = randomBytes(32).toString("base64");
    expect(
      (await fault(clientFor(credentials, { secretAccessKey }).send(new ListBucketsCommand({})))).name,
    ).toBe("SignatureDoesNotMatch");
  });

  test("are a partner's as well, in the form of a credential_process", async () => {
    const answer = await post("/v1/s3/credentials?format=credential_process", { expiresIn: 900 });
    expect(answer).toEqual({
      Version: 1,
      AccessKeyId: expect.stringMatching(/^SSEC/),
      SecretAccessKey: expect.any(String),
      SessionToken: expect.any(String),
      Expiration: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
  });

  test("need no body, where nothing is asked for", async () => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${worker.url}/v1/s3/credentials`, { method: "POST", headers });
    expect([answer.status, await answer.json()]).toEqual([
      200,
      expect.objectContaining({ accessKeyId: expect.any(String) }),
    ]);
  });

  test("last as long as may be, and no longer", async () => {
    const refused = (body: object, bearer?: string) => post("/v1/s3/credentials", body, bearer);
    const field = { errors: [{ path: "expiresIn" }] };
    expect(await refused({ expiresIn: 43_201 })).toMatchObject(field);
    expect(await refused({ expiresIn: 0 })).toMatchObject(field);
    expect(await refused({ expiresIn: 3600 }, jwt)).toMatchObject(field);
    expect(await post("/v1/s3/credentials?format=other", {})).toMatchObject({ code: "invalid-request" });
  });

  test("end", async () => {
    const credentials = await post<Credentials>("/v1/s3/credentials", { expiresIn: 1 });
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect((await fault(clientFor(credentials).send(new ListBucketsCommand({})))).name).toBe("ExpiredToken");
  });
});
