/** Other people's programs that the suite runs. On a laptop without one its tests are skipped; in CI that is a failure. */
import { execFileSync } from "node:child_process";

export interface Tool {
  /** Undefined when it is not installed. */
  readonly program: string | undefined;
  /** Debian's package. */
  readonly install: string;
}

export const CURL = tool("curl", ["curl"], "--version");
/** util-linux's, which makes a terminal; that of BSD takes other flags. */
export const SCRIPT = tool("bsdutils", ["script"], "--version");
const PYTHONS = ["/usr/bin/python3", "python3"];
export const PYTHON = tool("python3", PYTHONS, "--version");
export const PYTHON_REQUESTS = tool("python3-requests", PYTHONS, "-c", "import requests");
export const PYTHON_BOTO3 = tool("python3-boto3", PYTHONS, "-c", "import boto3");
export const HTTPIE = tool("httpie", ["http"], "--version");
export const KOTLIN = tool("kotlin", ["kotlinc"], "-version");
export const AWS_CLI = tool("awscli", ["/usr/bin/aws", "aws"], "--version");
export const RCLONE = tool("rclone", ["rclone"], "version");
export const GIT_LFS = tool("git-lfs", ["git"], "lfs", "version");
export const S3CMD = tool("s3cmd", ["s3cmd"], "--version");

export function isSkipped({ program }: Tool): boolean {
  return program === undefined && !process.env.CI;
}

/** @throws saying what to install */
export function programOf({ program, install }: Tool): string {
  if (program === undefined) throw new Error(`not installed: apt-get install ${install}`);
  return program;
}

/** Looked for when it is first asked for: some take a second to say that they are there. */
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

function works(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
