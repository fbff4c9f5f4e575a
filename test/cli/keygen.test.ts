/** `ssec keygen`, as an operator runs it: into a pipe, at a terminal, and straight into Cloudflare. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cloudflare, startCloudflare } from "../support/cloudflare.ts";
import { runHere } from "../support/ssec.ts";
import { openTerminal } from "../support/terminal.ts";
import { isSkipped, SCRIPT } from "../support/tools.ts";

const KEY = /[A-Za-z0-9+/]{43}=/;
const md5Of = (key: string) => createHash("md5").update(Buffer.from(key, "base64")).digest("base64");

const logs = mkdtempSync(join(tmpdir(), "ssec-wrangler-logs-"));
let cloudflare: Cloudflare;
beforeAll(async () => {
  cloudflare = await startCloudflare();
});
afterAll(async () => {
  await cloudflare.close();
  rmSync(logs, { recursive: true });
});

const ssec = (...args: string[]) => runHere(args, { ...cloudflare.env, WRANGLER_LOG_PATH: logs });

test("what to do next is said exactly, for the environment that is meant", async () => {
  const { stderr } = await ssec("--env", "production", "keygen", "k.2");
  expect(stderr).toContain("npx wrangler secret put SSEC_K_2 --env production\n");
  expect(stderr).toContain('[env.production.vars.KEYS."k.2"]\n  secret = "SSEC_K_2"');
  expect(stderr).toContain("wrangler secrets-store secret create STORE_ID --name SSEC_K_2 --scopes workers");
  expect(stderr).toContain("openssl rand -base64 32 | tr -d '\\n' | npx wrangler secret put SSEC_K_2");
  expect(await ssec("keygen", "a b")).toMatchObject({ status: 2, stdout: "" });
});

test("the MD5 by hand is ours", async () => {
  const { stdout, stderr } = await ssec("keygen");
  const byHand = /^ {2}(base64 -d .*)$/m.exec(stderr)?.[1] ?? "";
  const md5 = spawnSync("bash", ["-c", byHand], { input: stdout, encoding: "utf8" }).stdout.trim();
  expect(md5).toBe(md5Of(stdout));
});

test("--json has the key and what belongs to it", async () => {
  const { stdout } = await ssec("keygen", "k3", "--json");
  const { key, ...rest } = JSON.parse(stdout);
  expect(rest).toEqual({ id: "k3", secret: "SSEC_K3", md5: md5Of(key) });
});

test.skipIf(isSkipped(SCRIPT))(
  "a terminal sees the key only when it asks",
  { timeout: 180_000 },
  async () => {
    const unasked = openTerminal(["src/cli/ssec.ts", "keygen", "k2"]);
    expect(await unasked.ended()).toBe(2);
    expect(unasked.screen).toContain("npm run -s ssec -- keygen k2 --bind");
    expect(unasked.screen).not.toMatch(KEY);
    const asked = openTerminal(["src/cli/ssec.ts", "keygen", "k2", "--show"]);
    expect(await asked.ended()).toBe(0);
    expect(asked.screen).toMatch(KEY);
  },
);

test("--bind gives the key to wrangler and to nobody else", { tags: ["thorough"] }, async () => {
  const bound = await ssec("keygen", "k2", "--bind", "--json");
  expect(bound.status).toBe(0);
  const key = cloudflare.scripts.get("ssec-edge")?.secrets.get("SSEC_K2") ?? "";
  expect(Buffer.from(key, "base64")).toHaveLength(32);
  expect(JSON.parse(bound.stdout)).toEqual({ id: "k2", secret: "SSEC_K2", md5: md5Of(key) });
  expect(bound.stderr).toContain("There is no copy of it");
  const logged = readdirSync(logs, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), "utf8"));
  // Wrangler's own log is off, so that nothing can come to stand in it.
  expect(logged).toEqual([]);
  for (const text of [bound.stdout, bound.stderr]) expect(text).not.toContain(key);

  // A key that is bound may be all that opens somebody's data.
  const again = await ssec("keygen", "k2", "--bind", "--show");
  expect(again).toMatchObject({ status: 1, stdout: "" });
  expect(again.stderr).toContain("SSEC_K2 is bound already");
  expect(cloudflare.scripts.get("ssec-edge")?.secrets.get("SSEC_K2")).toBe(key);
});

test("--bind --show hands the same key on, for an environment", { tags: ["thorough"] }, async () => {
  const { status, stdout } = await ssec("--env", "production", "keygen", "k2", "--bind", "--show");
  expect(status).toBe(0);
  expect(cloudflare.scripts.get("ssec-edge-production")?.secrets.get("SSEC_K2")).toBe(stdout);
});

test(
  "a wrangler that fails is a failure, and no key is handed out",
  { tags: ["thorough"], timeout: 180_000 },
  async () => {
    await cloudflare.close();
    const { status, stdout, stderr } = await ssec("keygen", "k4", "--bind", "--show");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("wrangler could not list the Worker's secrets");
    cloudflare = await startCloudflare();
  },
);
