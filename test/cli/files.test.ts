/** `ssec put`, `get`, `rm`, `ls` and `cp` of what a machine has: folders, links, pipes, devices, and names of all kinds. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { api, freshKey, get, put, secrets } from "../support/client.ts";
import { testSampled } from "../support/sampled.ts";
import { type Run, ssecHere, startSsec } from "../support/ssec.ts";

const dir = mkdtempSync(join(tmpdir(), "ssec-files-"));
afterAll(() => rmSync(dir, { recursive: true }));

const REPOSITORY = process.cwd();
const ssec = (...args: string[]) => ssecHere(args);

/** A folder of its own, with these files. */
function folder(files: Record<string, string> = {}): string {
  const made = mkdtempSync(join(dir, "f-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(made, name)), { recursive: true });
    writeFileSync(join(made, name), text);
  }
  return made;
}

/** What lies in a folder, by path: text of files, and null for folders. */
function tree(root: string): Record<string, string | null> {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(root, path), entry.isDirectory() ? null : readFileSync(path, "utf8")];
    }),
  );
}

async function keysBelow(prefix: string): Promise<string[]> {
  const { stdout, stderr } = await ssec("ls", "-r", `media/${prefix}`, "--json");
  expect(stderr).toBe("");
  return stdout
    .trimEnd()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => (JSON.parse(line) as { key: string }).key.slice(prefix.length));
}

const textOf = async (key: string) => (await get("media", key)).text;

function good({ status, stderr }: Run): void {
  expect(status, stderr).toBe(0);
}

describe("in the caller's folder", { timeout: 120_000 }, () => {
  /** As a person calls it from a folder of theirs. */
  function byNpm(cwd: string, ...args: string[]): Run {
    const env = { ...process.env, SSEC_TOKEN: secrets.ALL_TOKEN ?? "", npm_config_update_notifier: "false" };
    const line = ["--prefix", REPOSITORY, "run", "-s", "ssec", "--", "--url", api, ...args];
    const { status, stdout, stderr } = spawnSync("npm", line, { cwd, env });
    return { status, bytes: stdout, stdout: stdout.toString(), stderr: stderr.toString() };
  }

  test("paths are those of the caller, by npm too", { tags: ["thorough"] }, () => {
    const here = folder({ "package.json": "mine" });
    const object = `media/${freshKey("package.json")}`;
    const license = readFileSync("LICENSE", "utf8");
    good(byNpm(here, "put", "package.json", object));
    good(byNpm(here, "get", object, "LICENSE"));
    expect(tree(here)).toEqual({ "package.json": "mine", LICENSE: "mine" });
    expect(readFileSync("LICENSE", "utf8")).toBe(license);
    const { status, stderr } = byNpm(here, "derive", "root", "derived", "x");
    expect(status).toBe(1);
    expect(stderr).toContain(`there is no ${join(here, "wrangler.toml")}`);
  });

  test("what a script of npm's starts stays in its own folder", { tags: ["thorough"] }, async () => {
    const here = folder({ "a.txt": "here" });
    const env = {
      SSEC_TOKEN: secrets.ALL_TOKEN ?? "",
      INIT_CWD: REPOSITORY,
      npm_lifecycle_event: "ssec",
      npm_package_json: resolve("package.json"),
    };
    const key = freshKey();
    good(await startSsec(["--url", api, "put", "a.txt", `media/${key}`], env, here).ended);
    expect(await textOf(key)).toBe("here");
  });
});

describe("keys that URLs have a meaning of their own for", () => {
  const base = freshKey("k");
  const keys = ["%2e%2e/v", "a\\..\\v", "a?v", "a#v", " v", "/v", "a//v", "a/", "...", "ü ☃"].map(
    (key) => `${base}/${key}`,
  );

  test(
    "each is an object of its own, by every command",
    { tags: ["thorough"], timeout: 120_000 },
    async () => {
      const here = folder({ victim: "victim" });
      const victims = [`${base}/v`, `${base}/a`, `${base}/a/v`];
      for (const victim of victims) await put("media", victim, "victim");
      for (const [i, key] of keys.entries()) {
        writeFileSync(join(here, "x"), String(i));
        // A slash at its end says that a name comes after it.
        if (key.endsWith("/")) await put("media", key, String(i));
        else good(await ssec("put", join(here, "x"), `media/${key}`));
        const down = await ssec("get", `media/${key}`, "-");
        expect({ key, text: down.stdout, error: down.stderr }).toEqual({ key, text: String(i), error: "" });
      }
      expect((await keysBelow(`${base}/`)).sort()).toEqual(
        [...keys, ...victims].map((key) => key.slice(base.length + 1)).sort(),
      );
      for (const key of keys) good(await ssec("rm", `media/${key}`));
      expect((await keysBelow(`${base}/`)).sort()).toEqual(["a", "a/v", "v"]);
    },
  );

  test("those that every client changes are refused before anything is sent", async () => {
    const victim = freshKey("victim");
    await put("media", victim, "here");
    const up = `media/x/../${victim}`;
    const bucket = `vault/../media/${victim}`;
    const file = join(folder({ f: "other" }), "f");
    for (const args of [
      ["rm", up],
      ["rm", bucket],
      ["rm", `../objects/media/${victim}`],
      ["put", file, up],
      ["put", "/proc/version", up],
      ["put", file, `media/${victim.replace("/", "/./")}`],
      ["get", bucket, "-"],
      ["head", up],
      ["cp", `media/${victim}`, `media/../media/${victim}x`],
      ["cp", up, "media/copy"],
    ]) {
      const { status, stdout, stderr } = await ssec(...args);
      expect({ args, status, stdout }).toEqual({ args, status: 2, stdout: "" });
      expect(stderr).toMatch(/^error: .*(as a segment|of a folder)/);
    }
    expect(await textOf(victim)).toBe("here");
  });
});

describe("put", { timeout: 120_000 }, () => {
  testSampled(
    [
      ["a pipe of the shell", 'put <(seq 3) "$1"', "1\n2\n3\n"],
      ["a named pipe", 'mkfifo "$2/p"; seq 3 >"$2/p" & put "$2/p" "$1"', "1\n2\n3\n"],
      ["/dev/stdin, a pipe", 'seq 3 | put /dev/stdin "$1"', "1\n2\n3\n"],
      ["/dev/stdin, a file that was read in part", '(read -r; put /dev/stdin "$1") < <(seq 3)', "2\n3\n"],
      ["-, a file", 'seq 3 >"$2/f"; put - "$1" <"$2/f"', "1\n2\n3\n"],
      ["a pipe that ends at once", 'put <(true) "$1"', ""],
    ],
    6,
    "%s is sent as it comes",
    async ([, script, text]) => {
      const key = freshKey();
      await put("media", key, "before");
      const here = folder();
      const run = await bash(`put() { ssec put "$@"; }; ${script}`, `media/${key}`, here);
      good(run);
      expect(run.stdout).toContain(`${text.length} bytes under k2`);
      if (text === "") expect(run.stderr).toContain("the object is empty");
      expect(await textOf(key)).toBe(text);
    },
  );

  test("a file of /proc says 0 bytes, and has some", async () => {
    const key = freshKey();
    good(await ssec("put", "/proc/version", `media/${key}`));
    expect(await textOf(key)).toBe(readFileSync("/proc/version", "utf8"));
  });

  test("a slash at its end makes the target a folder", async () => {
    const here = folder({ "cat.txt": "cat", "dog.txt": "dog" });
    const base = freshKey("in");
    good(await ssec("put", join(here, "cat.txt"), `media/${base}/`));
    good(await ssec("put", join(here, "cat.txt"), join(here, "dog.txt"), `media/${base}/two/`));
    expect(await keysBelow(`${base}/`)).toEqual(["cat.txt", "two/cat.txt", "two/dog.txt"]);
    // The root of a bucket is one too.
    const name = `${base.replaceAll("/", "-")}.txt`;
    writeFileSync(join(here, name), "root");
    good(await ssec("put", join(here, name), "media/"));
    expect(await textOf(name)).toBe("root");
    good(await ssec("rm", `media/${name}`));
    for (const [args, said] of [
      [[join(here, "cat.txt"), join(here, "dog.txt"), `media/${base}`], "end it with a slash"],
      [["-", "media/"], "standard input has no name"],
      [[join(here, "cat.txt"), "media"], "as BUCKET/KEY, or BUCKET/"],
      [[join(here, "cat.txt")], "missing argument"],
    ] as const) {
      const { status, stderr } = await ssec("put", ...args);
      expect({ args, status }).toEqual({ args, status: 2 });
      expect(stderr).toContain(said);
    }
  });

  test("metadata may be empty, and in any script", async () => {
    const key = freshKey();
    const file = join(folder({ f: "x" }), "f");
    good(await ssec("put", file, `media/${key}`, "--meta", "author=Zoë ☃"));
    const { stdout } = await ssec("head", `media/${key}`, "--json");
    expect(JSON.parse(stdout).metadata).toMatchObject({ author: "Zoë ☃" });
  });

  test("what is no file is told so", async () => {
    const here = folder({ "a/b": "x" });
    const told = await ssec("put", join(here, "a"), "media/x");
    expect(told).toMatchObject({ status: 1, stderr: expect.stringContaining("is a folder: give -r") });
  });
});

describe("get", { timeout: 120_000 }, () => {
  const key = freshKey("cat.txt");
  const object = `media/${key}`;
  const putIt = () => put("media", key, "new");

  test("what is there stays, unless it is to be replaced", async () => {
    await putIt();
    const here = folder({ "cat.txt": "old" });
    const path = join(here, "cat.txt");
    for (const to of [path, here, `${here}/`]) {
      const { status, stderr } = await ssec("get", object, to);
      expect({ to, status }).toEqual({ to, status: 1 });
      expect(stderr).toContain(`npm run -s ssec -- --url ${api} get ${object} ${to} --force`);
    }
    expect(tree(here)).toEqual({ "cat.txt": "old" });
    execFileSync("chmod", ["640", path]);
    good(await ssec("get", object, path, "--force"));
    expect(tree(here)).toEqual({ "cat.txt": "new" });
    expect(statSync(path).mode & 0o777).toBe(0o640);
    good(await ssec("get", object, join(here, "made/")));
    expect(tree(here)).toEqual({ "cat.txt": "new", made: null, "made/cat.txt": "new" });
  });

  test("a folder that is in the way, or is not there, is named as such", async () => {
    await putIt();
    const taken = folder({ "cat.txt/x": "mine" });
    const inWay = await ssec("get", object, taken);
    expect(inWay.stderr).toBe(`ssec: ${join(taken, "cat.txt")} is a folder\n`);
    const to = join(folder({}), "none/cat.txt");
    const { status, stderr } = await ssec("get", object, to);
    expect({ status, stderr }).toEqual({ status: 1, stderr: `ssec: there is no folder for ${to}\n` });
  });

  test("a link is followed, and stays one", async () => {
    await putIt();
    const here = folder({ "real/file": "old", "real/other": "other" });
    symlinkSync("real/file", join(here, "link"));
    symlinkSync("nowhere", join(here, "dangling"));
    symlinkSync("loop", join(here, "loop"));
    symlinkSync("real", join(here, "folder"));
    expect((await ssec("get", object, join(here, "link"))).status).toBe(1);
    good(await ssec("get", object, join(here, "link"), "--force"));
    good(await ssec("get", object, join(here, "folder")));
    for (const name of ["dangling", "loop"]) {
      for (const force of [[], ["--force"]])
        expect((await ssec("get", object, join(here, name), ...force)).status).toBe(1);
    }
    for (const name of ["link", "dangling", "loop", "folder"])
      expect(lstatSync(join(here, name)).isSymbolicLink(), name).toBe(true);
    expect(tree(join(here, "real"))).toEqual({ "cat.txt": "new", file: "new", other: "other" });
    expect(existsSync(join(here, "nowhere"))).toBe(false);
  });

  test("a pipe and a device get the bytes, and stay what they are", async () => {
    await putIt();
    const here = folder();
    const pipe = join(here, "pipe");
    execFileSync("mkfifo", [pipe]);
    const reader = spawn("cat", [pipe]);
    let read = "";
    reader.stdout.on("data", (text) => (read += text));
    const ended = new Promise((done) => reader.once("close", done));
    good(await ssec("get", object, pipe));
    await ended;
    expect(read).toBe("new");
    expect(lstatSync(pipe).isFIFO()).toBe(true);
    good(await ssec("get", object, "/dev/null"));
    expect(lstatSync("/dev/null").isCharacterDevice()).toBe(true);
    const full = await ssec("get", object, "/dev/full");
    expect(full).toMatchObject({ status: 1, stderr: expect.stringContaining("ENOSPC") });
    expect(readdirSync("/dev").filter((name) => name.includes("ssec-part"))).toEqual([]);
  });

  test("standard output by its other names, and full", { tags: ["thorough"] }, async () => {
    await putIt();
    const here = folder();
    const run = await bash(
      `cd "$2"; ssec get "$1" /dev/stdout >out && ssec get "$1" >(cat >piped); ssec get "$1" - >/dev/full; echo "full $?"`,
      object,
      here,
    );
    expect(run.stdout).toContain("full 1");
    expect(run.stderr).toContain("ENOSPC");
    expect(tree(here)).toEqual({ out: "new", piped: "new" });
  });

  test("a key that ends in no name needs one", async () => {
    const base = freshKey("folder/");
    await put("media", base, "x");
    const here = folder();
    expect(await ssec("get", `media/${base}`, here)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("no file can have the name"),
    });
    good(await ssec("get", `media/${base}`, join(here, "f")));
    expect(tree(here)).toEqual({ f: "x" });
  });
});

test("rm of nothing is a failure, unless that is no matter", { timeout: 60_000 }, async () => {
  const there = freshKey();
  const gone = freshKey();
  await put("media", there, "x");
  expect(await ssec("rm", `media/${gone}`)).toMatchObject({
    status: 1,
    stderr: `ssec: there is no media/${gone}\n`,
  });
  good(await ssec("rm", `media/${gone}`, "--force"));
  const both = await ssec("rm", `media/${gone}`, `media/${there}`);
  expect(both).toMatchObject({ status: 1, stderr: expect.stringContaining("1 of 2 not deleted") });
  expect((await get("media", there).catch(() => undefined))?.status).not.toBe(200);
  expect((await ssec("rm", "-r", `media/${freshKey("none/")}`)).status).toBe(1);
  const all = await ssec("rm", "-r", "media");
  expect(all).toMatchObject({ status: 2, stderr: expect.stringContaining("rm -r media --force") });
  expect((await ssec("rm", `media/${gone}`, `media/${there}`, "--version-id", "x")).status).toBe(2);
});

test("ls shows one level, and with -r everything", { timeout: 60_000 }, async () => {
  const base = freshKey("level");
  for (const key of ["a", "b/c", "b/d/e", "z"]) await put("media", `${base}/${key}`, "x");
  const level = await ssec("ls", `media/${base}/`, "--json");
  const names = level.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { key?: string; prefix?: string })
    .map(({ key, prefix }) => key ?? prefix);
  expect(names).toEqual(["a", "b/", "z"].map((name) => `${base}/${name}`));
  const shown = await ssec("ls", `media/${base}/`);
  expect(shown.stdout).toMatch(new RegExp(`^ +folder  ${base}/b/$`, "m"));
  expect(await keysBelow(`${base}/`)).toEqual(["a", "b/c", "b/d/e", "z"]);
});

test(
  "rm -r deletes nothing where nobody can be asked, unless it is told to",
  { timeout: 60_000 },
  async () => {
    const base = freshKey("asked");
    await put("media", `${base}/a`, "x");
    const refused = await startSsec(["--url", api, "rm", "-r", `media/${base}/`], {
      SSEC_TOKEN: secrets.ALL_TOKEN ?? "",
    }).ended;
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining("--yes") });
    expect(await keysBelow(`${base}/`)).toEqual(["a"]);
    good(await ssec("rm", "-r", `media/${base}/`, "--yes"));
    expect(await keysBelow(`${base}/`)).toEqual([]);
  },
);

test("--quiet tells nothing but what goes wrong", { timeout: 60_000 }, async () => {
  const here = folder({ "d/a": "a", "d/b": "b" });
  const base = freshKey("quiet");
  const up = await ssec("put", "-rq", "--jobs", "2", join(here, "d"), `media/${base}/`);
  expect(up).toMatchObject({ status: 0, stdout: "", stderr: "" });
  writeFileSync(join(here, "b"), "mine");
  const down = await ssec("get", "-q", `media/${base}/d/a`, `media/${base}/d/b`, here);
  expect(down).toMatchObject({ status: 1, stdout: "", stderr: expect.stringMatching(/^ssec: .*d\/b: /) });
  expect(readFileSync(join(here, "b"), "utf8")).toBe("mine");
  expect(readFileSync(join(here, "a"), "utf8")).toBe("a");
});

describe("folders", { timeout: 180_000 }, () => {
  const FILES = {
    "photos/cat.txt": "cat",
    "photos/2026/dog.txt": "dog",
    "photos/2026/ü ☃": "snow",
    "photos/empty": "",
    "photos/.hidden": "hidden",
  };

  test("go up, are copied, come down, and are deleted", async () => {
    const here = folder(FILES);
    const base = freshKey("all");
    const up = await ssec("put", "-r", join(here, "photos"), `media/${base}/`);
    good(up);
    expect(up.stderr).toBe("5 uploaded\n");
    expect((await keysBelow(`${base}/`)).sort()).toEqual(Object.keys(FILES).sort());
    good(await ssec("put", "-r", join(here, "photos"), `media/${base}/other`));
    good(await ssec("cp", "-r", `media/${base}/photos`, `media/${base}/photos/`));
    expect((await keysBelow(`${base}/photos/photos/`)).length).toBe(5);
    expect((await keysBelow(`${base}/other/`)).length).toBe(5);

    const down = folder();
    good(await ssec("get", "-r", `media/${base}/other`, join(down, "new")));
    good(await ssec("get", "-r", `media/${base}/other/`, down));
    const expected = Object.fromEntries(
      Object.entries(FILES).map(([path, text]) => [path.slice("photos/".length), text]),
    );
    expect(tree(join(down, "new"))).toEqual({ ...expected, 2026: null });
    expect(tree(join(down, "other"))).toEqual({ ...expected, 2026: null });
    // Once more: each file is there.
    const again = await ssec("get", "-r", `media/${base}/other/`, down);
    expect(again).toMatchObject({ status: 1, stderr: expect.stringContaining("5 of 5 not downloaded") });
    good(await ssec("get", "-r", `media/${base}/other/`, down, "--force"));

    // What only begins alike is another folder.
    await put("media", `${base}/otherwise`, "x");
    const removed = await ssec("rm", "-r", `media/${base}/other`, `media/${base}/photos`, "--yes");
    good(removed);
    expect(removed.stderr).toBe("15 deleted\n");
    expect(await keysBelow(`${base}/`)).toEqual(["otherwise"]);
  });

  test("with all sorts in them: what is no file is named, and the rest goes up", async () => {
    const here = folder({ "d/a": "a", "d/e/b": "b" });
    symlinkSync("..", join(here, "d/e/loop"));
    symlinkSync("a", join(here, "d/link"));
    symlinkSync("nowhere", join(here, "d/dangling"));
    execFileSync("mkfifo", [join(here, "d/pipe")]);
    writeFileSync(Buffer.concat([Buffer.from(join(here, "d/latin")), Buffer.from([0xe9])]), "x");
    const base = freshKey("sorts");
    const { status, stderr } = await ssec("put", "-r", join(here, "d"), `media/${base}/`);
    expect(status).toBe(1);
    for (const name of ["loop", "dangling", "pipe", "latin"])
      expect(stderr).toMatch(new RegExp(`^ssec: .*${name}`, "m"));
    expect(stderr).toContain("4 of 7 not uploaded");
    expect((await keysBelow(`${base}/d/`)).sort()).toEqual(["a", "e/b", "link"]);
    expect(await textOf(`${base}/d/link`)).toBe("a");
  });

  test("links on the way down, and files in it, are not followed out of the folder", async () => {
    const base = freshKey("down");
    for (const key of ["link/x", "file/x", "pipe", "onto", "fine"])
      await put("media", `${base}/${key}`, "new");
    const outside = folder({ victim: "old" });
    const out = folder({ "down/file": "old" });
    symlinkSync(outside, join(out, "down/link"));
    symlinkSync(join(outside, "victim"), join(out, "down/onto"));
    execFileSync("mkfifo", [join(out, "down/pipe")]);
    const { status, stderr } = await ssec("get", "-r", `media/${base}`, "--force", out);
    expect(status).toBe(1);
    for (const name of ["link/x", "file/x", "pipe", "onto"]) expect(stderr).toContain(`${base}/${name}: `);
    expect(stderr).toContain("4 of 5 not downloaded");
    expect(tree(outside)).toEqual({ victim: "old" });
    expect(readFileSync(join(out, "down/fine"), "utf8")).toBe("new");
  });
});

describe("standard output that takes no more", { tags: ["thorough"], timeout: 120_000 }, () => {
  test("is a failure; a reader that has enough is none to speak of", async () => {
    const base = freshKey("l");
    await put("media", `${base}/a`, randomBytes(1));
    const run = await bash(
      `ssec ls media >/dev/full; echo "full $?"; ssec head "$1" >/dev/full; echo "head $?"
       ssec --help >/dev/full; echo "help $?"; ssec ls media | true; echo "pipe \${PIPESTATUS[0]}"`,
      `media/${base}/a`,
    );
    expect(run.stdout).toMatch(/^full 1\nhead 1\nhelp 1\npipe (141|0)\n$/);
    expect(run.stderr.match(/^ssec: standard output: .*ENOSPC/gm)).toHaveLength(3);
    expect(run.stderr).not.toContain("EPIPE");
  });
});

/** A script in which `ssec` is the command, at the Worker of this run. */
function bash(script: string, ...args: string[]): Promise<Run> {
  const child = spawn(
    "bash",
    ["-c", `ssec() { "$NODE" "$PROGRAM" --url "$API" "$@"; }; ${script}`, "bash", ...args],
    {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        NODE: process.execPath,
        PROGRAM: resolve("src/cli/ssec.ts"),
        API: api,
        SSEC_TOKEN: secrets.ALL_TOKEN,
      },
    },
  );
  const out: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
  for (const name of ["stdout", "stderr"] as const) child[name].on("data", (chunk) => out[name].push(chunk));
  return new Promise((done) =>
    child.once("close", (status) => {
      const bytes = Buffer.concat(out.stdout);
      done({ status, bytes, stdout: bytes.toString(), stderr: Buffer.concat(out.stderr).toString() });
    }),
  );
}
