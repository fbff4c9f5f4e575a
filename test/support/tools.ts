/** Other people's programs that the suite runs. On a laptop without one its tests are skipped; in CI that is a failure. */
import { execFileSync } from "node:child_process";

export interface Tool {
  /** Undefined when it is not installed. */
  readonly program: string | undefined;
  /** Debian's package. */
  readonly install: string;
}

export const CURL: Tool = { program: first(["curl"], ["--version"]), install: "curl" };
/** util-linux's, which makes a terminal; that of BSD takes other flags. */
export const SCRIPT: Tool = { program: first(["script"], ["--version"]), install: "bsdutils" };
export const PYTHON: Tool = {
  program: first(["/usr/bin/python3", "python3"], ["--version"]),
  install: "python3",
};
export const PYTHON_REQUESTS: Tool = { program: python("requests"), install: "python3-requests" };
export const AWS_CLI: Tool = { program: first(["/usr/bin/aws", "aws"], ["--version"]), install: "awscli" };
export const RCLONE: Tool = { program: first(["rclone"], ["version"]), install: "rclone" };
export const S3CMD: Tool = { program: first(["s3cmd"], ["--version"]), install: "s3cmd" };
export const PYTHON_BOTO3: Tool = { program: python("boto3"), install: "python3-boto3" };

export function isSkipped({ program }: Tool): boolean {
  return program === undefined && !process.env.CI;
}

/** @throws saying what to install */
export function programOf({ program, install }: Tool): string {
  if (program === undefined) throw new Error(`not installed: apt-get install ${install}`);
  return program;
}

function python(module: string): string | undefined {
  return first(["/usr/bin/python3", "python3"], ["-c", `import ${module}`]);
}

function first(programs: string[], args: string[]): string | undefined {
  return programs.find((program) => {
    try {
      execFileSync(program, args, { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  });
}
