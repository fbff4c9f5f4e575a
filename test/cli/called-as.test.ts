/** Hints name the command by which `ssec` was called, so that they work when they are pasted. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { calledAs, deployedBy } from "../../src/cli/called-as.ts";
import { startSsec } from "../support/ssec.ts";

const dir = mkdtempSync(join(tmpdir(), "ssec-called-"));
afterAll(() => rmSync(dir, { recursive: true }));
const repository = join(dir, "edge");
const project = join(dir, "project");
for (const folder of [join(repository, "docs"), project]) mkdirSync(folder, { recursive: true });
for (const folder of [repository, project]) writeFileSync(join(folder, "package.json"), "{}");

const BY_NPX = { npm_command: "exec", npm_lifecycle_event: "npx" };

test.for([
  ["in the repository", true, repository, "/edge/src/cli/ssec.ts", {}, "npm run -s ssec --"],
  ["in a folder of it", true, join(repository, "docs"), "ssec.ts", {}, "npm run -s ssec --"],
  ["from another project", true, project, "ssec.ts", {}, `npm --prefix ${repository} run -s ssec --`],
  ["from no project", true, dir, "ssec.ts", {}, `npm --prefix ${repository} run -s ssec --`],
  ["by its link in a project", false, project, "/p/node_modules/.bin/ssec", {}, "npx ssec"],
  [
    "by npx",
    false,
    project,
    "/p/dist/ssec.js",
    { ...BY_NPX, npm_lifecycle_script: "'ssec' '--help'" },
    "npx ssec",
  ],
  [
    "by npm exec",
    false,
    project,
    "/p/dist/ssec.js",
    { ...BY_NPX, npm_lifecycle_script: "ssec check" },
    "npx ssec",
  ],
  [
    "by npx, which fetched it",
    false,
    project,
    "/r/.npm/_npx/1f/node_modules/.bin/ssec",
    BY_NPX,
    "npx ssec-edge",
  ],
  ["by the shell", false, project, "/usr/local/bin/ssec", {}, "ssec"],
  [
    "by the shell, below what npx runs",
    false,
    project,
    "/usr/local/bin/ssec",
    { ...BY_NPX, npm_lifecycle_script: "'vitest'" },
    "ssec",
  ],
  [
    "by a script that npm runs",
    false,
    project,
    "/p/node_modules/.bin/ssec",
    { npm_command: "run" },
    "npx ssec",
  ],
] as const)("%s", ([, isSource, folder, script, env, expected]) => {
  expect(calledAs({ package: { folder: repository, isSource }, folder, script, env })).toBe(expected);
});

test("a folder that a shell would split is quoted", () => {
  const own = { folder: "/it's here", isSource: true };
  expect(calledAs({ package: own, folder: dir, script: "", env: {} })).toBe(
    "npm --prefix '/it'\\''s here' run -s ssec --",
  );
});

test("what deploys is the project's own command, or wrangler", () => {
  expect(deployedBy({ package: { folder: "", isSource: true } })).toBe("npm run deploy");
  expect(deployedBy({ package: { folder: "", isSource: true } }, " --env e")).toBe(
    "npm run deploy -- --env e",
  );
  expect(deployedBy({ package: { folder: "", isSource: false } })).toBe("npx wrangler deploy");
  expect(deployedBy({ package: { folder: "", isSource: false } }, " --env e")).toBe(
    "npx wrangler deploy --env e",
  );
});

test("examples name it, with npm's folder left by then", async () => {
  const env = { npm_lifecycle_event: "ssec", npm_package_json: resolve("package.json"), INIT_CWD: project };
  const { stdout } = await startSsec(["audit", "--help"], env).ended;
  expect(stdout).toContain(`\n  npm --prefix ${resolve()} run -s ssec -- audit --outcome denied`);
  const here = await startSsec(["audit", "--help"], { ...env, INIT_CWD: resolve("docs") }).ended;
  expect(here.stdout).toContain("\n  npm run -s ssec -- audit --outcome denied");
});

test("--version is the package's", async () => {
  const { status, stdout, stderr } = await startSsec(["--version"], {}, project).ended;
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: `${manifest.version}\n`, stderr: "" });
});
