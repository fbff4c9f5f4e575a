/** rclone on an SSE-C bucket, through the gateway: a remote of type s3 without a word of SSE-C. */
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { freshKey } from "../support/client.ts";
import { expectSame, filesIn, someFiles, writeFiles } from "../support/files.ts";
import { accessKeyId, over, secretAccessKey, testGateway } from "../support/gateway.ts";
import { isSkipped, RCLONE } from "../support/tools.ts";

const gateway = testGateway();
const { home } = gateway;
const files = someFiles();

describe.skipIf(isSkipped(RCLONE))(`rclone through the gateway, over ${over}`, { timeout: 120_000 }, () => {
  const rclone = (...args: string[]) =>
    gateway.run(RCLONE, ["--config", "/dev/null", "--retries", "1", ...args], {
      RCLONE_CONFIG_EDGE_TYPE: "s3",
      RCLONE_CONFIG_EDGE_PROVIDER: "Other",
      RCLONE_CONFIG_EDGE_ENDPOINT: gateway.endpoint,
      RCLONE_CONFIG_EDGE_ACCESS_KEY_ID: accessKeyId,
      RCLONE_CONFIG_EDGE_SECRET_ACCESS_KEY: secretAccessKey,
      RCLONE_CONFIG_EDGE_UPLOAD_CUTOFF: "5Mi",
      RCLONE_CONFIG_EDGE_CHUNK_SIZE: "5Mi",
    });
  beforeAll(() => writeFiles(join(home, "local"), files));

  test("copy in parts, check, sync, move, cat, delete", async () => {
    const root = freshKey("rclone");
    const remote = `EDGE:media/${root}`;
    await rclone("copy", "local", `${remote}/in`);
    expectSame(await gateway.provenFiles("media", `${root}/in/`), files);
    await rclone("check", "local", `${remote}/in`);
    await rclone("check", "--download", "local", `${remote}/in`);
    await rclone("copy", `${remote}/in`, `EDGE:derived/${root}`);
    await rclone("copy", `EDGE:derived/${root}`, "back");
    expectSame(filesIn(join(home, "back")), files);
    writeFiles(home, { "changed/one.txt": "changed\n" });
    await rclone("sync", "changed", `${remote}/in`);
    expect(await rclone("lsf", "-R", `${remote}/in`)).toBe("one.txt\n");
    await rclone("moveto", `${remote}/in/one.txt`, `${remote}/moved`);
    expect(await rclone("cat", `${remote}/moved`)).toBe("changed\n");
    expect(await rclone("cat", "--offset", "2", "--count", "3", `${remote}/moved`)).toBe("ang");
    expectSame(await gateway.provenFiles("media", `${root}/`), { moved: Buffer.from("changed\n") });
    await rclone("delete", remote);
    expect(await gateway.provenFiles("media", `${root}/`)).toEqual({});
  });
});
