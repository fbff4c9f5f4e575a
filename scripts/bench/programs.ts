/** Other programs, as a user runs them. */
import { execFileSync, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

/** A program of ours as JavaScript, as it is when it is installed; its path. @param source from the root */
export async function built(source: string, name: string): Promise<string> {
  const root = join(import.meta.dirname, "../..");
  const outdir = join(root, "node_modules/.cache/ssec-bench", name);
  rmSync(outdir, { recursive: true, force: true });
  await build({
    entryPoints: { [name]: join(root, source) },
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    packages: "external",
    platform: "node",
    format: "esm",
    logLevel: "error",
  });
  return join(outdir, `${name}.mjs`);
}

export interface Ran {
  readonly seconds: number;
  readonly stdout: string;
}

/** @param cwd the folder that it works in. @throws when it fails */
export function run(
  program: string,
  args: readonly string[],
  cwd: string,
  env: Record<string, string>,
): Promise<Ran> {
  const start = performance.now();
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let said = "";
  child.stdout.on("data", (text) => (stdout += text));
  child.stderr.on("data", (text) => (said += text));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) =>
      status === 0
        ? resolve({ seconds: (performance.now() - start) / 1000, stdout })
        : reject(new Error(`${program} ${args.join(" ")} ended with ${status}: ${said}`)),
    );
  });
}

/** The first of them that is there. */
export function installed(programs: readonly string[]): string | undefined {
  return programs.find((program) => {
    try {
      execFileSync(program, ["--version"], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  });
}
