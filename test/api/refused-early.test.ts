/** Who is refused before their body is read is told why, by clients that send all of it before they look. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { api, call, freshKey, put, secrets } from "../support/client.ts";
import { MiB, path } from "../support/edge.ts";
import { testSampled } from "../support/sampled.ts";
import { CURL, isSkipped, programOf } from "../support/tools.ts";

const body = randomBytes(9 * MiB);
const dir = mkdtempSync(join(tmpdir(), "ssec-early-"));
afterAll(() => rmSync(dir, { recursive: true }));

const REFUSED = [
  ["412", { "if-none-match": "*" }],
  ["400", { "x-amz-acl": "public-read" }],
] as const;

testSampled(REFUSED, 2, "fetch hears %s", async ([status, headers]) => {
  const key = freshKey();
  await put("media", key, "old");
  for (let i = 0; i < 3; i++) {
    const answer = await call(path("media", key), { method: "PUT", headers, body });
    expect([String(answer.status), await answer.text()]).toEqual([status, expect.stringContaining('"code"')]);
  }
});

test.skipIf(isSkipped(CURL)).for(REFUSED)("curl hears %s", async ([status, headers]) => {
  const key = freshKey();
  await put("media", key, "old");
  writeFileSync(join(dir, "body"), body);
  const authorization = join(dir, "authorization");
  writeFileSync(authorization, `authorization: Bearer ${secrets.ALL_TOKEN}`, { mode: 0o600 });
  const header = Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  const write = ["-s", "-o", join(dir, "answer"), "-w", "%{http_code}", "-T", join(dir, "body")];
  const args = [...write, "-H", `@${authorization}`, ...header, `${api}${path("media", key)}`];
  expect((await promisify(execFile)(programOf(CURL), args)).stdout).toBe(status);
});
