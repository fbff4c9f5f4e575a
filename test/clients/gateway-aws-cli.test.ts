/** aws cli on an SSE-C bucket, through the gateway: it knows a name, a token and an address. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { freshKey } from "../support/client.ts";
import { expectSame, filesIn, someFiles, writeFiles } from "../support/files.ts";
import { accessKeyId, over, secretAccessKey, testGateway } from "../support/gateway.ts";
import { AWS_CLI, isSkipped } from "../support/tools.ts";

const gateway = testGateway();
const { home } = gateway;
// Without an empty file: see docs/clients.md.
const { "empty.txt": _, ...files } = someFiles();
const root = freshKey("aws");

const env = {
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_DEFAULT_REGION: "us-east-1",
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_CONFIG_FILE: "none",
};
const aws = (...args: string[]) => gateway.run(AWS_CLI, ["--endpoint-url", gateway.endpoint, ...args], env);

describe.skipIf(isSkipped(AWS_CLI))(`aws cli through the gateway, over ${over}`, { timeout: 180_000 }, () => {
  beforeAll(() => writeFiles(join(home, "local"), files));

  test("sync up and down, again, and with --delete", async () => {
    await aws("s3", "sync", "local", `s3://media/${root}/in`);
    expectSame(await gateway.provenFiles("media", `${root}/in/`), files);
    await aws("s3", "sync", `s3://media/${root}/in`, "out");
    expectSame(filesIn(join(home, "out")), files);
    // What is there already does not go again, either way.
    expect(await aws("s3", "sync", "local", `s3://media/${root}/in`)).toBe("");
    writeFiles(home, { "fewer/one.txt": "one\n" });
    await aws("s3", "sync", "fewer", `s3://media/${root}/in`, "--delete");
    expect(Object.keys(await gateway.provenFiles("media", `${root}/in/`))).toEqual(["one.txt"]);
  });

  test("cp, ls, mv, rm --recursive, between buckets of shared and derived keys", async () => {
    await aws("s3", "cp", "local/large.bin", `s3://media/${root}/cp/large.bin`);
    await aws("s3", "cp", `s3://media/${root}/cp/large.bin`, `s3://derived/${root}/cp/copied.bin`);
    await aws("s3", "mv", `s3://derived/${root}/cp/copied.bin`, `s3://media/${root}/cp/moved.bin`);
    await aws("s3", "cp", "local/one.txt", `s3://derived/${root}/cp/one.txt`);
    expect(await aws("s3", "ls", "--recursive", `s3://media/${root}/cp/`)).toMatch(
      /large\.bin\n.*moved\.bin\n$/,
    );
    const body = files["large.bin"] as Buffer;
    expectSame(await gateway.provenFiles("media", `${root}/cp/`), { "large.bin": body, "moved.bin": body });
    expectSame(await gateway.provenFiles("derived", `${root}/cp/`), { "one.txt": Buffer.from("one\n") });
    expect(await aws("s3", "cp", `s3://derived/${root}/cp/one.txt`, "-")).toBe("one\n");
    await aws("s3", "rm", "--recursive", `s3://media/${root}/cp`);
    expect(await gateway.provenFiles("media", `${root}/cp/`)).toEqual({});
  });

  test("100 MB in parts, and a range of it", async () => {
    const body = randomBytes(100_000_000);
    writeFiles(home, { "100.bin": body });
    await aws("s3", "cp", "100.bin", `s3://media/${root}/100.bin`);
    await aws("s3", "cp", `s3://media/${root}/100.bin`, "100.back");
    expect(readFileSync(join(home, "100.back")).equals(body)).toBe(true);
    const object = ["--bucket", "media", "--key", `${root}/100.bin`];
    const range = ["--range", "bytes=50000000-50000099"];
    const got = JSON.parse(await aws("s3api", "get-object", ...object, ...range, "range.bin"));
    expect(got).toMatchObject({ ContentLength: 100, ContentRange: "bytes 50000000-50000099/100000000" });
    expect(readFileSync(join(home, "range.bin")).equals(body.subarray(50_000_000, 50_000_100))).toBe(true);
    expect(Object.keys(got).filter((name) => name.startsWith("SSECustomer"))).toEqual([]);
    expect(await gateway.provenFiles("media", `${root}/100.bin`)).toHaveProperty([""]);
  });

  test("presign: a URL for anybody, without a header, and with a range", async () => {
    await aws("s3", "cp", "local/one.txt", `s3://media/${root}/one.txt`);
    const url = (await aws("s3", "presign", `s3://media/${root}/one.txt`)).trim();
    const whole = await fetch(url);
    expect([whole.status, await whole.text()]).toEqual([200, "one\n"]);
    const part = await fetch(url, { headers: { range: "bytes=1-2" } });
    expect([part.status, await part.text()]).toEqual([206, "ne"]);
    expect((await fetch(url.replace("one.txt", "100.bin"))).status).toBe(403);
  });

  test("s3api: metadata, tags, attributes, uploads and parts", async () => {
    const key = `${root}/api`;
    const api = async (operation: string, ...args: string[]) => {
      const said = await aws("s3api", operation, "--bucket", "media", ...args);
      return said === "" ? {} : JSON.parse(said);
    };
    const meta = ["--metadata", "a=b", "--content-type", "text/x", "--tagging", "c=d"];
    await api("put-object", "--key", key, "--body", "local/one.txt", ...meta);
    const head = await api("head-object", "--key", key);
    expect(head).toMatchObject({ ContentLength: 4, ContentType: "text/x", Metadata: { a: "b" } });
    expect((await api("get-object-tagging", "--key", key)).TagSet).toEqual([{ Key: "c", Value: "d" }]);
    const { UploadId } = await api("create-multipart-upload", "--key", `${key}-m`);
    const upload = ["--key", `${key}-m`, "--upload-id", UploadId];
    await api("upload-part", ...upload, "--part-number", "1", "--body", "local/one.txt");
    expect((await api("list-parts", ...upload)).Parts).toMatchObject([{ PartNumber: 1, Size: 4 }]);
    const { Uploads } = await api("list-multipart-uploads", "--prefix", `${key}-m`);
    expect(Uploads).toMatchObject([{ Key: `${key}-m` }]);
    // By the id that a list tells, as whoever has lost the other must.
    await api("abort-multipart-upload", "--key", `${key}-m`, "--upload-id", Uploads[0].UploadId);
    expect((await api("list-multipart-uploads", "--prefix", `${key}-m`)).Uploads).toBeUndefined();
    expect(
      (await aws("s3api", "list-buckets", "--query", "Buckets[].Name", "--output", "text")).split(/\s+/),
    ).toEqual(expect.arrayContaining(["media", "derived"]));
    await expect(aws("s3", "ls", "s3://no-such-bucket")).rejects.toThrow(/AccessDenied|NoSuchBucket/);
    await expect(aws("s3", "mb", "s3://new-bucket")).rejects.toThrow(/NotImplemented|AccessDenied/);
  });
});
