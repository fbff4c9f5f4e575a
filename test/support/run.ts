/** The project's own scripts, run as an operator runs them. */
import { type ExecFileOptions, execFile, spawn } from "node:child_process";
import { promisify } from "node:util";

export interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Not spawnSync: what they talk to may live in this process. */
export function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    const said = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) child[name].on("data", (text) => (said[name] += text));
    child.once("close", (status) => resolve({ status, ...said }));
  });
}

/**
 * Another's program. Not execFileSync: a connection that is kept, and ends meanwhile, would be used once more before this
 * process hears of it.
 *
 * @returns what it writes
 * @throws where it fails, with what it says of that
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  { input, ...options }: ExecFileOptions & { readonly input?: string } = {},
): Promise<string> {
  const running = promisify(execFile)(program, args, { ...options, encoding: "utf8" });
  running.child.stdin?.end(input);
  return (await running).stdout;
}
