/**
 * Derived keys outlive us: the documented recovery gets an object back with Python, curl and the root alone.
 *
 * @module-tag thorough
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { freshKey, presign, secrets, send, store } from "../support/client.ts";
import { codeBlocks } from "../support/documented.ts";
import { runProgram } from "../support/run.ts";
import { CURL, isSkipped, PYTHON, programOf } from "../support/tools.ts";

const dir = mkdtempSync(join(tmpdir(), "ssec-recovery-"));
afterAll(() => rmSync(dir, { recursive: true }));

test.skipIf(isSkipped(CURL) || isSkipped(PYTHON))(
  "an object comes back by what docs/keys.md says",
  async () => {
    for (const tool of [CURL, PYTHON]) programOf(tool);
    const key = freshKey("users/42/ü ☃+.jpg");
    const data = randomBytes(100_000);
    const uploaded = await send(await presign({ operation: "PutObject", bucket: "derived", key }), data);
    expect(uploaded.status).toBe(200);

    const [derive = "", recover = ""] = codeBlocks("docs/keys.md", "python");
    writeFileSync(join(dir, "derive.py"), derive);
    writeFileSync(join(dir, "recover.py"), recover);
    const recoverWith = (root: string) =>
      runProgram("bash", ["-ec", codeBlocks("docs/keys.md", "sh").join("")], {
        cwd: dir,
        env: {
          ...process.env,
          ROOT: root,
          ACCESS_KEY_ID: store.accessKeyId,
          SECRET_ACCESS_KEY: store.secretAccessKey,
          REGION: "us-east-1",
          BUCKET: "derived",
          BUCKET_URL: `${store.url}/derived`,
          KEY: key,
        },
      });
    await recoverWith(secrets.KEY_ROOT ?? "");
    expect(readFileSync(join(dir, "recovered")).equals(data)).toBe(true);
    await expect(recoverWith(secrets.KEY_1 ?? "")).rejects.toThrow(/returned error: 40[03]/);
  },
);
