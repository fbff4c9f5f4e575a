/**
 * What a start leaves on the machine: keys, tokens and secrets lie in the two files that are meant to hold them.
 *
 * @module-tag thorough
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

/** Whatever 20 characters of a secret lie anywhere, one of its blocks of so many is among them. */
const BLOCK = 10;
/** What is not of the repository, or would be too much to look through. */
const NOT_COPIED = ["node_modules", ".git", ".ssec", ".wrangler", "dist", "docs", "test"];

let machine: string;
let checkout: string;
let child: ChildProcess | undefined;

beforeEach(() => {
  machine = mkdtempSync(join(tmpdir(), "ssec-machine-"));
  checkout = join(machine, "checkout");
  for (const name of ["home", "tmp", "checkout"]) mkdirSync(join(machine, name));
  for (const name of readdirSync(".").filter((entry) => !NOT_COPIED.includes(entry))) {
    cpSync(name, join(checkout, name), { recursive: true });
  }
  symlinkSync(resolve("node_modules"), join(checkout, "node_modules"));
});
afterEach(async () => {
  await ended();
  rmSync(machine, { recursive: true, force: true });
});

/** Starts a script as a person with an ordinary umask would, who keeps everything where the standards say. */
function start(script: string): ChildProcess {
  const { VITEST, NODE_ENV, WRANGLER_LOG_PATH, XDG_CONFIG_HOME, XDG_CACHE_HOME, ...env } = process.env;
  child = spawn("sh", ["-c", 'umask 022 && exec "$0" "$@"', process.execPath, script], {
    cwd: checkout,
    env: { ...env, HOME: join(machine, "home"), TMPDIR: join(machine, "tmp") },
    stdio: ["ignore", "pipe", "inherit"],
  });
  return child;
}

async function ended(): Promise<number | null> {
  if (child === undefined) return null;
  const running = child;
  child = undefined;
  if (running.exitCode !== null) return running.exitCode;
  const exit = new Promise<number | null>((resolve) => running.once("exit", resolve));
  running.kill("SIGTERM");
  return exit;
}

/** The standard output, once it holds what is looked for. */
function said(running: ChildProcess, wanted: RegExp): Promise<string> {
  let text = "";
  return new Promise((resolve, reject) => {
    running.stdout?.on("data", (chunk) => {
      text += chunk;
      if (wanted.test(text)) resolve(text);
    });
    running.once("exit", (code) => reject(new Error(`it ended with ${code}: ${text}`)));
  });
}

interface Made {
  readonly secretAccessKey: string;
  readonly customerKey: string;
  readonly token: string;
}

function madeIn(dir: string): Made {
  return JSON.parse(readFileSync(join(dir, "secrets.json"), "utf8"));
}

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}

/** Files that hold a secret or a part of it, in whatever form a program may write one. */
function holdersOf({ secretAccessKey, customerKey, token }: Made): string[] {
  const key = Buffer.from(customerKey, "base64");
  const encoded = [customerKey, token, secretAccessKey].map((text) => Buffer.from(text).toString("base64"));
  const texts = [secretAccessKey, customerKey, token, key.toString("hex"), ...encoded];
  const needles = texts.flatMap((text) => text.match(new RegExp(`.{${BLOCK}}`, "g")) ?? []);
  needles.push(key.toString("latin1"));
  return filesBelow(machine).filter((file) => {
    const content = readFileSync(file, "latin1");
    return needles.some((needle) => content.includes(needle));
  });
}

/** Nobody else on the machine may look into any of them. */
function expectPrivate(...paths: string[]): void {
  for (const path of paths) expect(lstatSync(path).mode & 0o077, relative(machine, path)).toBe(0);
}

test(
  "npm start leaves its secrets in the files of .ssec that are meant to hold them",
  { timeout: 120_000 },
  async () => {
    const text = await said(start("scripts/start.ts"), /Ctrl-C ends it/);
    const made = madeIn(join(checkout, ".ssec"));
    const [, url] = /page +(\S+)\//.exec(text) ?? [];
    expect(text).toContain(made.token);

    // Used, so that whatever a use leaves is there as well.
    const authorization = `Bearer ${made.token}`;
    const at = `${url}/v1/objects/media/a`;
    expect((await fetch(at, { method: "PUT", headers: { authorization }, body: "a" })).status).toBe(200);
    const presigned = await fetch(`${url}/v1/presign`, {
      method: "POST",
      headers: { authorization },
      body: JSON.stringify({ operation: "GetObject", bucket: "media", key: "a" }),
    });
    expect(presigned.status).toBe(200);

    const only = [join(checkout, ".ssec/secrets.json"), join(checkout, ".ssec/token")];
    expect(holdersOf(made)).toEqual(only);
    expectPrivate(join(checkout, ".ssec"), ...only, ...filesBelow(join(checkout, ".ssec")));
    await ended();
    expect(holdersOf(made)).toEqual(only);
  },
);

test("npm run demo ends well, and leaves none", { timeout: 120_000 }, async () => {
  const running = start("scripts/demo.ts");
  let text = "";
  running.stdout?.on("data", (chunk) => (text += chunk));
  const exit = new Promise((resolve) => running.once("exit", resolve));
  await said(running, /downloads it through another/);
  // Its files stay as they are while they are looked at.
  running.kill("SIGSTOP");
  const tmp = join(machine, "tmp");
  const dir = join(tmp, readdirSync(tmp).find((name) => name.startsWith("ssec-demo-")) ?? "");
  const made = madeIn(dir);
  const only = [join(dir, "secrets.json"), join(dir, "token")];
  expect(holdersOf(made)).toEqual(only);
  expectPrivate(dir, ...only);
  running.kill("SIGCONT");
  expect(await exit).toBe(0);
  expect(text.match(/✓/g)).toHaveLength(5);
  expect(holdersOf(made)).toEqual([]);
});

test("git ignores what holds secrets", () => {
  const files = [
    ...["acme.token", "sub/any.token", ".dev.vars", ".dev.vars.production", ".env", ".env.production"],
    ...["k1.key", "tls.pem", ".ssec/secrets.json", "data/credentials.json", ".wrangler/state/x"],
  ];
  const { stdout } = spawnSync("git", ["check-ignore", "--no-index", ...files], { encoding: "utf8" });
  expect(stdout.trimEnd().split("\n")).toEqual(files);
});
