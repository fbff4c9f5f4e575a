/** Completion in bash, as bash-completion asks for it. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { isSkipped, programOf, type Tool } from "../support/tools.ts";

const path = "/usr/share/bash-completion/bash_completion";
const BASH_COMPLETION: Tool = { program: existsSync(path) ? path : undefined, install: "bash-completion" };

/** What Tab would offer after a line. */
function offered(line: string): string[] {
  const words = line.split(" ");
  const script = `source ${programOf(BASH_COMPLETION)}
ssec() { '${process.execPath}' src/cli/ssec.ts "$@"; }
source <(ssec complete bash)
COMP_LINE='${line}' COMP_POINT=${line.length} COMP_CWORD=${words.length - 1}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")})
__ssec_complete
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = execFileSync("bash", ["-c", script], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return output
    .trimEnd()
    .split("\n")
    .map((reply) => reply.split(/\s/)[0] ?? "");
}

test.skipIf(isSkipped(BASH_COMPLETION))(
  "Tab offers commands, flags and their values",
  { timeout: 180_000 },
  () => {
    expect(offered("ssec ")).toEqual(expect.arrayContaining(["init", "check", "keygen", "derive", "audit"]));
    expect(offered("ssec --env production keyg")).toEqual(["keygen"]);
    expect(offered("ssec keygen --b")).toEqual(["--bind"]);
    expect(offered("ssec init --store ")).toEqual(expect.arrayContaining(["coreweave", "minio"]));
    expect(offered("ssec audit --outcome d")).toEqual(["denied"]);
    expect(offered("ssec keys ")).toEqual(expect.arrayContaining(["scan", "retire"]));
    expect(offered("ssec rotate media --enc")).toEqual(["--encrypt-plain"]);
  },
);
