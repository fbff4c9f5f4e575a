/** Uploads in parts, driven by the service. */
import { createHash, randomBytes } from "node:crypto";
import { ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import {
  call,
  freshKey,
  get,
  isCeph,
  type ProblemBody,
  presign,
  put,
  rawKeys,
  send,
} from "../support/client.ts";
import { MiB, s3 } from "../support/edge.ts";
import { testSampled } from "../support/sampled.ts";

type Token = Parameters<typeof call>[2];

interface Begun {
  bucket: string;
  key: string;
  keyId: string;
  uploadId: string;
  partSize: number;
  partCount: number;
}
interface SignedParts {
  parts: { partNumber: number; method: string; url: string; contentLength?: number }[];
  headers: Record<string, string>;
  expiresAt: string;
}
interface Part {
  partNumber: number;
  size: number;
  etag: string;
}

async function post<T>(path: string, body: object, status = 200, token?: Token): Promise<T> {
  const response = await call(`/v1/multipart${path}`, { method: "POST", body: JSON.stringify(body) }, token);
  const text = await response.text();
  expect(response.status, text).toBe(status);
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

const refused = (path: string, body: object, status: number, token?: Token) =>
  post<ProblemBody>(path, body, status, token);

async function begin(size: number, more: object = {}, token?: Token): Promise<Begun & { size: number }> {
  const key = "key" in more ? more.key : freshKey();
  return { size, ...(await post<Begun>("", { bucket: "media", key, size, ...more }, 200, token)) };
}

const idOf = ({ bucket, key, keyId, uploadId }: Begun) => ({ bucket, key, keyId, uploadId });

async function upload(begun: Begun & { size: number }, body: Buffer, only?: number[]) {
  const partNumbers = only ?? Array.from({ length: begun.partCount }, (_, i) => i + 1);
  const { size, partSize } = begun;
  const signed = await post<SignedParts>("/sign", { ...idOf(begun), partNumbers, size, partSize });
  const parts = [];
  for (const { partNumber, method, url, contentLength } of signed.parts) {
    const bytes = body.subarray((partNumber - 1) * partSize, partNumber * partSize);
    expect(contentLength).toBe(bytes.length);
    const sent = await send({ method, url, headers: signed.headers }, bytes);
    expect(sent.status, sent.text).toBe(200);
    parts.push({ partNumber, etag: String(sent.headers.etag) });
  }
  return parts;
}

testSampled(
  [
    ["nothing", 0, 1],
    ["a byte", 1, 1],
    ["a byte less than 5 MiB", 5 * MiB - 1, 1],
    ["5 MiB", 5 * MiB, 1],
    ["a byte more than 5 MiB", 5 * MiB + 1, 2],
    ["three parts", 13 * MiB, 3],
  ],
  4,
  "%s goes up and comes down",
  async ([, size, partCount]) => {
    const body = randomBytes(size);
    const begun = await begin(size, {
      partSize: 5 * MiB,
      contentType: "image/jpeg",
      metadata: { who: "me" },
    });
    expect(begun).toMatchObject({ bucket: "media", keyId: "k2", partSize: 5 * MiB, partCount });
    const parts = await upload(begun, body);
    const done = await post<{ etag: string; size: number; keyId: string }>("/complete", {
      ...idOf(begun),
      parts,
      size,
    });
    expect(done).toEqual({ etag: expect.any(String), size, keyId: "k2" });
    const down = await get("media", begun.key);
    expect(down.body.equals(body)).toBe(true);
    expect(down.headers["content-type"]).toBe("image/jpeg");
    expect(down.headers["x-amz-meta-who"]).toBe("me");
    expect(down.headers.etag).toBe(done.etag);
  },
);

test.for([
  [0, 8 * MiB, 1],
  [8 * MiB, 8 * MiB, 1],
  [8 * MiB + 1, 8 * MiB, 2],
  [10_000 * 8 * MiB, 8 * MiB, 10_000],
  [10_000 * 8 * MiB + 1, 16 * MiB, 5001],
  [2 ** 40, 128 * MiB, 8192],
  [50_000_000 * MiB, 5120 * MiB, 9766],
  [10_000 * 5120 * MiB, 5120 * MiB, 10_000],
] as const)("%d bytes go in parts of %d: %d of them", async ([size, partSize, partCount]) => {
  const begun = await begin(size);
  expect(begun).toMatchObject({ partSize, partCount });
  await post("/abort", idOf(begun), 204);
});

test(
  "an upload is resumed: what is there is told, and only what is missing is sent",
  { tags: ["thorough"] },
  async () => {
    const body = randomBytes(11 * MiB);
    const begun = await begin(body.length, { partSize: 5 * MiB });
    const first = await upload(begun, body, [1, 3]);
    const { parts: there } = await post<{ parts: Part[] }>("/parts", idOf(begun));
    expect(there).toEqual([
      { partNumber: 1, size: 5 * MiB, etag: first[0]?.etag },
      { partNumber: 3, size: MiB, etag: first[1]?.etag },
    ]);
    const missing = await upload(begun, body, [2]);
    const parts = [...there.map(({ partNumber, etag }) => ({ partNumber, etag })), ...missing];
    await post("/complete", { ...idOf(begun), parts, size: body.length });
    expect((await get("media", begun.key)).body.equals(body)).toBe(true);
  },
);

test("a thousand parts are signed at once, and more in further windows", async () => {
  const begun = await begin(10_000 * 8 * MiB);
  const partNumbers = Array.from({ length: 1000 }, (_, i) => 9001 + i);
  const { size, partSize } = begun;
  const { parts, headers } = await post<SignedParts>("/sign", {
    ...idOf(begun),
    partNumbers,
    size,
    partSize,
  });
  expect(parts.map(({ partNumber }) => partNumber)).toEqual(partNumbers);
  expect(Object.keys(headers).sort()).toEqual([
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-server-side-encryption-customer-key-MD5",
  ]);
  for (const { url } of parts)
    expect(url).not.toContain(
      encodeURIComponent(headers["x-amz-server-side-encryption-customer-key"] ?? "?"),
    );
  const tooMany = await refused("/sign", { ...idOf(begun), partNumbers: [...partNumbers, 1] }, 400);
  expect(tooMany.errors?.[0]?.path).toBe("partNumbers");
  await post("/abort", idOf(begun), 204);
});

test("the length of each part is signed where it is known", async () => {
  const begun = await begin(5 * MiB + 10, { partSize: 5 * MiB });
  const { size, partSize } = begun;
  const { parts, headers } = await post<SignedParts>("/sign", {
    ...idOf(begun),
    partNumbers: [2],
    size,
    partSize,
  });
  const [part] = parts;
  expect((await send({ ...part, headers } as never, Buffer.alloc(11))).status).toBe(403);
  expect((await send({ ...part, headers } as never, Buffer.alloc(10))).status).toBe(200);
  await post("/abort", idOf(begun), 204);
});

test("of unknown length goes as well", async () => {
  const key = freshKey();
  const begun = await post<Begun>("", { bucket: "media", key });
  expect(begun).toMatchObject({ partSize: 64 * MiB });
  expect(begun).not.toHaveProperty("partCount");
  const { parts, headers } = await post<SignedParts>("/sign", { ...idOf(begun), partNumbers: [1] });
  const sent = await send({ ...parts[0], headers } as never, "hello");
  const done = { ...idOf(begun), parts: [{ partNumber: 1, etag: sent.headers.etag }] };
  expect(await post("/complete", done)).toMatchObject({ size: 5 });
});

describe("complete", () => {
  test("may be called twice", async () => {
    const body = randomBytes(100);
    const begun = await begin(100);
    const parts = await upload(begun, body);
    const request = { ...idOf(begun), parts, size: 100 };
    const once = await post("/complete", request);
    expect(await post("/complete", request)).toEqual(once);
    expect((await refused("/complete", { ...request, size: 99 }, 409)).code).toBe("conflict");
  });

  test("takes parts in any order, and ETags without their quotes", async () => {
    const body = randomBytes(6 * MiB);
    const begun = await begin(body.length, { partSize: 5 * MiB });
    const parts = (await upload(begun, body)).map(({ partNumber, etag }) => ({
      partNumber,
      etag: etag.replaceAll('"', ""),
    }));
    await post("/complete", { ...idOf(begun), parts: parts.reverse() });
    expect((await get("media", begun.key)).body.equals(body)).toBe(true);
  });

  test("names what is missing, and loses nothing by it", async () => {
    const body = randomBytes(11 * MiB);
    const begun = await begin(body.length, { partSize: 5 * MiB });
    const parts = await upload(begun, body, [1, 2]);
    const missing = await refused(
      "/complete",
      { ...idOf(begun), parts: [...parts, { partNumber: 3, etag: '"x"' }] },
      400,
    );
    expect(missing.errors).toEqual([{ path: "parts[2].partNumber", message: "was not uploaded" }]);
    const other = await refused(
      "/complete",
      { ...idOf(begun), parts: [{ partNumber: 1, etag: '"x"' }] },
      400,
    );
    expect(other.errors).toEqual([{ path: "parts[0].etag", message: "is not that of the uploaded part" }]);
    const twice = await refused("/complete", { ...idOf(begun), parts: [parts[0], parts[0]] }, 400);
    expect(twice.errors).toEqual([{ path: "parts[1].partNumber", message: "is named twice" }]);
    const short = await refused("/complete", { ...idOf(begun), parts, size: body.length }, 409);
    expect(short).toMatchObject({
      code: "conflict",
      detail: expect.stringMatching(/10485760 bytes, not 11534336/),
    });
    const last = await upload(begun, body, [3]);
    await post("/complete", { ...idOf(begun), parts: [...parts, ...last], size: body.length });
  });

  test("of an upload that is not there is 404", async () => {
    const begun = await begin(1);
    await post("/abort", idOf(begun), 204);
    const parts = [{ partNumber: 1, etag: '"x"' }];
    expect((await refused("/complete", { ...idOf(begun), parts }, 404)).code).toBe("not-found");
    expect((await refused("/parts", idOf(begun), 404)).code).toBe("not-found");
  });

  test("does not take another object for its own", async () => {
    const begun = await begin(1);
    await post("/abort", idOf(begun), 204);
    const parts = [{ partNumber: 1, etag: '"x"' }];
    await put("media", begun.key, "x");
    expect((await refused("/complete", { ...idOf(begun), parts }, 409)).code).toBe("conflict");
  });
});

test("abort may be called twice, and ends the upload", async () => {
  const begun = await begin(5 * MiB + 1, { partSize: 5 * MiB });
  await upload(begun, Buffer.alloc(5 * MiB + 1), [1]);
  await post("/abort", idOf(begun), 204);
  await post("/abort", idOf(begun), 204);
  const { Uploads = [] } = await s3.send(
    new ListMultipartUploadsCommand({ Bucket: "media", Prefix: begun.key }),
  );
  expect(Uploads).toEqual([]);
});

test("an upload goes on under the key that it was begun with", async () => {
  // As before a rotation to k2: the same place, written under k1.
  const body = randomBytes(10);
  const key = freshKey();
  const begun = await begin(10, { bucket: "media-old", key });
  expect(begun.keyId).toBe("k1");
  const after = { ...begun, bucket: "media" };
  const parts = await upload(after, body);
  expect(await post("/complete", { ...idOf(after), parts })).toMatchObject({ keyId: "k1" });
  expect((await get("media", key)).body.equals(body)).toBe(true);
});

/** An upload that the client itself began, whose id is the store's own. */
async function beginRaw(bucket: string, key: string): Promise<string> {
  const created = await send(await presign({ operation: "CreateMultipartUpload", bucket, key }));
  return /<UploadId>(.*?)<\/UploadId>/.exec(created.text)?.[1] ?? "";
}

async function uploadRaw(id: object, body: Buffer): Promise<NamedPart[]> {
  const { parts: signed, headers } = await post<SignedParts>("/sign", { ...id, partNumbers: [1] });
  const sent = await send({ ...signed[0], headers } as never, body);
  expect(sent.status, sent.text).toBe(200);
  return [{ partNumber: 1, etag: String(sent.headers.etag) }];
}

interface NamedPart {
  partNumber: number;
  etag: string;
}

describe("complete knows this upload's object from any other", () => {
  const body = randomBytes(1000);

  /** An object at the key that another upload has made of the same bytes. */
  async function other(key: string): Promise<{ begun: Begun; parts: NamedPart[] }> {
    const begun = await begin(body.length, { key });
    const parts = await upload(begun, body);
    await post("/complete", { ...idOf(begun), parts, size: body.length });
    return { begun, parts };
  }

  test("when it was aborted, and another made the same", async () => {
    const begun = await begin(body.length);
    const parts = await upload(begun, body);
    await post("/abort", idOf(begun), 204);
    const { parts: same } = await other(begun.key);
    for (const named of [parts, same]) {
      const answer = await refused("/complete", { ...idOf(begun), parts: named, size: body.length }, 409);
      expect(answer).toMatchObject({
        code: "conflict",
        detail: expect.stringMatching(/not what it has made/),
      });
    }
  });

  test("when the id is made up, another's, or not as it was given", async () => {
    const key = freshKey();
    const { begun, parts } = await other(key);
    const complete = (more: object, status: number) =>
      refused("/complete", { ...idOf(begun), parts, size: body.length, ...more }, status);
    const elsewhere = await begin(1);
    const { uploadId } = begun;
    const changed = (at: number) => {
      const c = uploadId.at(at) === "A" ? "B" : "A";
      return `${uploadId.slice(0, at)}${c}${at === -1 ? "" : uploadId.slice(at + 1)}`;
    };
    expect((await complete({ uploadId: "made-up" }, 409)).code).toBe("conflict");
    expect((await complete({ uploadId: randomBytes(16).toString("hex") }, 409)).code).toBe("conflict");
    for (const id of [elsewhere.uploadId, changed(-1), changed(-25), changed(0), changed(-30)])
      expect((await complete({ uploadId: id }, 404)).code, id).toBe("not-found");
    expect((await complete({ key: freshKey() }, 404)).code).toBe("not-found");
    expect((await complete({ bucket: "vault", keyId: "k3" }, 404)).code).toBe("not-found");
    expect((await complete({ keyId: "k1" }, 404)).code).toBe("not-found");
    // The store's id alone shows nothing of its own.
    const raw = uploadId.replace(/\.ssec1.*$/, "");
    expect(raw).not.toBe(uploadId);
    const bare = await call("/v1/multipart/complete", {
      method: "POST",
      body: JSON.stringify({ ...idOf(begun), uploadId: raw, parts, size: body.length }),
    });
    // Ceph cannot tell; the development store knows its own, as AWS does.
    expect(bare.status).toBe(isCeph ? 409 : 200);
    await post("/abort", idOf(elsewhere), 204);
  });

  test("when it is over, and something else has taken its place", async () => {
    const { begun, parts } = await other(freshKey());
    await put("media", begun.key, body);
    const request = { ...idOf(begun), parts, size: body.length };
    expect((await refused("/complete", request, 409)).code).toBe("conflict");
    await other(begun.key);
    expect((await refused("/complete", request, 409)).code).toBe("conflict");
    expect((await call(`/v1/objects/media/${begun.key}`, { method: "DELETE" })).status).toBe(204);
    expect((await refused("/complete", request, 404)).code).toBe("not-found");
  });

  test.skipIf(isCeph)("when a copy of its kind lies there", async () => {
    const { begun: source } = await other(freshKey());
    const begun = await begin(body.length);
    const parts = await upload(begun, body);
    await post("/abort", idOf(begun), 204);
    const copy = { operation: "CopyObject", bucket: "media", key: begun.key };
    const { bucket, key, keyId } = source;
    const copied = await send(await presign({ ...copy, source: { bucket, key, keyId } }));
    expect(copied.status, copied.text).toBe(200);
    expect((await refused("/complete", { ...idOf(begun), parts }, 409)).code).toBe("conflict");
  });

  test("when four call at once, and when they call again", async () => {
    const begun = await begin(6 * MiB, { partSize: 5 * MiB });
    const parts = await upload(begun, randomBytes(6 * MiB));
    const request = { ...idOf(begun), parts, size: 6 * MiB };
    const [first, ...others] = await Promise.all(Array.from({ length: 4 }, () => post("/complete", request)));
    for (const answer of [...others, await post("/complete", request)]) expect(answer).toEqual(first);
  });

  test("and says so of an id of the store's that shows nothing", async () => {
    const key = freshKey();
    const id = { bucket: "media", key, keyId: "k2", uploadId: await beginRaw("media", key) };
    const parts = await uploadRaw(id, body);
    await post("/abort", id, 204);
    expect((await refused("/complete", { ...id, parts }, 404)).code).toBe("not-found");
    await other(key);
    expect(await refused("/complete", { ...id, parts }, 409)).toMatchObject({
      code: "conflict",
      detail: expect.stringMatching(/not shown.*POST \/v1\/multipart/),
    });
  });
});

test("what marks an upload's object is the service's own: hidden, kept free, and no burden on metadata", async () => {
  const metadata = { a: "x".repeat(2047) };
  for (const given of [{}, { who: "me" }, metadata]) {
    const begun = await begin(3, { metadata: given });
    const parts = await upload(begun, Buffer.from("abc"));
    await post("/complete", { ...idOf(begun), parts });
    for (const method of ["GET", "HEAD"]) {
      const answer = await call(`/v1/objects/media/${begun.key}`, { method });
      const names = [...answer.headers.keys()].filter((name) => name.startsWith("x-amz-meta-"));
      expect(names).toEqual(Object.keys(given).map((name) => `x-amz-meta-${name}`));
      await answer.arrayBuffer();
    }
  }
  await refused("", { bucket: "media", key: "a", metadata: { a: "x".repeat(2048) } }, 400);
  for (const name of ["ssec-upload", "SSEC-Upload"]) {
    const problem = await refused("", { bucket: "media", key: "a", metadata: { [name]: "x" } }, 400);
    expect(problem.errors?.[0]?.path).toBe("metadata");
  }
  const upload1 = await call("/v1/objects/media/a", {
    method: "PUT",
    headers: { "x-amz-meta-ssec-upload": "x" },
    body: "x",
  });
  expect(upload1.status).toBe(400);
});

describe("a key that does not write now is given for an upload under it, and for no other", () => {
  const part = { partNumber: 1 };
  const source = { bucket: "media", key: "source", keyId: "k2" };
  /** Every way of asking for the key of an upload. */
  const WAYS = {
    sign: (id: object) => ["/v1/multipart/sign", { ...id, partNumbers: [1] }],
    parts: (id: object) => ["/v1/multipart/parts", id],
    complete: (id: object) => ["/v1/multipart/complete", { ...id, parts: [{ ...part, etag: "x" }] }],
    UploadPart: (id: object) => ["/v1/presign", { operation: "UploadPart", ...id, ...part }],
    UploadPartCopy: (id: object) => ["/v1/presign", { operation: "UploadPartCopy", ...id, ...part, source }],
    ListParts: (id: object) => ["/v1/presign", { operation: "ListParts", ...id }],
    CompleteMultipartUpload: (id: object) => ["/v1/presign", { operation: "CompleteMultipartUpload", ...id }],
  } satisfies Record<string, (id: object) => [string, object]>;

  const ask = async (way: keyof typeof WAYS, id: object) => {
    const [path, body] = WAYS[way](id) as [string, object];
    const response = await call(path, { method: "POST", body: JSON.stringify(body) });
    return { status: response.status, text: await response.text() };
  };

  testSampled(Object.keys(WAYS) as (keyof typeof WAYS)[], 3, "%s", async (way) => {
    const key = freshKey();
    const raws = { old: await beginRaw("media-old", key), now: await beginRaw("media", key) };
    const sealed = await begin(10, { bucket: "media-old", key });
    const sealedNow = await begin(10, { key });
    const none = [
      ["made up", "media", "k1", "made-up"],
      ["made up", "media", "k1", randomBytes(16).toString("hex")],
      ["made up", "read-only", "expired", "2~made-up"],
      ["made up", "read-only", "pending", "2~made-up"],
      ["under the key that writes", "media", "k1", raws.now],
      ["under the key that writes, sealed", "media", "k1", sealedNow.uploadId],
      ["under another key that does not write", "read-only", "pending", raws.old],
      ["under another key that does not write, sealed", "read-only", "pending", sealed.uploadId],
      ["a seal that was changed", "media", "k1", `${sealed.uploadId.slice(0, -1)}_`],
      ["a seal behind another id", "media", "k1", sealed.uploadId.replace(/^[^.]+/, raws.now)],
    ] as const;
    for (const [what, bucket, keyId, uploadId] of none) {
      const { status, text } = await ask(way, { bucket, key, keyId, uploadId });
      expect([404, 409], `${what}: ${status} ${text}`).toContain(status);
      for (const raw of rawKeys()) expect(text).not.toContain(raw);
    }
    const elsewhere = await ask(way, { bucket: "media", key: freshKey(), keyId: "k1", uploadId: raws.old });
    expect([404, 409]).toContain(elsewhere.status);
    // Those that are under it go on; that no part is there complete says by itself.
    for (const uploadId of [raws.old, sealed.uploadId]) {
      const { status, text } = await ask(way, { bucket: "media", key, keyId: "k1", uploadId });
      expect({ status, text }).toMatchObject(
        way === "complete"
          ? { status: 400, text: expect.stringContaining("was not uploaded") }
          : { status: 200 },
      );
    }
    // Nothing was stored in search of the key.
    expect(await post("/parts", { bucket: "media", key, keyId: "k1", uploadId: raws.old })).toEqual({
      parts: [],
    });
    for (const uploadId of [...Object.values(raws), sealed.uploadId, sealedNow.uploadId])
      await post("/abort", { bucket: "media", key, uploadId }, 204);
  });

  test("an id with a seal names its key by itself", async () => {
    const key = freshKey();
    const { uploadId } = await begin(10, { bucket: "media-old", key });
    const answer = await presign({ operation: "UploadPart", bucket: "media", key, uploadId, partNumber: 1 });
    expect(answer.keyId).toBe("k1");
    expect((await send(answer, "0123456789")).status).toBe(200);
    await post("/abort", { bucket: "media", key, uploadId }, 204);
  });
});

describe("a condition", () => {
  const body = randomBytes(100);
  const long = (offset: number) => new Date(Date.now() + offset * 86_400_000).toUTCString();

  async function asked(path: string, request: object, headers: Record<string, string> = {}): Promise<number> {
    const response = await call(`/v1/multipart${path}`, {
      method: "POST",
      headers,
      body: JSON.stringify(request),
    });
    await response.text();
    return response.status;
  }

  test(
    "is held against what is there, at the beginning and at the end, by field or by header",
    { tags: ["thorough"] },
    async () => {
      // It lies under an older key, which does not matter.
      const there = freshKey();
      await put("media-old", there, "there");
      const { headers } = await call(`/v1/objects/media/${there}`, { method: "HEAD" });
      const etag = headers.get("etag") ?? "";
      const bare = etag.replaceAll('"', "");
      const absent = freshKey();
      const uploads = new Map<string, { begun: Begun; parts: NamedPart[] }>();
      for (const key of [there, absent]) {
        const begun = await begin(body.length, { key });
        uploads.set(key, { begun, parts: await upload(begun, body) });
      }
      const failing: [string, Record<string, string>][] = [
        [there, { ifMatch: '"other"' }],
        [there, { ifMatch: `W/${etag}` }],
        [there, { ifMatch: '"a", "b"' }],
        [there, { ifNoneMatch: "*" }],
        [there, { ifNoneMatch: etag }],
        [there, { ifNoneMatch: bare }],
        [there, { ifNoneMatch: `W/${etag}` }],
        [there, { ifNoneMatch: `"a", ${etag}` }],
        [absent, { ifMatch: "*" }],
        [absent, { ifMatch: etag }],
      ];
      const kebab = (name: string) => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
      for (const [key, fields] of failing) {
        const given = JSON.stringify(fields);
        const headers = Object.fromEntries(
          Object.entries(fields).map(([name, value]) => [kebab(name), value]),
        );
        const { begun, parts } = uploads.get(key) ?? expect.fail();
        const complete = { ...idOf(begun), parts, size: body.length };
        const create = { bucket: "media", key, size: body.length };
        expect(await asked("", { ...create, ...fields }), `begin ${given}`).toBe(412);
        expect(await asked("", create, headers), `begin by header ${given}`).toBe(412);
        expect(await asked("/complete", { ...complete, ...fields }), given).toBe(412);
        expect(await asked("/complete", complete, headers), `by header ${given}`).toBe(412);
      }
      const { begun, parts } = uploads.get(there) ?? expect.fail();
      const complete = { ...idOf(begun), parts, size: body.length };
      expect(await asked("/complete", complete, { "if-unmodified-since": long(-1) })).toBe(412);
      for (const wrong of [{ ifMatch: '"open' }, { ifMatch: "" }, { ifNoneMatch: "a b" }])
        expect(await asked("/complete", { ...complete, ...wrong }), JSON.stringify(wrong)).toBe(400);
      expect(await asked("/complete", { ...complete, ifMatch: etag }, { "if-match": etag })).toBe(400);
      // Nothing has changed by any of it.
      expect((await get("media", there)).text).toBe("there");
      expect((await call(`/v1/objects/media/${absent}`)).status).toBe(404);
      for (const { begun } of uploads.values()) await post("/abort", idOf(begun), 204);
    },
  );

  test("that holds lets it pass, and again when it is repeated", { tags: ["thorough"] }, async () => {
    for (const fieldsOf of [
      (etag: string) => ({ ifMatch: etag }),
      (etag: string) => ({ ifMatch: etag.replaceAll('"', "") }),
      (etag: string) => ({ ifMatch: `"other", ${etag}` }),
      () => ({ ifMatch: "*" }),
      () => ({ ifNoneMatch: '"other"' }),
      undefined,
    ]) {
      const key = freshKey();
      let fields: object = { ifNoneMatch: "*" };
      if (fieldsOf !== undefined) {
        await put("media", key, "before");
        const { headers } = await call(`/v1/objects/media/${key}`, { method: "HEAD" });
        fields = fieldsOf(headers.get("etag") ?? "");
      }
      const begun = await begin(body.length, { key, ...fields });
      const parts = await upload(begun, body);
      const request = { ...idOf(begun), parts, ...fields };
      const answers = await Promise.all([post("/complete", request), post("/complete", request)]);
      expect(answers[1]).toEqual(answers[0]);
      expect(await post("/complete", request)).toEqual(answers[0]);
      expect((await get("media", key)).body.equals(body)).toBe(true);
    }
  });
});

describe("a grant's limits hold for the whole upload", () => {
  const image = { key: "acme/big", contentType: "image/png" };
  test("at its beginning", async () => {
    const create = (more: object, status: number) =>
      refused("", { bucket: "media", ...image, size: 1000, ...more }, status, "LIMITED_TOKEN");
    expect((await create({ size: 1001 }, 413)).errors?.[0]?.path).toBe("size");
    expect((await create({ size: undefined }, 411)).code).toBe("length-required");
    expect((await create({ contentType: "text/html" }, 415)).code).toBe("unsupported-type");
    expect((await create({ contentType: undefined }, 415)).code).toBe("unsupported-type");
    expect((await create({ key: "other" }, 403)).code).toBe("forbidden");
  });

  test("and at its end, by the sum of its parts", async () => {
    const begun = await begin(1000, image, "LIMITED_TOKEN");
    const sign = { ...idOf(begun), partNumbers: [1] };
    await refused("/sign", sign, 411, "LIMITED_TOKEN");
    await refused("/sign", { ...sign, size: 1001, partSize: 5 * MiB }, 413, "LIMITED_TOKEN");
    await refused("/sign", { ...sign, size: 1000, partSize: 5 * MiB, expiresIn: 61 }, 400, "LIMITED_TOKEN");
    // Another caller's part makes the whole too large.
    const { parts: signed, headers } = await post<SignedParts>("/sign", sign);
    const sent = await send({ ...signed[0], headers } as never, Buffer.alloc(1001));
    const parts = [{ partNumber: 1, etag: sent.headers.etag }];
    expect((await refused("/complete", { ...idOf(begun), parts }, 413, "LIMITED_TOKEN")).code).toBe(
      "too-large",
    );
    await post("/abort", idOf(begun), 204, "LIMITED_TOKEN");
  });
});

test.for([
  ["", { size: -1 }, "size"],
  ["", { size: 1.5 }, "size"],
  ["", { size: 10_000 * 5120 * MiB + 1 }, "size"],
  ["", { size: 1, partSize: MiB }, "partSize"],
  ["", { size: 1, partSize: 5121 * MiB }, "partSize"],
  ["", { size: 60_000 * MiB, partSize: 5 * MiB }, "partSize"],
  ["", { size: 1, keyId: "k1" }, "keyId"],
  ["", { size: 1, colour: "red" }, "colour"],
  ["", { size: 1, key: "a/../b" }, "key"],
  ["/sign", { keyId: "k2", uploadId: "u", partNumbers: [] }, "partNumbers"],
  ["/sign", { keyId: "k2", uploadId: "u", partNumbers: [0] }, "partNumbers[0]"],
  ["/sign", { keyId: "k2", uploadId: "u", partNumbers: [10_001] }, "partNumbers[0]"],
  ["/sign", { keyId: "k2", uploadId: "u", partNumbers: [2], size: 5, partSize: 5 * MiB }, "partNumbers[0]"],
  ["/sign", { keyId: "k2", uploadId: "u", partNumbers: [1], size: 5 }, "partSize"],
  ["/sign", { uploadId: "u", partNumbers: [1] }, "keyId"],
  ["/sign", { keyId: "k9", uploadId: "u", partNumbers: [1] }, "keyId"],
  ["/parts", { keyId: "k2" }, "uploadId"],
  ["/complete", { keyId: "k2", uploadId: "u", parts: [] }, "parts"],
  ["/complete", { keyId: "k2", uploadId: "u", parts: [{ partNumber: 1 }] }, "parts[0].etag"],
  ["/abort", {}, "uploadId"],
] as const)("%s %j is refused for its %s", async ([path, more, field]) => {
  const problem = await refused(path, { bucket: "media", key: "a", ...more }, 400);
  expect(problem.errors?.map(({ path }) => path)).toContain(field);
});

test("presigned and driven uploads are one: parts of either complete by either", async () => {
  const body = randomBytes(100);
  const key = freshKey();
  const created = await send(await presign({ operation: "CreateMultipartUpload", bucket: "media", key }));
  const uploadId = /<UploadId>(.*?)<\/UploadId>/.exec(created.text)?.[1] ?? "";
  const part = await send(
    await presign({ operation: "UploadPart", bucket: "media", key, uploadId, partNumber: 1 }),
    body,
  );
  const id = { bucket: "media", key, keyId: "k2", uploadId };
  await post("/complete", { ...id, parts: [{ partNumber: 1, etag: part.headers.etag }] });
  expect((await get("media", key)).body.equals(body)).toBe(true);
});

test.for([
  "SHA256",
  "CRC32",
] as const)("an upload whose parts have a %s each is completed with them", async (checksumAlgorithm) => {
  const body = Buffer.from("123456789");
  const checksum = {
    SHA256: { checksumSHA256: createHash("sha256").update(body).digest("base64") },
    CRC32: { checksumCRC32: "y/Q5Jg==" },
  }[checksumAlgorithm];
  const key = freshKey();
  const { uploadId, keyId } = await post<{ uploadId: string; keyId: string }>("", {
    bucket: "media",
    key,
    checksumAlgorithm,
  });
  const id = { bucket: "media", key, keyId, uploadId };
  const part = await send(
    await presign({ operation: "UploadPart", ...id, partNumber: 1, ...checksum }),
    body,
  );
  await post("/complete", { ...id, parts: [{ partNumber: 1, etag: part.headers.etag }] });
  expect((await get("media", key)).body.equals(body)).toBe(true);
});
