/** s3cmd on an SSE-C bucket, through the gateway. It signs without the path of its endpoint, and needs a host of its own. */
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { freshKey } from "../support/client.ts";
import { expectSame, filesIn, someFiles, writeFiles } from "../support/files.ts";
import { accessKeyId, over, secretAccessKey, testGateway } from "../support/gateway.ts";
import { isSkipped, S3CMD } from "../support/tools.ts";

const gateway = testGateway();
const { home } = gateway;
const files = someFiles();

describe.skipIf(isSkipped(S3CMD))(`s3cmd through the gateway, over ${over}`, { timeout: 120_000 }, () => {
  const s3cmd = (...args: string[]) => {
    const { host } = gateway;
    const flags = ["--config", "s3cfg", "--host", host, "--host-bucket", host, "--no-ssl", "--no-progress"];
    return gateway.run(S3CMD, [...flags, "--multipart-chunk-size-mb", "5", ...args]);
  };
  beforeAll(() => {
    writeFiles(join(home, "local"), files);
    const config = `[default]\naccess_key = ${accessKeyId}\nsecret_key = ${secretAccessKey}\n`;
    writeFiles(home, { s3cfg: config, "less/one.txt": "one\n" });
  });

  test("put in parts, ls, get, sync, cp, mv, info, del", async () => {
    const root = freshKey("s3cmd");
    const at = `s3://media/${root}`;
    await s3cmd("sync", "local/", `${at}/sync/`);
    expectSame(await gateway.provenFiles("media", `${root}/sync/`), files);
    await s3cmd("sync", `${at}/sync/`, "out/");
    expectSame(filesIn(join(home, "out")), files);
    expect((await s3cmd("ls", "-r", `${at}/sync/`)).trim().split("\n")).toHaveLength(4);
    await s3cmd("cp", `${at}/sync/one.txt`, `s3://derived/${root}/two.txt`);
    await s3cmd("mv", `s3://derived/${root}/two.txt`, `${at}/three.txt`);
    expect(await s3cmd("info", `${at}/three.txt`)).toMatch(/File size: 4/);
    await s3cmd("sync", "--delete-removed", "less/", `${at}/sync/`);
    expectSame(await gateway.provenFiles("media", `${root}/`), {
      "sync/one.txt": Buffer.from("one\n"),
      "three.txt": Buffer.from("one\n"),
    });
    await s3cmd("del", "--recursive", "--force", at);
    expect(await gateway.provenFiles("media", `${root}/`)).toEqual({});
  });
});
