/** workerd itself, without what wrangler puts before it: its sockets are what is measured. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "esbuild";
import { OPTIONS } from "../bundle.ts";
import { freePort } from "../free-port.ts";

const WORKERD: string = createRequire(import.meta.url)("workerd").default;
/** How long it may take to listen, milliseconds. */
const START_LIMIT = 30_000;

export class Workerd {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #dir: string;

  private constructor(port: number, child: ChildProcess, dir: string) {
    this.port = port;
    this.#child = child;
    this.#dir = dir;
  }

  /** Resolves when it listens. */
  static async start(code: string, env: Readonly<Record<string, unknown>> = {}): Promise<Workerd> {
    const port = await freePort();
    const dir = mkdtempSync(join(tmpdir(), "ssec-bench-"));
    writeFileSync(join(dir, "worker.js"), code);
    writeFileSync(join(dir, "config.capnp"), configOf(port, env), { mode: 0o600 });
    // Its log goes where nobody reads it, but it is written.
    const child = spawn(WORKERD, ["serve", join(dir, "config.capnp")], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const workerd = new Workerd(port, child, dir);
    await listening(port, child);
    return workerd;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** CPU time of all its threads so far, microseconds; Linux alone tells. */
  cpu(): number {
    const tasks = `/proc/${this.#child.pid}/task`;
    const nanoseconds = readdirSync(tasks).map((task) =>
      Number(readFileSync(join(tasks, task, "schedstat"), "utf8").split(" ")[0]),
    );
    return nanoseconds.reduce((sum, each) => sum + each, 0) / 1000;
  }

  /** Resident memory, MiB. */
  memory(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill();
    await closed;
    rmSync(this.#dir, { recursive: true });
  }
}

/**
 * A Worker of the benchmark's own, as wrangler would bundle it.
 *
 * @param requires whether a package in it still calls `require`: what gives it one costs a start
 */
export async function bundle(entryPoint: string, { requires = false } = {}): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, entryPoint)],
    ...OPTIONS,
    ...(requires && {
      banner: { js: 'import { createRequire } from "node:module"; const require = createRequire("/");' },
    }),
  });
  return outputFiles[0]?.text ?? "";
}

function configOf(port: number, env: Readonly<Record<string, unknown>>): string {
  const quote = (text: string) => JSON.stringify(text);
  const bindings = Object.entries(env).map(([name, value]) =>
    typeof value === "string"
      ? `(name = ${quote(name)}, text = ${quote(value)})`
      : `(name = ${quote(name)}, json = ${quote(JSON.stringify(value))})`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [ (name = "http", address = "127.0.0.1:${port}", http = (), service = "main") ],
);
const worker :Workerd.Worker = (
  modules = [ (name = "worker.js", esModule = embed "worker.js") ],
  compatibilityDate = "2026-10-23",
  bindings = [ ${bindings.join(", ")} ],
);
`;
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  const end = performance.now() + START_LIMIT;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || performance.now() > end) throw new Error("workerd does not start");
    await sleep(1);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
