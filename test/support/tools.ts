/** Other people's programs that the suite runs. On a laptop without one its tests are skipped; in CI that is a failure. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, resolve } from "node:path";

export interface Tool {
  /** Undefined when it is not installed. */
  readonly program: string | undefined;
  /** Debian's package. */
  readonly install: string;
}

export const CURL = tool("curl", ["curl"]);
/** util-linux's, which makes a terminal; that of BSD takes other flags. */
export const SCRIPT = tool("bsdutils", ["script"], "--version");
const PYTHONS = ["/usr/bin/python3", "python3"];
export const PYTHON = tool("python3", PYTHONS);
export const PYTHON_REQUESTS = tool("python3-requests", PYTHONS, "-c", pythonHas("requests"));
export const PYTHON_BOTO3 = tool("python3-boto3", PYTHONS, "-c", pythonHas("boto3"));
export const HTTPIE = tool("httpie", ["http"]);
export const KOTLIN = tool("kotlin", ["kotlinc"]);
export const AWS_CLI = tool("awscli", ["/usr/bin/aws", "aws"]);
export const RCLONE = tool("rclone", ["rclone"]);
export const GIT_LFS = tool("git-lfs", ["git"], "lfs", "version");
export const S3CMD = tool("s3cmd", ["s3cmd"]);

export function isSkipped({ program }: Tool): boolean {
  return program === undefined && !process.env.CI;
}

/** @throws saying what to install */
export function programOf({ program, install }: Tool): string {
  if (program === undefined) throw new Error(`not installed: apt-get install ${install}`);
  return program;
}

/**
 * Looked for when it is first asked for.
 *
 * @param args what it must take, where another program has the same name, or a part of it may be missing
 */
function tool(install: string, programs: readonly string[], ...args: string[]): Tool {
  let found: { program: string | undefined } | undefined;
  return {
    install,
    get program() {
      found ??= { program: programs.find((program) => works(program, args)) };
      return found.program;
    },
  };
}

/** To import it would take up to a second. */
function pythonHas(module: string): string {
  return `import sys, importlib.util; sys.exit(importlib.util.find_spec("${module}") is None)`;
}

function works(program: string, args: readonly string[]): boolean {
  const folders = (process.env.PATH ?? "").split(delimiter);
  if (args.length === 0) return folders.some((folder) => existsSync(resolve(folder, program)));
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
