/** The operator's command line, run as an operator runs it. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { resolve } from "node:path";
import { vi } from "vitest";
import { main } from "../../src/cli/main.ts";
import { api, secrets } from "./client.ts";

const PROGRAM = resolve("src/cli/ssec.ts");

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
export function startSsec(args: string[], env: Record<string, string>, cwd = process.cwd()): Running {
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd, env: { ...process.env, ...env } });
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

/** The same in this process: see `runHere`. */
export function ssecHere(args: string[], token = "ALL_TOKEN", url = api): Promise<Run> {
  return runHere(["--url", url, ...args], { SSEC_TOKEN: secrets[token] ?? token });
}

const NO_COLOURS = { FORCE_COLOR: undefined, CLICOLOR_FORCE: undefined };

/**
 * A command in this process, where the folder, signals, the terminal and pipes play no part: a process of its own takes
 * most of a second to begin. One at a time: standard output and the environment are the process's.
 *
 * @param env beside what is there
 */
export async function runHere(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Run> {
  const out: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
  const taking =
    (name: "stdout" | "stderr") =>
    (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
      out[name].push(Buffer.from(chunk as Uint8Array));
      for (const done of rest) if (typeof done === "function") done();
      return true;
    };
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation(taking("stdout")),
    vi.spyOn(process.stderr, "write").mockImplementation(taking("stderr")),
    vi.spyOn(console, "log").mockImplementation((line) => void taking("stdout")(`${line}\n`)),
    vi.spyOn(console, "error").mockImplementation((line) => void taking("stderr")(`${line}\n`)),
  ];
  for (const [name, value] of Object.entries({ ...NO_COLOURS, ...env })) vi.stubEnv(name, value);
  // Whoever runs the tests may be at a terminal.
  const terminals = [process.stdin, process.stdout, process.stderr].map(
    (stream) => [stream, stream.isTTY] as const,
  );
  for (const [stream] of terminals) stream.isTTY = false;
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    const status = await main(args);
    const bytes = Buffer.concat(out.stdout);
    return { status, bytes, stdout: bytes.toString(), stderr: Buffer.concat(out.stderr).toString() };
  } finally {
    process.exitCode = before;
    for (const [stream, isTTY] of terminals) stream.isTTY = isTTY;
    vi.unstubAllEnvs();
    for (const spy of spies) spy.mockRestore();
  }
}
