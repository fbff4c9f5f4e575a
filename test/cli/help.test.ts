/** Every command explains itself: with examples, and in docs/cli.md. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { runHere } from "../support/ssec.ts";

const run = (...args: string[]) => runHere(args);

/** The commands that a command has, as its help lists them. */
async function commandsOf(...path: string[]): Promise<string[][]> {
  const { stdout } = await run(...path, "--help");
  const [, list = ""] = /^Commands:\n((?: {2}.*\n)*)/m.exec(stdout) ?? [];
  const names = [...list.matchAll(/^ {2}([a-z]+)/gm)].map(([, name = ""]) => name);
  return names.filter((name) => name !== "help").map((name) => [...path, name]);
}

test("every command has examples, and is in docs/cli.md", { timeout: 60_000 }, async () => {
  const documented = readFileSync("docs/cli.md", "utf8");
  const commands: string[][] = [];
  for (const path of await commandsOf()) commands.push(path, ...(await commandsOf(...path)));
  expect(commands.length).toBeGreaterThan(5);
  for (const path of commands) {
    expect(documented, path.join(" ")).toMatch(new RegExp(`^\\|.*\`${path.join(" ")}\\b.*\\|$`, "m"));
    if (path[0] === "complete") continue;
    const { status, stdout } = await run(...path, "--help");
    expect(status).toBe(0);
    expect(stdout, path.join(" ")).toMatch(/^Examples?:\n {2}\S/m);
    expect(stdout).not.toContain("\u001b");
  }
});

test("a command line that is wrong is told so, with status 2", async () => {
  for (const args of [
    ["nosuch"],
    ["--nosuch"],
    ["derive", "root"],
    ["keygen", "a/b"],
    ["complete", "tcsh"],
  ]) {
    const { status, stdout, stderr } = await run(...args);
    expect({ args, status, stdout }).toEqual({ args, status: 2, stdout: "" });
    expect(stderr).toMatch(/^error: /);
  }
});
