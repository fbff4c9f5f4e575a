/** README's first screen, run as a newcomer runs it: every command as it stands, one after the other, after `npm start`. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { cpSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeBlocks } from "../support/documented.ts";
import { CURL, isSkipped, programOf } from "../support/tools.ts";
import { watchedCurl } from "../support/watched.ts";

const run = promisify(execFile);
/** What is not of the repository, or would be too much to copy. */
const NOT_COPIED = ["node_modules", ".git", ".ssec", ".wrangler"];
/** Where README's commands call. Another port may be what is free here. */
const DOCUMENTED = "http://127.0.0.1:8787";

let checkout: string;
let running: ChildProcess;
/** What `npm start` says. */
let said = "";
let url: string;

beforeAll(async () => {
  checkout = mkdtempSync(join(tmpdir(), "ssec-readme-"));
  for (const name of readdirSync(".").filter((entry) => !NOT_COPIED.includes(entry)))
    cpSync(name, join(checkout, name), { recursive: true });
  symlinkSync(resolve("node_modules"), join(checkout, "node_modules"));
  running = spawn(process.execPath, ["scripts/start.ts"], {
    cwd: checkout,
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise<void>((ready, failed) => {
    running.stdout?.on("data", (text) => {
      said += text;
      if (said.includes("Ctrl-C ends it")) ready();
    });
    running.once("exit", (status) => failed(new Error(`npm start ended with ${status}: ${said}`)));
  });
  url = /page +(\S+)\//.exec(said)?.[1] ?? "";
}, 60_000);
afterAll(async () => {
  const ended = new Promise((resolve) => running.once("exit", resolve));
  running.kill("SIGTERM");
  await ended;
  rmSync(checkout, { recursive: true });
});

describe.skipIf(isSkipped(CURL))("the first screen", () => {
  /** Runs commands in a shell of their own, and what the `curl` in them was called with. */
  async function shell(commands: string): Promise<{ stdout: string; argv: string }> {
    const { PATH, argv } = await watchedCurl(mkdtempSync(join(checkout, ".watched-")), programOf(CURL));
    // The command line calls the documented address unless it is told another.
    const here = commands
      .replaceAll(DOCUMENTED, url)
      .replaceAll("npm run -s ssec --", `npm run -s ssec -- --url ${url}`);
    const { stdout } = await run("sh", ["-ec", here], { cwd: checkout, env: { ...process.env, PATH } });
    return { stdout, argv: await argv() };
  }

  test("begins with what is running here", () => {
    expect(codeBlocks("README.md", "sh")[0]).toBe("npm ci && npm start\n");
  });

  test("works as it is written, with no secret in an argument", { tags: ["thorough"] }, async () => {
    const commands = codeBlocks("README.md", "sh").slice(1, 6);
    const [token = "", ask = ""] = commands;
    expect(token).toBe("export TOKEN=$(cat .ssec/token)\n");

    const answer = JSON.parse((await shell(token + ask)).stdout);
    const [shown = ""] = codeBlocks("README.md", "json");
    expect(Object.keys(answer)).toEqual(Object.keys(JSON.parse(shown)));
    expect(Object.keys(answer.headers)).toEqual(Object.keys(JSON.parse(shown).headers));

    const { stdout, argv } = await shell(commands.join(""));
    expect(stdout).toContain("meow\n");
    expect(stdout).toContain("pets/cat.txt");
    expect(readFileSync(join(checkout, "copy.txt"), "utf8")).toBe("meow\n");
    const { token: secret, customerKey } = JSON.parse(
      readFileSync(join(checkout, ".ssec/secrets.json"), "utf8"),
    );
    expect(argv).toContain("/v1/objects/media/cat.txt");
    for (const value of [secret, customerKey]) expect(argv).not.toContain(value);
  });

  test("npm start prints a command that works when it is pasted, anywhere", async () => {
    const command = /^export TOKEN[\s\S]*?^END$/m.exec(said)?.[0] ?? "";
    const { stdout } = await run("sh", ["-ec", command], { cwd: tmpdir() });
    expect(JSON.parse(stdout)).toMatchObject({ operation: "PutObject", bucket: "media", method: "PUT" });
    const { token } = JSON.parse(readFileSync(join(checkout, ".ssec/secrets.json"), "utf8"));
    expect(command).not.toContain(token);
    expect(lstatSync(join(checkout, ".ssec/token")).mode & 0o077).toBe(0);
  });
});

test("pages on this machine may call, from any port, and others may not", async () => {
  const store = /store +(http\S+)/.exec(said)?.[1] ?? "";
  const allowed = async (at: string, origin: string) => {
    const headers = { origin, "access-control-request-method": "PUT" };
    const preflight = await fetch(at, { method: "OPTIONS", headers });
    return preflight.headers.get("access-control-allow-origin");
  };
  for (const at of [`${url}/v1/presign`, `${store}/media/cat.txt`]) {
    for (const origin of ["http://localhost:5173", "http://localhost:3000", "http://127.0.0.1:8080"])
      expect(await allowed(at, origin), at).toBe(origin);
    for (const origin of ["https://example.com", "http://localhost.example.com:5173", "null"])
      expect(await allowed(at, origin), at).toBeNull();
  }
});
