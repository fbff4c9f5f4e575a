/** Budgets of the bundle, which decide how soon a new instance answers. */
import { expect, test } from "vitest";
import { bundleWorker, runtimeModules, startSize } from "../../scripts/bundle.ts";

/** KiB, minified and compressed. What grows past one needs a reason, or an `import()` where it is first used. */
const AT_START = 48;
const WHOLE = 150; // 16 of it is the engine of rotations, which only they load, and 18 the S3 gateway, which only its requests do

test("what is evaluated at start is small", async () => {
  const { gzip } = await startSize("src/index.ts");
  expect(gzip / 1024).toBeLessThan(AT_START);
});

test("no module of node: is evaluated at start, of which some load thirty others", async () => {
  expect(await runtimeModules("src/index.ts")).toEqual([]);
});

test(
  "the deployed bundle is within its budget, and what few requests need in it waits until it is used",
  { tags: ["thorough"], timeout: 120_000 },
  async () => {
    const { whole, packages, packagesAtStart } = await bundleWorker();
    expect(whole.gzip / 1024).toBeLessThan(WHOLE);
    expect([...packagesAtStart].sort()).toEqual(["hono", "uuid", "valibot"]);
    // Of what the operator's tools use nothing is in the Worker.
    expect([...packages].filter((name) => /aws-sdk|smithy|xmldom/.test(name))).toEqual([]);
    expect(packages).toContain("@rgrove/parse-xml");
  },
);
