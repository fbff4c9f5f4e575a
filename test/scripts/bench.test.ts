/** The benchmark runs whole, and verifies what it signs; its figures are not of interest here. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { verifying } from "../../scripts/bench/verifying.ts";

test("npm run bench -- --verifying: everybody takes what AWS's signer has signed", async () => {
  const costs = await verifying({ rounds: 1, requests: 20 });
  expect(Object.keys(costs)).toEqual(["ssec-edge", "aws4", "@smithy/signature-v4"]);
});

test("npm run bench -- --starting --quick", { tags: ["thorough"] }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    "scripts/bench.ts",
    "--quick",
    "--starting",
  ]);
  expect(stdout).toMatch(/^\| ssec-edge \| [\d.]+ \| [\d.]+× \|$/m);
  expect(stdout).toMatch(/^\| minimal aws4fetch route \| [\d.]+ \| 1.00× \|$/m);
});

test("npm run bench -- --gateway --quick", { tags: ["thorough"] }, async () => {
  const args = ["scripts/bench.ts", "--quick", "--gateway"];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(stdout).toMatch(/^\| GET \|( \d+ \|){3}( [\d.]+× \|){2}$/m);
  expect(stdout).toMatch(/^\| PUT \|( \d+ \|){3}( [\d.]+× \|){2}$/m);
  expect(stdout).toMatch(/^\| the gateway \| [\d.]+/m);
});

test("npm run bench -- --quick", { tags: ["thorough"] }, async () => {
  const dir = mkdtempSync(join(tmpdir(), "ssec-bench-test-"));
  try {
    const [json, plot] = [join(dir, "bench.json"), join(dir, "bench.svg")];
    const args = ["scripts/bench.ts", "--quick", "--json", json, "--plot", plot];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const results = JSON.parse(readFileSync(json, "utf8"));
    for (const costs of Object.values<object>(results.signing)) {
      expect(Object.keys(costs)).toEqual([
        ...["ssec-edge", "aws4fetch", "aws4", "s3mini", "S3RequestPresigner", "getSignedUrl"],
      ]);
    }
    expect(Object.keys(results.serving)).toEqual([
      ...["ssec-edge", "empty Hono route", "minimal aws4fetch route"],
    ]);
    expect(stdout).toContain("| getSignedUrl |");
    expect(stdout).toMatch(/^\| the gateway \| [\d.]+/m);
    expect(stdout).toMatch(/^\| CPU a URL in a batch of 1000 \| at most 10 µs \| \S+ µs\S* \|$/m);
    expect(JSON.stringify(results)).not.toContain("null");
    expect(readFileSync(plot, "utf8")).toMatch(/^<svg .*<\/svg>\n$/s);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
