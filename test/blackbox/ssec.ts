/** The operator's command line, run as an operator runs it. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { api, secrets } from "./client.ts";

export interface Run {
  status: number | null;
  stdout: string;
  /** What stdout is as text. */
  bytes: Buffer;
  stderr: string;
}

/** A run that goes on while the test does. */
export interface Running {
  child: ChildProcessWithoutNullStreams;
  ended: Promise<Run>;
}

/** Not spawnSync: the store that the Worker talks to may live in this process. */
export function startSsec(args: string[], env: Record<string, string>): Running {
  const child = spawn(process.execPath, ["scripts/ssec.ts", ...args], { env: { ...process.env, ...env } });
  const out: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
  for (const name of ["stdout", "stderr"] as const) child[name].on("data", (chunk) => out[name].push(chunk));
  // Standard input is closed under a command that does not read it.
  child.stdin.on("error", () => {});
  const ended = new Promise<Run>((resolve) => {
    child.once("close", (status) => {
      const bytes = Buffer.concat(out.stdout);
      resolve({ status, bytes, stdout: bytes.toString(), stderr: Buffer.concat(out.stderr).toString() });
    });
  });
  return { child, ended };
}

/** Against the Worker of this run. */
export function ssec(args: string[], token = "ADMIN_TOKEN", input?: string | Buffer): Promise<Run> {
  const { child, ended } = startSsec(["--url", api, ...args], { SSEC_TOKEN: secrets[token] ?? "" });
  child.stdin.end(input);
  return ended;
}
