/** Stock S3 clients, as Debian has them, work on the development store without a flag that is about it. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { credentials, testStore } from "../dev-store/started.ts";
import { expectSame, filesIn, someFiles, writeFiles } from "../support/files.ts";
import { AWS_CLI, isSkipped, PYTHON_BOTO3, programOf, RCLONE, S3CMD, type Tool } from "../support/tools.ts";

const dev = testStore();
const home = mkdtempSync(join(tmpdir(), "ssec-clients-"));
const files = someFiles();
const local = join(home, "local");

beforeAll(() => {
  writeFiles(local, files);
});
afterAll(() => rmSync(home, { recursive: true }));

/** Runs a program in an environment of its own, so that none of the machine's settings counts. */
async function run(tool: Tool, args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const { stdout } = await promisify(execFile)(programOf(tool), args, {
    cwd: home,
    maxBuffer: 2 ** 24,
    env: { PATH: "/usr/bin:/bin", HOME: home, LC_ALL: "C.UTF-8", ...env },
  });
  return stdout;
}

describe.skipIf(isSkipped(AWS_CLI))("aws", { timeout: 120_000 }, () => {
  const aws = (...args: string[]) =>
    run(AWS_CLI, ["--endpoint-url", dev.store.url, ...args], {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_DEFAULT_REGION: "us-east-1",
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_CONFIG_FILE: "none",
    });

  test("s3 mb, sync, ls, cp, mv, presign, rm --recursive, rb", async () => {
    await aws("s3", "mb", "s3://aws-cli");
    await aws("s3", "sync", local, "s3://aws-cli/in");
    const listed = await aws("s3", "ls", "--recursive", "s3://aws-cli");
    for (const name of Object.keys(files)) expect(listed).toContain(`in/${name}`);
    await aws("s3", "sync", "s3://aws-cli/in", "aws-out");
    expectSame(filesIn(join(home, "aws-out")), files);
    await aws("s3", "cp", "s3://aws-cli/in/large.bin", "s3://aws-cli/copied.bin");
    await aws("s3", "mv", "s3://aws-cli/copied.bin", "s3://aws-cli/moved.bin");
    await aws("s3", "cp", "s3://aws-cli/moved.bin", "moved.bin");
    expect(readFileSync(join(home, "moved.bin")).equals(files["large.bin"] as Buffer)).toBe(true);
    const url = (await aws("s3", "presign", "s3://aws-cli/in/one.txt")).trim();
    expect(await (await fetch(url)).text()).toBe("one\n");
    writeFiles(home, { "fewer/one.txt": "one\n" });
    await aws("s3", "sync", "fewer", "s3://aws-cli/in", "--delete");
    expect((await aws("s3", "ls", "--recursive", "s3://aws-cli/in")).trim().split("\n")).toHaveLength(1);
    await aws("s3", "rm", "--recursive", "s3://aws-cli");
    expect(await aws("s3", "ls", "s3://aws-cli")).toBe("");
    await aws("s3", "rb", "s3://aws-cli");
  });

  test("s3api: versions, tags, attributes, uploads and parts", async () => {
    const api = async (operation: string, ...args: string[]) => {
      const said = await aws("s3api", operation, "--bucket", "aws-api", ...args);
      return said === "" ? {} : JSON.parse(said);
    };
    await api("create-bucket");
    await api("put-bucket-versioning", "--versioning-configuration", "Status=Enabled");
    await api(
      "put-object",
      "--key",
      "k",
      "--body",
      "local/one.txt",
      "--tagging",
      "a=b",
      "--checksum-algorithm",
      "SHA256",
    );
    await api("delete-object", "--key", "k");
    const { Versions, DeleteMarkers } = await api("list-object-versions");
    expect([Versions.length, DeleteMarkers.length]).toEqual([1, 1]);
    const version = ["--key", "k", "--version-id", Versions[0].VersionId];
    expect((await api("get-object-tagging", ...version)).TagSet).toEqual([{ Key: "a", Value: "b" }]);
    const attributes = await api(
      "get-object-attributes",
      ...version,
      "--object-attributes",
      "ETag",
      "Checksum",
      "ObjectSize",
    );
    expect(attributes).toMatchObject({ ObjectSize: 4, Checksum: { ChecksumSHA256: expect.any(String) } });
    const { UploadId } = await api("create-multipart-upload", "--key", "m");
    await api(
      "upload-part",
      "--key",
      "m",
      "--upload-id",
      UploadId,
      "--part-number",
      "1",
      "--body",
      "local/one.txt",
    );
    expect((await api("list-parts", "--key", "m", "--upload-id", UploadId)).Parts).toHaveLength(1);
    expect((await api("list-multipart-uploads")).Uploads).toMatchObject([{ Key: "m", UploadId }]);
    await api("abort-multipart-upload", "--key", "m", "--upload-id", UploadId);
  });
});

const BOTO3 = `
import io, json, os, urllib.request
import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError
job = json.load(open("job.json"))
made = dict(endpoint_url=job["endpoint"], region_name="us-east-1", config=Config(s3={"addressing_style": "path"}, signature_version="s3v4"),
    aws_access_key_id=job["accessKeyId"], aws_secret_access_key=job["secretAccessKey"])
s3 = boto3.client("s3", **made)
bucket = boto3.resource("s3", **made).create_bucket(Bucket="boto3")
def refused(call, **more):
    try: call(**more)
    except ClientError as error: return error.response["ResponseMetadata"]["HTTPStatusCode"]
    raise AssertionError("was not refused")
odd = "odd \\u00fc+%41/\\u2028\\u0085 & <x>.txt"
s3.put_object(Bucket="boto3", Key=odd, Body=b"odd", Metadata={"a": "b"}, Tagging="c=d", ChecksumAlgorithm="SHA1")
assert [o["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket="boto3") for o in page["Contents"]] == [odd]
assert s3.get_object(Bucket="boto3", Key=odd, ChecksumMode="ENABLED")["Body"].read() == b"odd"
large = os.urandom(20 * 2**20)
sse = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": os.urandom(32)}
other = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": os.urandom(32)}
bucket.upload_fileobj(io.BytesIO(large), "large", ExtraArgs=sse, Config=TransferConfig(multipart_chunksize=6 * 2**20))
back = io.BytesIO()
bucket.download_fileobj("large", back, ExtraArgs=sse)
assert back.getvalue() == large
assert s3.head_object(Bucket="boto3", Key="large", PartNumber=1, **sse)["PartsCount"] == 4
assert refused(s3.head_object, Bucket="boto3", Key="large", **other) == 403
assert refused(s3.head_object, Bucket="boto3", Key="large") == 400
copy = {"CopySource" + name: value for name, value in sse.items()}
s3.copy_object(Bucket="boto3", Key="copy", CopySource={"Bucket": "boto3", "Key": "large"}, **copy, **other)
assert s3.get_object(Bucket="boto3", Key="copy", **other)["Body"].read() == large
url = s3.generate_presigned_url("get_object", Params={"Bucket": "boto3", "Key": odd, "ResponseContentType": "text/x"})
answer = urllib.request.urlopen(url)
assert (answer.read(), answer.headers["content-type"]) == (b"odd", "text/x")
bucket.Versioning().enable()
for body in (b"1", b"2"): bucket.put_object(Key="versions", Body=body)
assert len(list(bucket.object_versions.filter(Prefix="versions"))) == 2
bucket.objects.all().delete()
assert list(bucket.objects.all()) == []
bucket.object_versions.delete()
bucket.delete()
`;

test.skipIf(isSkipped(PYTHON_BOTO3))("boto3", { timeout: 120_000 }, async () => {
  const job = { endpoint: dev.store.url, ...credentials };
  writeFiles(home, { "job.json": JSON.stringify(job) });
  await run(PYTHON_BOTO3, ["-c", BOTO3]);
});

describe.skipIf(isSkipped(RCLONE))("rclone", { timeout: 120_000 }, () => {
  /** Amazon's provider addresses buckets by their hosts: the store is its proxy, so that no name is looked up. */
  const remote = (provider: string) => ({
    RCLONE_CONFIG_DEV_TYPE: "s3",
    RCLONE_CONFIG_DEV_PROVIDER: provider,
    RCLONE_CONFIG_DEV_REGION: "us-east-1",
    RCLONE_CONFIG_DEV_ACCESS_KEY_ID: credentials.accessKeyId,
    RCLONE_CONFIG_DEV_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    RCLONE_CONFIG_DEV_UPLOAD_CUTOFF: "5Mi",
    RCLONE_CONFIG_DEV_CHUNK_SIZE: "5Mi",
    ...(provider === "AWS"
      ? { RCLONE_CONFIG_DEV_ENDPOINT: "http://s3.localhost", HTTP_PROXY: dev.store.url }
      : { RCLONE_CONFIG_DEV_ENDPOINT: dev.store.url }),
  });

  test.for([
    "Other",
    "AWS",
  ])("provider %s: mkdir, copy, check, sync, move, cat, delete, rmdir", async (provider) => {
    const rclone = (...args: string[]) =>
      run(RCLONE, ["--config", "/dev/null", "--retries", "1", ...args], remote(provider));
    const root = `DEV:rclone-${provider.toLowerCase()}`;
    await rclone("mkdir", root);
    await rclone("copy", local, `${root}/in`);
    await rclone("check", local, `${root}/in`);
    await rclone("check", "--download", local, `${root}/in`);
    await rclone("copy", `${root}/in`, `${root}/again`);
    await rclone("copy", `${root}/again`, `rclone-${provider}`);
    expectSame(filesIn(join(home, `rclone-${provider}`)), files);
    writeFiles(home, { "changed/one.txt": "changed\n" });
    await rclone("sync", "changed", `${root}/again`);
    expect(await rclone("lsf", "-R", `${root}/again`)).toBe("one.txt\n");
    await rclone("moveto", `${root}/again/one.txt`, `${root}/moved`);
    expect(await rclone("cat", `${root}/moved`)).toBe("changed\n");
    await rclone("delete", root);
    await rclone("rmdir", root);
  });
});

describe.skipIf(isSkipped(S3CMD))("s3cmd", { timeout: 120_000 }, () => {
  test("mb, put in parts, ls, get, sync, cp, mv, modify, info, del, rb", async () => {
    const { accessKeyId, secretAccessKey } = credentials;
    writeFiles(home, { s3cfg: `[default]\naccess_key = ${accessKeyId}\nsecret_key = ${secretAccessKey}\n` });
    const host = new URL(dev.store.url).host;
    const flags = [
      "--config",
      "s3cfg",
      "--host",
      host,
      "--host-bucket",
      host,
      "--no-ssl",
      "--no-progress",
      "--multipart-chunk-size-mb",
      "5",
    ];
    const s3cmd = (...args: string[]) => run(S3CMD, [...flags, ...args]);
    await s3cmd("mb", "s3://s3cmd");
    await s3cmd("put", "local/large.bin", "s3://s3cmd/large.bin");
    await s3cmd("get", "s3://s3cmd/large.bin", "got.bin");
    expect(readFileSync(join(home, "got.bin")).equals(files["large.bin"] as Buffer)).toBe(true);
    await s3cmd("sync", "local/", "s3://s3cmd/sync/");
    expect((await s3cmd("ls", "-r", "s3://s3cmd/sync/")).trim().split("\n")).toHaveLength(4);
    await s3cmd("sync", "s3://s3cmd/sync/", "s3cmd-out/");
    expectSame(filesIn(join(home, "s3cmd-out")), files);
    await s3cmd("cp", "s3://s3cmd/sync/one.txt", "s3://s3cmd/two.txt");
    await s3cmd("mv", "s3://s3cmd/two.txt", "s3://s3cmd/three.txt");
    await s3cmd("modify", "--add-header", "x-amz-meta-a:b", "s3://s3cmd/three.txt");
    expect(await s3cmd("info", "s3://s3cmd/three.txt")).toMatch(/x-amz-meta-a:\s+b/);
    writeFiles(home, { "less/one.txt": "one\n" });
    await s3cmd("sync", "--delete-removed", "less/", "s3://s3cmd/sync/");
    expect((await s3cmd("ls", "-r", "s3://s3cmd/sync/")).trim().split("\n")).toHaveLength(1);
    await s3cmd("del", "--recursive", "--force", "s3://s3cmd");
    await s3cmd("rb", "s3://s3cmd");
  });
});
