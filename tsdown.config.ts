import { defineConfig, type UserConfig } from "tsdown";

/** What all have in common. */
const common: UserConfig = {
  tsconfig: "tsconfig.build.json",
  dts: false,
  // Workers that run on this machine read their assets while this builds: scripts/assets.ts clears what is not needed.
  clean: ["dist/*", "!dist/assets"],
  fixedExtension: false,
  // Whatever is imported is a dependency of the package, or the build fails: nobody's code is copied into ours.
  deps: { onlyBundle: [], neverBundle: [/^node:/] },
  // Node's own modules do nothing by being loaded: who uses nothing of them does not load them.
  treeshake: { moduleSideEffects: "no-external" },
  checks: { pluginTimings: false },
  logLevel: "warn",
};

/**
 * Each import of the package has files of its own, so that none loads, or forbids a runtime, for the sake of another. What is
 * imported when it is first used is a file of its own as well.
 */
export default defineConfig([
  {
    ...common,
    entry: { index: "src/index.ts" },
    outputOptions: { chunkFileNames: "worker/[name]-[hash].js" },
    copy: [{ from: "src/audit/migrations", to: "dist" }],
  },
  { ...common, entry: { presign: "src/presign.ts" }, platform: "neutral" },
  {
    ...common,
    entry: { client: "src/client/index.ts", react: "src/client/react.ts" },
    platform: "neutral",
    outputOptions: { chunkFileNames: "client/[name]-[hash].js" },
  },
  {
    ...common,
    entry: { ssec: "src/cli/ssec.ts" },
    outDir: "dist/cli",
  },
  {
    ...common,
    entry: {
      index: "src/index.ts",
      presign: "src/presign.ts",
      client: "src/client/index.ts",
      react: "src/client/react.ts",
    },
    dts: { emitDtsOnly: true },
  },
]);
