import { fileURLToPath } from "node:url";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

// Commands are processes of their own, which begin in half the time where Node finds them compiled.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL("node_modules/.cache/compiled", import.meta.url));

/** A condition is waited for as long as a busy machine may take; the default is one second. */
const expect = { poll: { timeout: 20_000 } };

/** Two runtimes: what ships in the Worker is tested in workerd, what drives it over HTTP in Node. */
export default defineConfig({
  test: {
    // Tests wait for workerd and for stores far more than they compute: three at once on two cores.
    maxWorkers: 3,
    tags: [
      {
        name: "thorough",
        description:
          "Takes long: npm run test:thorough, not npm test. Where it can be, something quick beside it looks at the same.",
        timeout: 240_000,
      },
    ],
    projects: [
      {
        plugins: [
          cloudflareTest({
            miniflare: {
              compatibilityDate: "2026-10-23",
              compatibilityFlags: ["nodejs_compat"],
              d1Databases: ["DB"],
              bindings: { MIGRATIONS: await readD1Migrations("src/audit/migrations") },
            },
          }),
        ],
        test: {
          name: "workerd",
          expect,
          include: [
            "test/{audit,auth,config,edge,gateway,hash,http,jobs,keys,presign,rotation,s3}/**/*.test.ts",
          ],
          exclude: ["**/*.node.test.ts"],
          isolate: false,
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "node",
          expect,
          isolate: false,
          include: [
            "test/*.test.ts",
            "test/{api,cli,dev-store,scripts,snippets}/**/*.test.ts",
            "test/**/*.node.test.ts",
          ],
          globalSetup: "test/support/setup.ts",
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "large",
          expect,
          include: ["test/large/**/*.test.ts"],
          globalSetup: "test/support/setup.ts",
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "clients",
          expect,
          include: ["test/clients/**/*.test.ts"],
          globalSetup: "test/support/setup.ts",
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "conformance",
          expect,
          include: ["test/conformance/**/*.test.ts"],
          globalSetup: "test/support/setup.ts",
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "package",
          expect,
          include: ["test/package/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "browser",
          expect,
          include: ["test/{browser,client}/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
