/** curl --aws-sigv4 on an SSE-C bucket, through the gateway: path style and at a bucket's own host. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { freshKey } from "../support/client.ts";
import { expectSame, writeFiles } from "../support/files.ts";
import { accessKeyId, over, secretAccessKey, testGateway } from "../support/gateway.ts";
import { CURL, isSkipped } from "../support/tools.ts";

const gateway = testGateway();

describe.skipIf(isSkipped(CURL))(`curl through the gateway, over ${over}`, () => {
  /** The token by a file: arguments are for everybody to read. */
  const curl = (...args: string[]) =>
    gateway.run(CURL, ["-sS", "--fail-with-body", "--config", "curlrc", ...args]);
  const config = [
    `user = "${accessKeyId}:${secretAccessKey}"`,
    'aws-sigv4 = "aws:amz:us-east-1:s3"',
    'header = "x-amz-content-sha256: UNSIGNED-PAYLOAD"',
  ].join("\n");

  test("an object goes up, comes back, and is removed", async () => {
    const body = randomBytes(3_000_000);
    const root = freshKey("curl");
    writeFiles(gateway.home, { curlrc: config, "up.bin": body });
    const addresses = {
      path: `${gateway.endpoint}/media/${root}/path.bin`,
      host: `http://${gateway.host}/media/${root}/host.bin`,
      bucket: `http://media.${gateway.host}/${root}/bucket.bin`,
    };
    for (const [name, url] of Object.entries(addresses)) {
      await curl("-T", "up.bin", url);
      await curl("-o", `${name}.back`, url);
      expect(readFileSync(join(gateway.home, `${name}.back`)).equals(body), name).toBe(true);
      expect(await curl("--head", url)).not.toMatch(/server-side-encryption/i);
    }
    expectSame(await gateway.provenFiles("media", `${root}/`), {
      "path.bin": body,
      "host.bin": body,
      "bucket.bin": body,
    });
    for (const url of Object.values(addresses)) await curl("-X", "DELETE", url);
    expect(await gateway.provenFiles("media", `${root}/`)).toEqual({});
  });
});
