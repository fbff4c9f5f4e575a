/** Git LFS: what its client asks and is answered, by the batch API's own words. */
import { createHash, randomBytes } from "node:crypto";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { api, call, isCeph, put, secrets, send, xmlValue } from "../support/client.ts";
import { s3 } from "../support/edge.ts";

const LFS = "application/vnd.git-lfs+json";

interface Action {
  href: string;
  header?: Record<string, string>;
}
interface Item {
  oid: string;
  size: number;
  actions?: Record<string, Action>;
  error?: { code: number; message: string };
}

const basic = (token: string | undefined) => `Basic ${Buffer.from(`git:${token}`).toString("base64")}`;

async function post(address: string, body: object, authorization = basic(secrets.ALL_TOKEN)) {
  const response = await fetch(`${api}/v1/lfs/${address}`, {
    method: "POST",
    headers: { accept: LFS, "content-type": LFS, authorization },
    body: JSON.stringify(body),
  });
  expect(response.headers.get("content-type")).toBe(LFS);
  const { headers, status } = response;
  return { status, headers, answer: (await response.json()) as { objects: Item[]; message: string } };
}

const batch = (operation: string, objects: object[], { at = "media/t/lfs", token = "ALL_TOKEN" } = {}) =>
  post(
    `${at}/objects/batch`,
    { operation, transfers: ["lfs-standalone-file", "basic", "ssh"], objects, hash_algo: "sha256" },
    basic(secrets[token]),
  );

/** A file that no other test has. */
function file(bytes = 100) {
  const body = randomBytes(bytes);
  return { body, object: { oid: createHash("sha256").update(body).digest("hex"), size: bytes } };
}

const keyOf = ({ oid }: { oid: string }, prefix: string) =>
  `${prefix}${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`;

const transfer = (method: string, { href, header = {} }: Action, body?: Buffer) =>
  send({ method, url: href, headers: header }, body);

async function actionsOf(direction: "upload" | "download", object: object) {
  const { answer } = await batch(direction, [object]);
  return answer.objects[0]?.actions ?? {};
}

async function upload({ body, object }: ReturnType<typeof file>) {
  const { upload } = await actionsOf("upload", object);
  const sent = await transfer("PUT", upload as Action, body);
  expect(sent.status, sent.text).toBe(200);
}

test("a file goes up encrypted, is verified, comes back, and is not sent twice", async () => {
  const one = file();
  const { status, answer } = await batch("upload", [one.object]);
  expect(status).toBe(200);
  expect(answer).toMatchObject({ transfer: "basic", hash_algo: "sha256" });
  const { upload: sending, verify } = answer.objects[0]?.actions ?? {};
  expect(sending?.header).toMatchObject({
    "content-type": "application/octet-stream",
    "x-amz-checksum-sha256": createHash("sha256").update(one.body).digest("base64"),
  });
  expect((await post("media/t/lfs/objects/verify", one.object)).status).toBe(404);
  expect((await transfer("PUT", sending as Action, one.body)).status).toBe(200);

  expect(verify).toEqual({ href: `${api}/v1/lfs/media/t/lfs/objects/verify` });
  expect((await post("media/t/lfs/objects/verify", one.object)).status).toBe(200);
  expect((await post("media/t/lfs/objects/verify", { ...one.object, size: 1 })).status).toBe(409);
  const proof = await call("/v1/verify", {
    method: "POST",
    body: JSON.stringify({ bucket: "media", key: keyOf(one.object, "t/lfs/") }),
  });
  expect(await proof.json()).toMatchObject({ encrypted: true, keyId: "k2", size: 100 });

  expect((await batch("upload", [one.object])).answer.objects).toEqual([one.object]);
  const { download } = await actionsOf("download", one.object);
  const got = await transfer("GET", download as Action);
  expect(got.body.equals(one.body)).toBe(true);
});

// Ceph before 20 passes checksums over; git-lfs itself checks what it is sent then.
test.skipIf(isCeph)("the store takes no other bytes than were signed", async () => {
  const { body, object } = file();
  const { upload: action } = (await actionsOf("upload", object)) as { upload: Action };
  const wrong = await transfer("PUT", action, randomBytes(body.length));
  expect([wrong.status, xmlValue(wrong.text, "Code")]).toEqual([400, "BadDigest"]);
  expect((await batch("download", [object])).answer.objects[0]?.error?.code).toBe(404);
});

test("the store takes no other length or type than were signed", async () => {
  const { body, object } = file();
  const { upload: action } = (await actionsOf("upload", object)) as { upload: Action };
  expect((await transfer("PUT", action, body.subarray(1))).status).toBe(403);
  const page = { ...action, header: { ...action.header, "content-type": "text/html" } };
  expect((await transfer("PUT", page, body)).status).toBe(403);
  expect((await batch("download", [object])).answer.objects[0]?.error?.code).toBe(404);
});

test("what lies under the name and is not the file is replaced, and is not handed out", async () => {
  const inTheClear = file();
  const cut = file();
  await s3.send(
    new PutObjectCommand({ Bucket: "media", Key: keyOf(inTheClear.object, "t/lfs/"), Body: inTheClear.body }),
  );
  await put("media", keyOf(cut.object, "t/lfs/"), cut.body.subarray(50));
  for (const one of [inTheClear, cut]) {
    const { answer } = await batch("download", [one.object]);
    expect(answer.objects[0]).toMatchObject({ ...one.object, error: { code: 409 } });
    await upload(one);
    expect(await actionsOf("upload", one.object)).toEqual({});
  }
});

test("one file that cannot be had spoils no other", async () => {
  const there = file();
  await upload(there);
  const absent = file();
  const large = { ...file().object, size: 6 * 2 ** 30 };
  const down = await batch("download", [absent.object, there.object]);
  expect(down.answer.objects.map(({ error, actions }) => error?.code ?? Object.keys(actions ?? {}))).toEqual([
    404,
    ["download"],
  ]);
  const up = await batch("upload", [large, absent.object]);
  expect(up.answer.objects.map(({ error, actions }) => error?.code ?? Object.keys(actions ?? {}))).toEqual([
    413,
    ["upload", "verify"],
  ]);
});

test("grants say where, how much and of which type", async () => {
  const { object } = file();
  const codes = async (...args: Parameters<typeof batch>) => {
    const { answer } = await batch(...args);
    return answer.objects.map(({ error }) => error?.code);
  };
  expect(await codes("upload", [object], { token: "READER_TOKEN" })).toEqual([403]);
  expect(await codes("download", [object], { at: "no-such-bucket" })).toEqual([403]);
  expect(await codes("upload", [object], { at: "media/elsewhere", token: "LIMITED_TOKEN" })).toEqual([403]);
  expect(await codes("upload", [{ ...object, size: 1001 }], { at: "media", token: "LIMITED_TOKEN" })).toEqual(
    [413],
  );
  // A picture is what this caller may upload, and git-lfs does not say what its files are.
  expect(await codes("upload", [object], { at: "media", token: "LIMITED_TOKEN" })).toEqual([415]);
});

test("without a folder it is lfs/ below the only prefix that the caller has", async () => {
  const { object } = file();
  const { answer } = await batch("upload", [object], { at: "media" });
  expect(answer.objects[0]?.actions?.upload?.href).toContain(`/media/${keyOf(object, "lfs/")}?`);
  expect(answer.objects[0]?.actions?.verify?.href).toBe(`${api}/v1/lfs/media/objects/verify`);
});

test("whoever is nobody is asked for a password, and errors are git-lfs's own", async () => {
  const nobody = await post("media/objects/batch", { operation: "download", objects: [] }, "");
  expect(nobody.status).toBe(401);
  expect(nobody.headers.get("lfs-authenticate")).toBe('Basic realm="ssec-edge"');
  expect(nobody.headers.get("www-authenticate")).toMatch(/^Bearer /);
  expect(nobody.answer).toEqual({
    message: expect.stringContaining("token"),
    request_id: nobody.headers.get("x-request-id"),
  });
  expect((await batch("download", [], { token: "NO_SUCH" })).status).toBe(401);
  const bearer = `Bearer ${secrets.ALL_TOKEN}`;
  expect((await post("media/objects/batch", { operation: "download", objects: [] }, bearer)).status).toBe(
    200,
  );
  // Nowhere else: a browser would send a password that it knows along for a page of anybody's.
  const elsewhere = await fetch(`${api}/v1/me`, { headers: { authorization: basic(secrets.ALL_TOKEN) } });
  expect(elsewhere.status).toBe(401);
});

test("what is no batch is refused, and locks there are none", async () => {
  const { object } = file();
  const status = async (body: object) => (await post("media/objects/batch", body)).status;
  expect(await status({ operation: "remove", objects: [] })).toBe(400);
  expect(await status({ operation: "download", objects: [{ oid: "../../etc", size: 1 }] })).toBe(400);
  expect(await status({ operation: "download", transfers: ["tus"], objects: [object] })).toBe(400);
  expect(await status({ operation: "download", hash_algo: "sha512", objects: [object] })).toBe(400);
  expect((await post("media/..%2f/objects/batch", { operation: "download", objects: [object] })).status).toBe(
    400,
  );
  expect((await post("media/locks/verify", {})).status).toBe(404);
});
