/** `npm run test:ceph`: the black-box suite against a real Ceph gateway, started for it and ended after it. */
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isFree } from "./free-port.ts";

const SCRIPT = fileURLToPath(new URL("ceph-rgw.sh", import.meta.url));
const PACKAGES = "radosgw ceph-mon ceph-osd ceph-common curl openssl";

if (!isInstalled("radosgw")) {
  console.error(
    `Ceph is not installed. On Debian, as root:\n  apt-get install --no-install-recommends ${PACKAGES}`,
  );
  process.exit(1);
}

const args = process.argv.slice(2);
const dir = mkdtempSync(join(tmpdir(), "ssec-ceph-"));
const port = await threeFreePorts();
const credentials = {
  RGW_ACCESS_KEY: randomBytes(10).toString("hex"),
  RGW_SECRET_KEY: randomBytes(20).toString("hex"),
};
/** Of the tests of the command line, those that need a store. */
const WITH_A_STORE = "check-live check cli cors files policy proof strangers transfers aws-cli".split(" ");
const SUITE = [
  "test/api",
  "test/gateway",
  "test/rotation/moments",
  "test/large",
  "test/clients/git-lfs",
  "test/clients/gateway-",
  ...WITH_A_STORE.map((name) => `test/cli/${name}.test.ts`),
];
/** Whoever ends this ends Ceph with it: a terminal, a time limit, npm. */
const ending = new AbortController();
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  process.on(signal, () => {
    process.exitCode = 128 + constants.signals[signal];
    ending.abort();
  });
}
// An npm that is killed passes nothing on.
const parent = process.ppid;
const watch = setInterval(() => {
  if (process.ppid === parent) return;
  process.exitCode = 128 + constants.signals.SIGTERM;
  ending.abort();
}, 1000);
try {
  execFileSync(SCRIPT, ["start", dir, String(port)], {
    env: { ...process.env, ...credentials },
    stdio: ["ignore", "ignore", "inherit"],
  });
  // A signal that came while Ceph was started is heard by now.
  await setImmediate();
  const code = await run(
    "vitest",
    [
      "run",
      "--project",
      "node",
      "--project",
      "large",
      "--project",
      "clients",
      ...(args.some((arg) => arg.startsWith("test/")) ? [] : SUITE),
      ...args,
    ],
    {
      STORE_URL: `http://127.0.0.1:${port}`,
      STORE_ACCESS_KEY: credentials.RGW_ACCESS_KEY,
      STORE_SECRET_KEY: credentials.RGW_SECRET_KEY,
    },
  );
  process.exitCode ??= code;
} finally {
  clearInterval(watch);
  try {
    execFileSync(SCRIPT, ["stop", dir], { stdio: "inherit" });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function isInstalled(program: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function run(program: string, args: string[], env: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: "inherit" });
    const end = () => child.kill();
    if (ending.signal.aborted) end();
    ending.signal.addEventListener("abort", end);
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

/** The gateway takes a port and the two after it. */
async function threeFreePorts(): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 20_000);
    const free = await Promise.all([0, 1, 2].map((offset) => isFree(first + offset)));
    if (free.every(Boolean)) return first;
  }
}
