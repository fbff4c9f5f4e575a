/** The project's own wrangler, run as a person would run it. */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";

/** @throws when it is not installed */
function program(): string {
  try {
    const manifest = createRequire(import.meta.url).resolve("wrangler/package.json");
    return join(dirname(manifest), "bin/wrangler.js");
  } catch {
    throw new Error("wrangler is not installed here: npm install --save-dev wrangler");
  }
}

/**
 * Wrangler keeps a log of its own, under the home folder and readable by everybody, that has every value of `vars` in it.
 * What it says is shown or read here.
 */
export const NO_LOG_FILE = { WRANGLER_WRITE_LOGS: "false", WRANGLER_LOG_SANITIZE: "true" };

/** What it is asked for must be in its output, whatever the level of its log is here; it need not look for updates. */
const QUIET = {
  ...NO_LOG_FILE,
  WRANGLER_LOG: "log",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_SEND_METRICS: "false",
};

export interface WranglerRun {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface WranglerOptions {
  /** For its standard input. What is secret goes here: a command line can be read by everyone on the machine. */
  readonly input?: string;
  /** Shows on standard error what it says, as it says it. */
  readonly isShown?: boolean;
  /** Beside this process's own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs it to its end, whatever that is. */
export function runWrangler(args: readonly string[], options: WranglerOptions = {}): Promise<WranglerRun> {
  const { input = "", isShown = false, env } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program(), ...args], {
      env: { ...process.env, ...QUIET, ...env },
    });
    const said = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        // It colours some messages whatever it writes to.
        const plain = stripVTControlCharacters(text);
        said[name] += plain;
        if (isShown) process.stderr.write(process.stderr.isTTY ? text : plain);
      });
    }
    child.once("error", reject);
    child.once("close", (status) => resolve({ status, ...said }));
    child.stdin.once("error", reject).end(input);
  });
}

/**
 * Runs it, showing what it says.
 *
 * @throws when it fails
 */
export async function wrangler(args: readonly string[], options: WranglerOptions = {}): Promise<void> {
  const { status } = await runWrangler(args, { ...options, isShown: true });
  if (status !== 0) throw new Error(`wrangler ${args[0]} failed: it says above why`);
}
