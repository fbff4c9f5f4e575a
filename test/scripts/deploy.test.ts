/** `npm run deploy` with the real wrangler, against a stand-in of Cloudflare's API on loopback. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve as resolvePath } from "node:path";
import { parseEnv } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Local, startLocal } from "../../scripts/local.ts";
import { type Cloudflare, startCloudflare } from "../support/cloudflare.ts";
import { run } from "../support/run.ts";

const NAMES = ["CW_ACCESS_KEY_ID", "CW_SECRET_ACCESS_KEY", "SSEC_K1", "ACME_TOKEN"];
const bound = () => ({ secrets: new Map(NAMES.map((name) => [name, "bound"])), upload: "" });

const dir = mkdtempSync(join(tmpdir(), "ssec-deploy-test-"));
afterAll(() => rmSync(dir, { recursive: true }));

test("a configuration that is wrong or cannot work is told whole, and not deployed", async () => {
  const config = join(dir, "wrangler.toml");
  writeFileSync(config, 'name = "x"\n[vars.BUCKETS.media]\nstore = "none"\nkeys = ["k1"]\n');
  const { status, stderr } = await run(["scripts/deploy.ts", "--dry-run", "--config", config]);
  expect(status).toBe(1);
  expect(stderr).toContain('BUCKETS.media.store: no store "none" in STORES');
  expect(stderr).toContain("KEYS: is missing");

  // What is valid and cannot work is not deployed, either.
  const expired = readFileSync("wrangler.toml", "utf8").replace(
    'secret = "SSEC_K1"',
    'secret = "SSEC_K1"\nwriteUntil = "2026-01-01"',
  );
  writeFileSync(config, expired);
  const unsound = await run(["scripts/deploy.ts", "--dry-run", "--config", config]);
  expect(unsound.stdout).toContain("✗ BUCKETS.media: none of its keys may write now");
  expect(unsound.status).toBe(1);
  expect((await run(["scripts/deploy.ts", "--dry", "run"])).status).toBe(2);
});

describe("with wrangler", { tags: ["thorough"] }, () => {
  let cloudflare: Cloudflare;
  /** What the smoke test finds where the deployed Worker would answer. */
  let local: Local;
  beforeAll(async () => {
    cloudflare = await startCloudflare();
    local = await startLocal({ dir: join(dir, "local") });
  });
  afterAll(async () => {
    await local.close();
    await cloudflare.close();
  });

  const node = (args: string[], env: Record<string, string> = {}) => run(args, { ...cloudflare.env, ...env });
  const deploy = (args: string[], token = "") => node(["scripts/deploy.ts", ...args], { SSEC_TOKEN: token });

  test.each(["", "production"])("--dry-run bundles what wrangler.toml says of %j", async (env) => {
    const { status, stdout, stderr } = await deploy(["--dry-run", ...(env ? ["--env", env] : [])]);
    expect(stdout).toContain("the configuration is valid");
    for (const binding of ["QUEUE", "DB", "METRICS", "RATE_LIMIT", "STORES", "KEYS", "BUCKETS", "CALLERS"])
      expect(stderr).toContain(`env.${binding} (`);
    expect(stderr).not.toContain("WARNING");
    expect(status).toBe(0);
    expect(cloudflare.calls).toEqual([]);
  });

  test("without its secrets nothing is deployed, and nothing made", async () => {
    const { status, stderr } = await deploy(["--env", "production"]);
    expect(status).toBe(1);
    for (const name of NAMES) expect(stderr).toContain(`npx wrangler secret put ${name} --env production`);
    expect(stderr).toContain("npm run -s ssec -- --env production keygen ID --bind");
    expect(cloudflare.calls.filter((call) => !call.startsWith("GET "))).toEqual([]);
  });

  test("an empty account ends with everything made, migrated, deployed and tried", async () => {
    cloudflare.scripts.set("ssec-edge-production", bound());
    const args = ["--env", "production", "--url", local.url];
    const { status, stdout } = await deploy(args, local.token);
    expect(stdout.split("\n").filter((line) => line.startsWith("✓"))).toEqual([
      "✓ wrangler.toml, production: the configuration is valid",
      "✓ every secret that it names is bound",
      "✓ d1 ssec-edge-production is made",
      "✓ queues ssec-edge-production-audit is made",
      "✓ queues ssec-edge-production-rotation is made",
      "✓ queues ssec-edge-production-audit-dead is made",
      "✓ queues ssec-edge-production-rotation-dead is made",
      "✓ DB: migrations are applied",
      "✓ deployed",
      `✓ ${local.url}/healthz: the configuration and every secret can be used`,
      "✓ the token is that of you",
      "✓ an upload to media is presigned",
    ]);
    expect(status).toBe(0);
    const tables = cloudflare.databases
      .get("ssec-edge-production")
      ?.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
      .all();
    expect(tables).toContainEqual({ name: "events" });
    expect(cloudflare.scripts.get("ssec-edge-production")?.upload).toContain("not-encrypted");

    // What is there is left as it is.
    cloudflare.calls.length = 0;
    const again = await deploy(args);
    expect(again.stdout).toContain("✓ d1 ssec-edge-production is there");
    expect(again.stdout).toContain("· SSEC_TOKEN is not set");
    expect(again.status).toBe(0);
    expect(cloudflare.calls.filter((call) => /^POST .*\/(queues|d1\/database)$/.test(call))).toEqual([]);
  });

  test("init, wrangler secret bulk and deploy are all it takes", async () => {
    const config = join(dir, "project.toml");
    const devVars = join(dir, ".dev.vars");
    // Paths in it are relative to where it lies.
    const original = readFileSync("wrangler.toml", "utf8").replace('name = "ssec-edge"', 'name = "fresh"');
    writeFileSync(config, original.replaceAll(/"(src|dist)\//g, `"${resolvePath(".")}/$1/`));
    const flags = ["--config", config];
    const credentials = { CW_ACCESS_KEY_ID: "made", CW_SECRET_ACCESS_KEY: "here" };
    const coreweave = ["--store", "coreweave", "--bucket", "acme-media", "--yes"];
    const init = await node(["src/cli/ssec.ts", ...flags, "init", ...coreweave], credentials);
    expect(init.status).toBe(0);
    const wrangler = "node_modules/wrangler/bin/wrangler.js";
    const bulk = await node([wrangler, "secret", "bulk", devVars, ...flags, "--env", ""]);
    expect(bulk.status).toBe(0);
    expect([...(cloudflare.scripts.get("fresh")?.secrets ?? [])].sort()).toEqual(
      Object.entries(parseEnv(readFileSync(devVars, "utf8"))).sort(),
    );
    expect(await deploy([...flags, "--url", local.url])).toMatchObject({ status: 0 });
  });

  test("what is deployed and does not work is a failure, with the way back", async () => {
    cloudflare.scripts.set("ssec-edge", bound());
    const broken = createServer((_, response) => response.writeHead(503).end()).listen(0, "127.0.0.1");
    await new Promise((resolve) => broken.once("listening", resolve));
    const url = `http://127.0.0.1:${(broken.address() as AddressInfo).port}`;
    const { status, stdout, stderr } = await deploy(["--url", url]);
    expect(stdout).toContain("✓ deployed");
    expect(status).toBe(1);
    expect(stderr).toContain(`${url}/healthz says 503`);
    expect(stderr).toContain('npx wrangler rollback --env ""');
    await new Promise((resolve) => broken.close(resolve));
  });
});
