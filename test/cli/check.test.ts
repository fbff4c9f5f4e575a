/** `ssec check` on a machine that has none of the secrets: the deployed Worker is asked. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startCloudflare } from "../support/cloudflare.ts";
import { runHere } from "../support/ssec.ts";
import { type RunningWorker, startTestWorker } from "../support/worker.ts";

const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
const everything = ["read", "write", "delete", "admin"];
const vars = {
  STORES: {
    main: {
      endpoint: "https://s3.example.com",
      region: "r",
      accessKeyId: "ID",
      secretAccessKey: "SECRET",
    },
  },
  KEYS: {
    k1: { secret: "K1", writeUntil: day(-1) },
    k2: { secret: "K2", writeUntil: day(20) },
    root: { secret: "ROOT", derive: true },
  },
  BUCKETS: { media: { store: "main", keys: ["k2", "k1"] }, vault: { store: "main", keys: ["root"] } },
  CALLERS: {
    you: {
      token: "TOKEN",
      grants: ["media", "vault"].map((bucket) => ({ bucket, prefix: "", allow: everything })),
    },
    partner: { token: "PARTNER_TOKEN", grants: [{ bucket: "media", prefix: "", allow: ["read"] }] },
  },
};
const secrets = {
  ID: "AKIDEXAMPLE",
  SECRET: randomBytes(30).toString("base64"),
  K1: randomBytes(32).toString("base64"),
  K2: randomBytes(32).toString("base64"),
  ROOT: randomBytes(32).toString("base64"),
  TOKEN: randomBytes(24).toString("base64url"),
  PARTNER_TOKEN: randomBytes(24).toString("base64url"),
};

const dir = mkdtempSync(join(tmpdir(), "ssec-check-"));
const config = join(dir, "wrangler.json");
let worker: RunningWorker;

beforeAll(async () => {
  writeFileSync(config, JSON.stringify({ name: "x", vars }));
  worker = await startTestWorker({ env: { ...vars, ...secrets }, without: ["RATE_LIMIT"] });
});
afterAll(async () => {
  await worker.close();
  rmSync(dir, { recursive: true });
});

const check = (url: string, token: string, ...args: string[]) =>
  runHere(["--config", config, "--url", url, "check", ...args], { SSEC_TOKEN: token });

test("the deployed Worker says what is bound there", { timeout: 60_000 }, async () => {
  const { status, stdout } = await check(worker.url, secrets.TOKEN);
  expect(stdout).toContain(`✓ secret SECRET is bound in the Worker at ${worker.url}\n`);
  expect(stdout).toMatch(/✓ KEYS\.k2 at http:\S+ is a key with MD5 \S{24}, active/);
  expect(stdout).toMatch(/✓ KEYS\.root at http:\S+ is a key, a root, active/);
  expect(stdout).toMatch(/^! KEYS\.k2 stops writing in 20 days: put its successor before it/m);
  expect(stdout).toMatch(/^! KEYS\.k1 no longer writes: rotate what is still under it/m);
  expect(status).toBe(0);
  for (const secret of Object.values(secrets)) expect(stdout).not.toContain(secret);
});

test("what it cannot use is red", { tags: ["thorough"], timeout: 60_000 }, async () => {
  const broken = await startTestWorker({
    env: { ...vars, ...secrets, K2: `${secrets.K2}\n` },
    without: ["RATE_LIMIT"],
  });
  const { status, stdout } = await check(broken.url, secrets.TOKEN);
  expect(status).toBe(1);
  expect(stdout).toMatch(/^✗ KEYS\.k2 at http:\S+: secret K2 ends in a newline/m);
  expect(stdout).toMatch(/^· secret SECRET is not on this machine/m);
  await broken.close();
});

test("who may not ask is told so, and what is missing is red", { timeout: 60_000 }, async () => {
  for (const [url, token, reason] of [
    [worker.url, secrets.PARTNER_TOKEN, /^! the Worker cannot be asked: 403: .*--url and SSEC_TOKEN/m],
    ["http://127.0.0.1:9", secrets.TOKEN, /^! the Worker cannot be asked: .*does not answer/m],
    [
      worker.url,
      "",
      /^· where secrets are bound in the Worker alone, it can be asked by --url and SSEC_TOKEN/m,
    ],
  ] as const) {
    const { status, stdout } = await check(url, token);
    expect(status).toBe(1);
    expect(stdout).toMatch(reason);
    expect(stdout).toMatch(/^✗ secret SECRET is not bound: wrangler secret put SECRET/m);
    expect(stdout).toMatch(/^✗ KEYS\.k2: secret K2 is not bound/m);
  }
});

test("two callers with one token are red", async () => {
  const { status, stdout } = await runHere(["--config", config, "check"], {
    ...secrets,
    PARTNER_TOKEN: secrets.TOKEN,
  });
  expect(status).toBe(1);
  expect(stdout).toContain(
    "✗ CALLERS.you and CALLERS.partner have the same token, which lets in neither of them\n",
  );
});

describe("another Worker", () => {
  const write = (name: string, content: object) => {
    const path = join(dir, name);
    writeFileSync(path, JSON.stringify(content));
    return path;
  };
  const run = (path: string, args: string[], env: Record<string, string> = {}) =>
    runHere(["--config", path, "--url", worker.url, ...args], { SSEC_TOKEN: secrets.TOKEN, ...env });
  const [grant] = vars.CALLERS.you.grants;
  const other = (change: object) => ({ ...vars, ...change });

  test.for([
    ["in its store", { STORES: { main: { ...vars.STORES.main, endpoint: "https://s3.example.net" } } }],
    ["in its region", { STORES: { main: { ...vars.STORES.main, region: "elsewhere" } } }],
    ["in a bucket's name", { BUCKETS: { ...vars.BUCKETS, media: { ...vars.BUCKETS.media, name: "other" } } }],
    ["in its keys", { KEYS: { ...vars.KEYS, k2: { secret: "K2", writeUntil: day(21) } } }],
    ["in its callers", { CALLERS: { them: vars.CALLERS.you } }],
    [
      "in its grants",
      { CALLERS: { you: { token: "TOKEN", grants: [{ ...grant, allow: ["read", "admin"] }] } } },
    ],
  ] as const)("that differs %s proves nothing", { timeout: 120_000 }, async ([, change]) => {
    const path = write("env.json", { name: "x", env: { production: { vars: other(change) } } });
    const { status, stdout } = await run(path, ["--env", "production", "check"]);
    expect(stdout).toMatch(
      /^! the Worker at \S+ has another configuration than .*, production \(.+\): what it says of secrets does not count/m,
    );
    expect(stdout).toMatch(/^✗ secret SECRET is not on this machine, and not known to be bound/m);
    expect(stdout).not.toMatch(/^✓ (secret|KEYS)/m);
    expect(status).toBe(1);
  });

  test("of another environment that is alike is named by its route", { timeout: 120_000 }, async () => {
    const production = { vars, routes: [{ pattern: new URL(worker.url).host, custom_domain: true }] };
    const path = write("alike.json", { name: "x", vars, env: { production: { vars }, routed: production } });
    const doubted = await run(path, ["--env", "production", "check"]);
    expect(doubted.stdout).toMatch(
      /^! the Worker at \S+ may as well be the one outside of the environments/m,
    );
    expect(doubted.stdout).not.toMatch(/^✓ (secret|KEYS)/m);
    expect(doubted.status).toBe(1);
    const routed = await run(path, ["--env", "routed", "check"]);
    expect(routed.stdout).toMatch(/^✓ secret SECRET is bound in the Worker/m);
  });

  test(
    "does not matter where Cloudflare's own list is to be had",
    { tags: ["thorough"], timeout: 120_000 },
    async () => {
      const cloudflare = await startCloudflare();
      onTestFinished(() => cloudflare.close());
      const path = write("listed.json", { name: "x", vars, env: { production: { vars } } });
      const names = ["ID", "TOKEN", "PARTNER_TOKEN", "K1", "K2", "ROOT"];
      cloudflare.scripts.set("x-production", {
        secrets: new Map(names.map((name) => [name, ""])),
        upload: "",
      });
      const { status, stdout } = await run(path, ["--env", "production", "check"], cloudflare.env);
      expect(stdout).toMatch(/^✓ secret TOKEN is bound, by wrangler secret list$/m);
      expect(stdout).toMatch(/^✗ secret SECRET is not bound: wrangler secret put SECRET$/m);
      expect(stdout).toMatch(/^· KEYS\.k2: secret K2 is bound; whether it holds a key/m);
      expect(status).toBe(1);
    },
  );

  test("an environment that is not there is no other one", { timeout: 120_000 }, async () => {
    const { status, stderr, stdout } = await run(config, ["--env", "prodution", "check"]);
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toContain('has no environment "prodution"');
  });
});

test("AWS's presigner is the witness of what it signs", { timeout: 60_000 }, async () => {
  const checkWith = (env: Record<string, string>) =>
    runHere(["--config", config, "--url", worker.url, "check"], { SSEC_TOKEN: secrets.TOKEN, ...env });
  const { ID, SECRET } = secrets;
  const alike = await checkWith({ ID, SECRET });
  expect(alike.stdout).toMatch(/^✓ BUCKETS\.media: what .* is what AWS's presigner makes of it/m);
  expect(alike.stdout).toMatch(/^✓ BUCKETS\.vault: what .* is what AWS's presigner makes of it/m);

  const other = await checkWith({ ID, SECRET: randomBytes(30).toString("base64") });
  expect(other.status).toBe(1);
  expect(other.stdout).toMatch(/^✗ BUCKETS\.media: .* \(PutObject: X-Amz-Signature\): has it/m);

  const reader = await checkWith({ ID, SECRET, SSEC_TOKEN: secrets.PARTNER_TOKEN });
  expect(reader.stdout).toMatch(/^· BUCKETS\.media: .* was not compared: 403/m);
});
