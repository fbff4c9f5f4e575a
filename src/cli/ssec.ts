#!/usr/bin/env node
/** `ssec COMMAND`, where Node has what it needs. On an older one an import would fail that names no version. */

/** As package.json's engines have it: major and minor. */
const LEAST = [22, 13] as const;

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < LEAST[0] || (major === LEAST[0] && minor < LEAST[1])) {
  console.error(`ssec: Node ${LEAST.join(".")} or newer is needed; this is ${process.versions.node}`);
  process.exitCode = 1;
} else {
  await import("./run.ts");
}
