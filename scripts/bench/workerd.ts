/** workerd itself, without what wrangler puts before it: its sockets are what is measured. */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "esbuild";
import { serializeConfig } from "miniflare";
import { OPTIONS } from "../bundle.ts";
import { freePort } from "../free-port.ts";

const WORKERD: string = createRequire(import.meta.url)("workerd").default;
/** How long it may take to listen, milliseconds. */
const START_LIMIT = 30_000;

export class Workerd {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
  }

  /** Resolves when it listens. */
  static async start(code: string, env: Readonly<Record<string, unknown>> = {}): Promise<Workerd> {
    const port = await freePort();
    // Its log goes where nobody reads it, but it is written.
    const child = spawn(WORKERD, ["serve", "--binary", "-"], { stdio: ["pipe", "ignore", "inherit"] });
    // Of one that ends before it has read, `listening` tells.
    child.stdin.on("error", () => {});
    child.stdin.end(configOf(port, code, env));
    const workerd = new Workerd(port, child);
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

/** In binary, as Workers' own tools hand it over: of a text workerd copies the Worker that is embedded in it again and again. */
function configOf(port: number, code: string, env: Readonly<Record<string, unknown>>): Buffer {
  return serializeConfig({
    services: [
      {
        name: "main",
        worker: {
          modules: [{ name: "worker.js", esModule: code }],
          compatibilityDate: "2026-10-23",
          bindings: Object.entries(env).map(([name, value]) =>
            typeof value === "string" ? { name, text: value } : { name, json: JSON.stringify(value) },
          ),
        },
      },
      { name: "internet", network: { allow: ["public", "private"] } },
    ],
    sockets: [{ name: "http", address: `127.0.0.1:${port}`, http: {}, service: { name: "main" } }],
  });
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
