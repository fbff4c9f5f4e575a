/**
 * The aws command line and we mean the same by a key, an object and a signature.
 *
 * @module-tag thorough
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freshKey, get, put, secrets, store } from "../support/client.ts";
import { runProgram } from "../support/run.ts";
import { AWS_CLI, isSkipped, programOf } from "../support/tools.ts";

const dir = mkdtempSync(join(tmpdir(), "ssec-aws-"));
afterAll(() => rmSync(dir, { recursive: true }));

beforeAll(() => {
  // A profile of its own, so that these credentials and others never mix.
  const config = `[profile ssec]\nregion = us-east-1\ns3 =\n  addressing_style = path\n`;
  const credentials = `[ssec]\naws_access_key_id = ${store.accessKeyId}\naws_secret_access_key = ${store.secretAccessKey}\n`;
  writeFileSync(join(dir, "config"), config);
  writeFileSync(join(dir, "credentials"), credentials, { mode: 0o600 });
  writeFileSync(join(dir, "key"), Buffer.from(secrets.KEY_2 ?? "", "base64"), { mode: 0o600 });
});

function aws(...args: string[]): Promise<string> {
  const sse = ["--sse-c", "AES256", "--sse-c-key", `fileb://${join(dir, "key")}`];
  const where = ["--profile", "ssec", "--endpoint-url", store.url];
  return runProgram(programOf(AWS_CLI), ["s3", "cp", ...args, ...sse, ...where, "--no-progress"], {
    env: {
      ...process.env,
      AWS_CONFIG_FILE: join(dir, "config"),
      AWS_SHARED_CREDENTIALS_FILE: join(dir, "credentials"),
      AWS_EC2_METADATA_DISABLED: "true",
    },
  });
}

test.skipIf(isSkipped(AWS_CLI)).for([
  ["one PUT", 1000],
  ["parts", 20 * 2 ** 20],
] as const)(
  "%s: what aws uploads we download, and the other way round",
  { timeout: 60_000 },
  async ([, size]) => {
    const body = randomBytes(size);
    const [ours, theirs] = [freshKey("ours ü.bin"), freshKey("theirs +.bin")];
    const file = join(dir, "file");
    writeFileSync(file, body);
    await aws(file, `s3://media/${theirs}`);
    expect((await get("media", theirs)).body.equals(body)).toBe(true);

    await put("media", ours, body);
    await aws(`s3://media/${ours}`, join(dir, "copy"));
    expect(readFileSync(join(dir, "copy")).equals(body)).toBe(true);
  },
);
