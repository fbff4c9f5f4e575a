/**
 * Completion in bash, as bash-completion asks for it.
 *
 * @module-tag thorough
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { isSkipped, programOf, type Tool } from "../support/tools.ts";

const path = "/usr/share/bash-completion/bash_completion";
const BASH_COMPLETION: Tool = { program: existsSync(path) ? path : undefined, install: "bash-completion" };

/** What Tab would offer after each of the lines. */
function offered(lines: readonly string[]): string[][] {
  const script = `source ${programOf(BASH_COMPLETION)}
ssec() { '${process.execPath}' src/cli/ssec.ts "$@"; }
source <(ssec complete bash)
${lines.map(tab).join("")}`;
  const output = execFileSync("bash", ["-c", script], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return output
    .split("\n\n")
    .slice(0, -1)
    .map((replies) => replies.split("\n").map((reply) => reply.split(/\s/)[0] ?? ""));
}

function tab(line: string): string {
  const words = line.split(" ");
  return `COMP_LINE='${line}' COMP_POINT=${line.length} COMP_CWORD=${words.length - 1}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")})
__ssec_complete
printf '%s\\n' "\${COMPREPLY[@]}" ""
`;
}

test.skipIf(isSkipped(BASH_COMPLETION))(
  "Tab offers commands, flags and their values",
  { timeout: 180_000 },
  () => {
    const [commands, command, flag, stores, outcome, keys, rotate] = offered([
      "ssec ",
      "ssec --env production keyg",
      "ssec keygen --b",
      "ssec init --store ",
      "ssec audit --outcome d",
      "ssec keys ",
      "ssec rotate media --enc",
    ]);
    expect(commands).toEqual(expect.arrayContaining(["init", "check", "keygen", "derive", "audit"]));
    expect(command).toEqual(["keygen"]);
    expect(flag).toEqual(["--bind"]);
    expect(stores).toEqual(expect.arrayContaining(["coreweave", "minio"]));
    expect(outcome).toEqual(["denied"]);
    expect(keys).toEqual(expect.arrayContaining(["scan", "retire"]));
    expect(rotate).toEqual(["--encrypt-plain"]);
  },
);
