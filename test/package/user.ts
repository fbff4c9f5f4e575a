/** Somebody who installs the package from its tarball: in a folder of their own, by npm and npx alone. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

/** The oldest Node of package.json's engines, and one that is older. */
export const LEAST_NODE = "22.13.1";
export const OLD_NODE = "20.20.2";

export interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  /** What the line that was waited for matched. */
  readonly match: RegExpExecArray;
  stop(): Promise<void>;
}

type Env = Readonly<Record<string, string>>;

/** Not what npm and vitest tell their own children; but where packages come from. */
const inherited = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) =>
      /^npm_config_(registry|cache|userconfig|globalconfig)$/i.test(name) ||
      !/^(npm_|INIT_CWD$|NODE$|NODE_ENV$|NODE_OPTIONS$|VITEST|CLOUDFLARE)/i.test(name),
  ),
);

/** A folder with nothing in it. Links in its path are followed, as a shell's `cd` would have. */
export function freshFolder(name: string): string {
  return realpathSync(mkdtempSync(join(tmpdir(), `ssec-${name}-`)));
}

export class User {
  readonly folder: string;
  readonly #node: string;
  readonly #running = new Set<ChildProcess>();

  /** @param node the program that `node` is for them, and for npm */
  constructor(folder: string, node = process.execPath) {
    this.folder = folder;
    this.#node = node;
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
  }

  /** Runs a program to its end, whatever that is. */
  async run(program: string, args: readonly string[], env: Env = {}): Promise<Run> {
    const child = this.#spawn(program, args, env);
    const said = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name]?.setEncoding("utf8").on("data", (text: string) => (said[name] += text));
    const status = await ended(child);
    return { status, ...said };
  }

  /** @throws with what it said, when it fails */
  async succeed(program: string, args: readonly string[], env: Env = {}): Promise<string> {
    const { status, stdout, stderr } = await this.run(program, args, env);
    if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${status}\n${stdout}${stderr}`);
    return stdout;
  }

  /** Starts what goes on until it is stopped. @throws when it ends before it has said `line` */
  start(program: string, args: readonly string[], line: RegExp, env: Env = {}): Promise<Running> {
    const child = this.#spawn(program, args, env);
    this.#running.add(child);
    const stop = async () => {
      this.#running.delete(child);
      const end = ended(child);
      // npx passes no signal on to what it has started: the whole group is meant.
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGTERM");
      await end;
    };
    return new Promise((resolve, reject) => {
      let said = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream?.setEncoding("utf8").on("data", (text: string) => {
          said += text;
          const match = line.exec(said);
          if (match) resolve({ match, stop });
        });
      }
      child.once("error", reject);
      child.once("close", (status) => reject(new Error(`${program} ended, ${status}:\n${said}`)));
    });
  }

  async stopAll(): Promise<void> {
    for (const child of this.#running) {
      const end = ended(child);
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGTERM");
      await end;
    }
  }

  #spawn(program: string, args: readonly string[], env: Env): ChildProcess {
    const PATH = [dirname(this.#node), process.env.PATH].join(delimiter);
    return spawn(program, args, {
      cwd: this.folder,
      env: { ...inherited, ...env, PATH },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
  }
}

function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve, reject) => {
    child.once("close", (status) => resolve(status));
    child.once("error", reject);
  });
}
