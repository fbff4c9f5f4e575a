/** The operator's command line, run as an operator runs it, against the Worker of this run. */
import { spawn } from "node:child_process";
import { api, secrets } from "./client.ts";

export interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Not spawnSync: the store that the Worker talks to may live in this process. */
export function ssec(args: string[], token = "ADMIN_TOKEN", input?: string | Buffer): Promise<Run> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["scripts/ssec.ts", "--url", api, ...args], {
      env: { ...process.env, SSEC_TOKEN: secrets[token] ?? "" },
    });
    const out: Record<"stdout" | "stderr", string> = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) child[name].on("data", (chunk) => (out[name] += chunk));
    child.once("close", (status) => resolve({ status, ...out }));
    child.stdin.end(input);
  });
}
