/** A sync that is killed in the middle and repeated, as tired operators do; meanwhile others look at the bucket. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  type MultipartUpload,
} from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, test } from "vitest";
import { freshKey } from "../support/client.ts";
import { expectSame, writeFiles } from "../support/files.ts";
import { accessKeyId, over, secretAccessKey, testGateway } from "../support/gateway.ts";
import { s3Client } from "../support/s3.ts";
import { AWS_CLI, isSkipped, programOf, RCLONE, type Tool } from "../support/tools.ts";

const gateway = testGateway();
const { home } = gateway;
const Bucket = "media";
const MiB = 2 ** 20;
const large = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`large-${i}.bin`, randomBytes(12 * MiB)]));
const files: Record<string, Buffer> = {
  ...Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`a/small-${i}.txt`, randomBytes(1000 + i)])),
  ...large(4),
};

beforeAll(() => {
  writeFiles(join(home, "local"), files);
  writeFiles(home, { "slow.ini": "[default]\ns3 =\n  max_bandwidth = 12MB/s\n" });
});

interface Seen {
  readonly sizes: Readonly<Record<string, number | undefined>>;
  readonly uploads: readonly MultipartUpload[];
}

const client = () => s3Client({ url: gateway.endpoint, accessKeyId, secretAccessKey });

/** What anybody sees of the bucket now. */
async function look(Prefix: string): Promise<Seen> {
  const s3 = client();
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix }));
  const sizes = Object.fromEntries(Contents.map(({ Key = "", Size }) => [Key.slice(Prefix.length), Size]));
  return { sizes, uploads: Uploads };
}

/** Nothing that is seen is ever half of a file. */
function expectWhole({ sizes }: Seen): void {
  for (const [name, size] of Object.entries(sizes)) expect([name, size]).toEqual([name, files[name]?.length]);
}

/** Kills it once some objects are there, others are not, and one is under way in parts. */
async function killInTheMiddle(child: ChildProcess, prefix: string): Promise<void> {
  const ended = once(child, "exit");
  for (;;) {
    const seen = await look(prefix);
    expectWhole(seen);
    const there = Object.keys(seen.sizes).length;
    expect(child.exitCode, "it was over before it could be interrupted").toBe(null);
    expect(there).toBeLessThan(Object.keys(files).length);
    if (there > 0 && seen.uploads.length > 0) break;
    await setTimeout(20);
  }
  child.kill("SIGKILL");
  await ended;
  // What it had sent may still arrive.
  await setTimeout(500);
}

interface Sync {
  readonly name: string;
  readonly tool: Tool;
  readonly args: (to: string) => string[];
  readonly env: Record<string, string>;
  /** So little a second that a part is under way for a while. */
  readonly slow: Record<string, string>;
}

const SYNCS: readonly Sync[] = [
  {
    name: "aws s3 sync",
    tool: AWS_CLI,
    args: (to) => ["--endpoint-url", gateway.endpoint, "s3", "sync", "local", `s3://${Bucket}/${to}`],
    env: {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_DEFAULT_REGION: "us-east-1",
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_CONFIG_FILE: "none",
    },
    slow: { AWS_CONFIG_FILE: "slow.ini" },
  },
  {
    name: "rclone sync",
    tool: RCLONE,
    args: (to) => ["sync", "--s3-endpoint", gateway.endpoint, "local", `EDGE:${Bucket}/${to}`],
    env: {
      RCLONE_CONFIG: "/dev/null",
      RCLONE_CONFIG_EDGE_TYPE: "s3",
      RCLONE_CONFIG_EDGE_PROVIDER: "Other",
      RCLONE_CONFIG_EDGE_ACCESS_KEY_ID: accessKeyId,
      RCLONE_CONFIG_EDGE_SECRET_ACCESS_KEY: secretAccessKey,
      RCLONE_CONFIG_EDGE_UPLOAD_CUTOFF: "5Mi",
      RCLONE_CONFIG_EDGE_CHUNK_SIZE: "5Mi",
    },
    slow: { RCLONE_BWLIMIT: "12M" },
  },
];

describe(`through the gateway, over ${over}`, { timeout: 180_000 }, () => {
  test.for(SYNCS)("$name goes on where it was killed", async ({ tool, args, env, slow }, { skip }) => {
    skip(isSkipped(tool));
    const to = freshKey("in");
    const child = spawn(programOf(tool), args(to), {
      cwd: home,
      env: { PATH: "/usr/bin:/bin", HOME: home, ...env, ...slow },
      stdio: "ignore",
    });
    await killInTheMiddle(child, `${to}/`);
    const left = await look(`${to}/`);
    expectWhole(left);
    const before = await gateway.provenFiles(Bucket, `${to}/`);
    for (const [name, body] of Object.entries(before))
      expect(body.equals(files[name] as Buffer), name).toBe(true);

    await gateway.run(tool, args(to), env);
    expectSame(await gateway.provenFiles(Bucket, `${to}/`), files);
    // What is left of the first goes on costing space until somebody ends it, who must be told of it for that.
    expect(left.uploads.length).toBeGreaterThan(0);
    expect((await look(`${to}/`)).uploads).toEqual(left.uploads);
    for (const { Key, UploadId } of left.uploads) {
      const { Parts = [] } = await client().send(new ListPartsCommand({ Bucket, Key, UploadId }));
      for (const { Size } of Parts) expect(Size).toBeGreaterThan(0);
      await client().send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
    }
    expect((await look(`${to}/`)).uploads).toEqual([]);
    expectSame(await gateway.provenFiles(Bucket, `${to}/`), files);
  });
});
