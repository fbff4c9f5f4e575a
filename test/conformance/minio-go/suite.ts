/**
 * The functional tests of minio-go, which MinIO's `mint` runs against S3 servers: as Debian packages them, and not changed.
 * Only their `main`, which runs all of them in a row, has another beside it that runs those that are named.
 *
 * @see https://github.com/minio/minio-go/blob/v7.0.46/functional_tests.go
 */
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const GOPATH = "/usr/share/gocode";
const SOURCE = join(GOPATH, "src/github.com/minio/minio-go/v7/functional_tests.go");

/** What one of its steps says. */
export interface Said {
  readonly status: "PASS" | "FAIL" | "NA";
  readonly function?: string;
  readonly alert?: string;
  readonly message?: string;
  readonly error?: unknown;
}

export interface Suite {
  /** Of its `main`, in its order. */
  readonly names: readonly string[];
  run(name: string, env: Readonly<Record<string, string>>): Promise<Said[]>;
  remove(): void;
}

/** @throws when Go or the package is not there */
export function buildSuite(): Suite {
  const dir = mkdtempSync(join(tmpdir(), "ssec-minio-go-"));
  const source = readFileSync(SOURCE, "utf8");
  const called = (source.split("\nfunc main() {")[1] ?? "").matchAll(/\n\t+(test\w+)\(\)/g);
  const names = [...new Set(Array.from(called, ([, name = ""]) => name))];
  const folder = join(dir, "src/suite");
  mkdirSync(folder, { recursive: true });
  // Without the tag, by which the package that it lies in would hold two.
  const all = source
    .replace(/^\/\/go:build mint\n\/\/ \+build mint\n/, "")
    .replace("\nfunc main() {", "\nfunc mintMain() {");
  writeFileSync(join(folder, "functional_tests.go"), all);
  writeFileSync(join(folder, "run.go"), runner(names));
  execFileSync("go", ["build", "-o", join(dir, "suite"), "."], {
    cwd: folder,
    env: {
      ...process.env,
      GO111MODULE: "off",
      GOPATH: `${dir}:${GOPATH}`,
      GOCACHE: process.env.GOCACHE ?? join(dir, "cache"),
      GOFLAGS: "",
    },
    stdio: ["ignore", "inherit", "inherit"],
  });
  return {
    names,
    run: async (name, env) => {
      const { stdout } = await promisify(execFile)(join(dir, "suite"), [name], {
        // It downloads files into the folder that it is in.
        cwd: dir,
        env: { PATH: "/usr/bin:/bin", HOME: dir, RUN_ON_FAIL: "1", MINT_MODE: "full", ...env },
        maxBuffer: 2 ** 26,
      });
      return stdout
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line));
    },
    remove: () => rmSync(dir, { recursive: true }),
  };
}

function runner(names: readonly string[]): string {
  return `package main

import (
	"os"

	log "github.com/sirupsen/logrus"
)

func main() {
	log.SetOutput(os.Stdout)
	log.SetFormatter(&mintJSONFormatter{})
	map[string]func(){
${names.map((name) => `\t\t"${name}": ${name},`).join("\n")}
	}[os.Args[1]]()
}
`;
}
