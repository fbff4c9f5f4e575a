/** `ssec put` and `get` beside `aws s3 cp` with the same customer key, to the same store. */
import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withBucket } from "../bucket.ts";
import { built, installed, run } from "./programs.ts";
import { alternate, median } from "./slices.ts";
import { type Access, type BenchStore, startCeph, startDevStore } from "./stores.ts";
import { Workerd } from "./workerd.ts";

/** Debian's; another, where it is not there. */
const AWS = ["/usr/bin/aws", "aws"];
const FILE_SIZE = 20_000;
const BUCKET = "moving";

export interface Moving {
  readonly store: string;
  /** Seconds by what was moved and who moved it; `aws` is left out where it is not installed. */
  readonly seconds: Readonly<Record<string, { readonly ssec: number; readonly aws?: number }>>;
}

/** Medians of so many rounds, in turn. @param mebibytes of the large file */
export async function moving(
  ours: string,
  { rounds, mebibytes, files }: { rounds: number; mebibytes: number; files: number },
): Promise<Moving> {
  const dir = mkdtempSync(join(tmpdir(), "ssec-bench-moving-"));
  const credentials = {
    accessKeyId: randomBytes(10).toString("hex"),
    secretAccessKey: randomBytes(20).toString("hex"),
  };
  const store = await startAStore(join(dir, "store"), credentials);
  let worker: Workerd | undefined;
  try {
    const region = "us-east-1";
    (await withBucket({ endpoint: store.url, region, credentials }, BUCKET)).destroy();
    const key = randomBytes(32);
    const token = randomBytes(24).toString("base64url");
    const { accessKeyId, secretAccessKey } = credentials;
    worker = await Workerd.start(ours, {
      STORES: {
        s: { endpoint: store.url, region, addressing: "path", accessKeyId: "ID", secretAccessKey: "SECRET" },
      },
      KEYS: { k1: { secret: "SSEC_KEY" } },
      BUCKETS: { [BUCKET]: { store: "s", keys: ["k1"] } },
      CALLERS: { me: { token: "TOKEN", grants: [{ bucket: BUCKET, prefix: "", allow: ["read", "write"] }] } },
      ID: accessKeyId,
      SECRET: secretAccessKey,
      SSEC_KEY: key.toString("base64"),
      TOKEN: token,
    });
    writeFileSync(join(dir, "key"), key, { mode: 0o600 });
    writeFileSync(join(dir, "config"), `[default]\nregion = ${region}\ns3 =\n  addressing_style = path\n`);
    const secrets = `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
    writeFileSync(join(dir, "credentials"), secrets, { mode: 0o600 });
    makeFiles(dir, mebibytes, files);

    const program = await built("src/cli/ssec.ts", "ssec");
    const ssec = (...args: string[]) =>
      timed(process.execPath, [program, "--url", worker?.url ?? "", ...args], dir, {
        SSEC_TOKEN: token,
        XDG_STATE_HOME: join(dir, "state"),
      });
    const sse = ["--sse-c", "AES256", "--sse-c-key", "fileb://key", "--endpoint-url", store.url];
    const awsCli = installed(AWS);
    const aws = (...args: string[]) =>
      timed(awsCli ?? "", ["s3", "cp", "--only-show-errors", ...args, ...sse], dir, {
        AWS_CONFIG_FILE: join(dir, "config"),
        AWS_SHARED_CREDENTIALS_FILE: join(dir, "credentials"),
        AWS_EC2_METADATA_DISABLED: "true",
      });
    const remote = (name: string) => `s3://${BUCKET}/aws/${name}`;
    const few = `${files} files of ${FILE_SIZE / 1000} KB`;
    const runs: [string, () => Promise<number>, () => Promise<number>][] = [
      [`put ${mebibytes} MiB`, () => ssec("put", "big", `${BUCKET}/big`), () => aws("big", remote("big"))],
      [
        `get ${mebibytes} MiB`,
        () => ssec("get", "--force", `${BUCKET}/big`, "x"),
        () => aws(remote("big"), "y"),
      ],
      [
        `put ${few}`,
        () => ssec("put", "-r", "many", `${BUCKET}/many`),
        () => aws("--recursive", "many", remote("many")),
      ],
      [
        `get ${few}`,
        () => ssec("get", "-r", "--force", `${BUCKET}/many`, "xs"),
        () => aws("--recursive", remote("many"), "ys"),
      ],
    ];
    const seconds: Record<string, { ssec: number; aws?: number }> = {};
    for (const [name, byUs, byAws] of runs) {
      const contenders = new Map([["ssec", byUs], ...(awsCli ? ([["aws", byAws]] as const) : [])]);
      const slices = await alternate(rounds, contenders);
      const [us, them] = [slices.get("ssec"), slices.get("aws")];
      seconds[name] = { ssec: median(us ?? []), ...(them && { aws: median(them) }) };
    }
    return { store: store.name, seconds };
  } finally {
    await worker?.close();
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Ceph where it is installed, else the development store, whose own work then counts for most. */
function startAStore(data: string, credentials: Access): Promise<BenchStore> {
  if (installed(["radosgw"]) !== undefined) return startCeph(data, credentials);
  console.error("Ceph is not installed: ssec and aws are measured against the development store");
  return startDevStore(data, credentials);
}

function makeFiles(dir: string, mebibytes: number, files: number): void {
  writeFileSync(join(dir, "big"), randomBytes(mebibytes * 2 ** 20));
  mkdirSync(join(dir, "many"));
  for (let i = 0; i < files; i++) writeFileSync(join(dir, "many", String(i)), randomBytes(FILE_SIZE));
  // Both find the folder that they download into.
  for (const name of ["xs", "ys"]) cpSync(join(dir, "many"), join(dir, name, "many"), { recursive: true });
}

async function timed(...args: Parameters<typeof run>): Promise<number> {
  return (await run(...args)).seconds;
}
