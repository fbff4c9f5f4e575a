/** git-lfs as Debian has it, with nothing but an address and a password. */
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, call, freshKey, isCeph, secrets } from "../support/client.ts";
import { GIT_LFS, isSkipped, programOf } from "../support/tools.ts";

const home = mkdtempSync(join(tmpdir(), "ssec-git-lfs-"));
const folder = freshKey("repo");
const files = { "small.bin": randomBytes(100), "deep/large ü.bin": randomBytes(9 * 2 ** 20) };
const oids = Object.values(files).map((body) => createHash("sha256").update(body).digest("hex"));

afterAll(() => rmSync(home, { recursive: true }));

/** The password comes as from anyone's helper, and is in no address and no argument. */
async function git(cwd: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(programOf(GIT_LFS), args, {
    cwd: join(home, cwd),
    env: {
      PATH: "/usr/bin:/bin",
      HOME: home,
      LC_ALL: "C.UTF-8",
      TOKEN: secrets.ALL_TOKEN,
      GIT_TERMINAL_PROMPT: "0",
      GIT_TRACE: "1",
    },
  });
  return stdout + stderr;
}

/** In what it traces: a file that goes up. */
const SENT = /HTTP: PUT/g;

describe.skipIf(isSkipped(GIT_LFS))(`git-lfs over ${isCeph ? "Ceph" : "the development store"}`, () => {
  beforeAll(async () => {
    writeFileSync(
      join(home, ".gitconfig"),
      `[user]\nname = T\nemail = t@example.com\n[credential]\nhelper = "!f() { echo username=any; echo password=$TOKEN; }; f"\n`,
    );
    await git(".", "lfs", "install");
    await git(".", "init", "--bare", "remote.git");
    await git(".", "clone", "remote.git", "work");
    writeFileSync(join(home, "work/.lfsconfig"), `[lfs]\nurl = ${api}/v1/lfs/media/${folder}\n`);
    await git("work", "lfs", "track", "*.bin");
    for (const [name, body] of Object.entries(files)) {
      mkdirSync(join(home, "work", name, ".."), { recursive: true });
      writeFileSync(join(home, "work", name), body);
    }
    await git("work", "add", "-A");
    await git("work", "commit", "-m", "files");
  });

  test("what is pushed lies encrypted in the store, and a clone has it", async () => {
    const said = await git("work", "push", "origin", "HEAD");
    expect(said.match(SENT)).toHaveLength(oids.length);
    for (const oid of oids) {
      const key = `${folder}/${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`;
      const proof = await call("/v1/verify", {
        method: "POST",
        body: JSON.stringify({ bucket: "media", key }),
      });
      expect(await proof.json()).toMatchObject({ encrypted: true, keyId: "k2" });
    }
    await git(".", "clone", "remote.git", "clone");
    for (const [name, body] of Object.entries(files))
      expect(readFileSync(join(home, "clone", name)).equals(body), name).toBe(true);
    await git("clone", "lfs", "fsck");
  });

  test("pushed again, and from another folder, nothing is sent", async () => {
    for (const folder of ["work", "clone"])
      expect(await git(folder, "lfs", "push", "--all", "origin")).not.toMatch(SENT);
  });

  test("a file that is lost in the store is named when it is cloned", async () => {
    const [oid = ""] = oids;
    const key = `${folder}/${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`;
    expect((await call(`/v1/objects/media/${key}`, { method: "DELETE" })).status).toBe(204);
    await expect(git(".", "clone", "remote.git", "poorer")).rejects.toThrow(
      /There is no such object|not found|404/i,
    );
    // Whoever has it mends that by pushing once more.
    await git("work", "lfs", "push", "--all", "origin");
    await git("poorer", "lfs", "pull");
  });

  test("whoever has no password is told that one is wanted", async () => {
    await git(".", "config", "--global", "--unset", "credential.helper");
    rmSync(join(home, "clone/.git/lfs/objects"), { recursive: true });
    await expect(git("clone", "lfs", "fetch", "--all")).rejects.toThrow(
      /credentials for .*\/v1\/lfs\/media/i,
    );
  });
});
