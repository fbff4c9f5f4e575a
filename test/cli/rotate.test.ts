/** `ssec rotate`, as an operator uses it: begun, watched, left, looked at, cancelled, gone on with. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { RotationReport } from "../../src/rotation/state.ts";
import { type Rotating, rotating } from "../support/rotating.ts";

const KEYS = Array.from({ length: 6 }, (_, i) => `objects/${i}`);
let media: Rotating;
let url: string;

beforeAll(async () => {
  media = await rotating();
  url = await media.deployed();
  await media.put(KEYS, "SSEC_K1");
  await media.put(["new"], "SSEC_K2");
});
afterAll(() => media?.close());

const rotate = (...args: string[]) => media.ssec(["--url", url, "rotate", "media", ...args]);

test("a dry run says what would be done, and does nothing", { tags: ["thorough"] }, async () => {
  const { status, stdout } = await rotate("--dry-run");
  expect(status).toBe(0);
  expect(stdout).toContain("✓ media: the dry run is done: 7 objects seen, in");
  expect(stdout).toContain("found: 1 under k2, 6 under k1");
  expect(stdout).toMatch(/6 objects, about \d+\.\d B, would be rotated to k2:|6 objects, about \d+ B/);
  expect(stdout).toMatch(/about 27 requests to the store, less than \$0\.01 at AWS's prices/);
  expect(stdout).toMatch(/less than \$0\.01 at Cloudflare/);
  const { estimate, found } = JSON.parse((await rotate("--dry-run", "--json")).stdout);
  expect([estimate.objects, estimate.requests, found.k1]).toEqual([6, 27, 6]);
  expect(await media.areUnder(KEYS, "SSEC_K1")).toBe(true);
});

test("what is asked for is done, and accounted for; run twice, nothing is left to do", async () => {
  await media.put(["plain"]);
  const { status, stdout, stderr } = await rotate("--prefix", "objects/");
  expect(stdout).toMatch(
    /✓ media\/objects\/: the rotation to k2 is done: 6 rotated \(\d+ B|.*KiB\), 0 skipped/,
  );
  expect(status, stderr).toBe(0);
  expect(await media.areUnder(KEYS, "SSEC_K2")).toBe(true);
  const again = await rotate();
  expect(again.stdout).toContain("! media: the rotation to k2 is done: 0 rotated (0 B), 7 skipped, 1 failed");
  expect(again.stdout).toContain("found: 7 under k2, 1 in the clear");
  expect(again.stdout).toContain("  plain: not-encrypted: It was stored without a customer key.");
  expect(again.status).toBe(1);
  const errors = await rotate("--errors", "--json");
  expect(JSON.parse(errors.stdout)).toMatchObject({ key: "plain", code: "not-encrypted" });
  expect(JSON.parse((await rotate("--status", "--json")).stdout)).toMatchObject({ failed: 1, skipped: 7 });
  await media.put(["plain"], "SSEC_K2");
});

test(
  "Ctrl-C leaves it running, and says how to look, to follow and to cancel",
  { tags: ["thorough"], timeout: 120_000 },
  async () => {
    await media.put(KEYS, "SSEC_K1");
    const goOn = media.holdUp();
    const { child, ended } = media.start(["--url", url, "rotate", "media"]);
    let told = "";
    child.stderr.on("data", (chunk) => (told += chunk));
    await vi.waitFor(() => expect(told).toContain("rotating media"), { timeout: 40_000 });
    child.kill("SIGINT");
    const { status, stdout, stderr } = await ended;
    expect([status, stdout]).toEqual([130, ""]);
    expect(stderr).toContain("ssec: it goes on in the Worker\n");
    const commands = Object.fromEntries(
      [...stderr.matchAll(/^ {2}(\w+): +.* (--url .*)$/gm)].map((m) => [m[1], m[2]]),
    );
    expect(commands).toEqual({
      look: `--url ${url} rotate media --status`,
      follow: `--url ${url} rotate media`,
      cancel: `--url ${url} rotate media --cancel`,
    });
    const given = (line = "") => media.ssec(line.split(" "));
    const looked = await given(commands.look);
    expect(looked.status).toBe(0);
    expect(looked.stdout).toMatch(/media: the rotation to k2 of .* runs: 0 of \d (or more )?objects/);
    // What runs is not what is asked for.
    for (const other of [["--dry-run"], ["--prefix", "x/"], ["--from", "k2"], ["--to", "k1"]]) {
      const refused = await rotate(...other);
      expect([refused.status, refused.stderr], other.join()).toEqual([
        1,
        expect.stringContaining("a rotation to k2 runs in media, which is not what is asked for"),
      ]);
    }
    const cancelled = await given(commands.cancel);
    expect([cancelled.status, cancelled.stdout]).toEqual([0, expect.stringContaining("was cancelled")]);
    expect((await given(commands.cancel)).status).toBe(0);
    goOn();
    const resumed = await rotate("--resume");
    expect(resumed.stdout).toMatch(/✓ media: the rotation to k2 is done: \d rotated .*, 0 failed/);
    expect(await media.areUnder(KEYS, "SSEC_K2")).toBe(true);
    const over = await given(commands.cancel);
    expect([over.status, over.stderr]).toEqual([1, expect.stringContaining("nothing runs in media")]);
  },
);

test("one that runs already is followed to its end", { tags: ["thorough"], timeout: 120_000 }, async () => {
  await media.put(KEYS, "SSEC_K1");
  const goOn = media.holdUp();
  const first = media.start(["--url", url, "rotate", "media", "--json"]);
  let told = "";
  first.child.stderr.on("data", (chunk) => (told += chunk));
  await vi.waitFor(() => expect(told).toContain("rotating media"), { timeout: 40_000 });
  const second = rotate("--json");
  setTimeout(goOn, 300);
  const [a, b] = await Promise.all([first.ended, second]);
  const reports = [a, b].map(({ stdout }) => JSON.parse(stdout) as RotationReport);
  expect(b.stderr).toMatch(/a rotation to k2, begun .*, goes on/);
  expect(reports[0]?.id).toBe(reports[1]?.id);
  expect([a.status, b.status, reports[0]?.rotated]).toEqual([0, 0, 6]);
});

test("of several keys, one after another", { tags: ["thorough"] }, async () => {
  await media.put(["a"], "SSEC_K1");
  const { status, stderr } = await rotate("--from", "k1", "--from", "k9");
  expect(stderr).toMatch(/from: is none of this bucket's keys \(k2, k1\)/);
  expect(status).toBe(1);
  expect(await media.areUnder(["a"], "SSEC_K2")).toBe(true);
});

test("only what is asked for is sent", { tags: ["thorough"] }, async () => {
  // Of a field that it does not know, a Worker says so by name.
  const fetched = vi.spyOn(globalThis, "fetch");
  try {
    await rotate("--dry-run", "--prefix", "none/");
    const sent = fetched.mock.calls.flatMap(([, init]) =>
      init?.method === "POST" ? [String(init.body)] : [],
    );
    expect(sent.map((body) => JSON.parse(body))).toEqual([
      { bucket: "media", prefix: "none/", dryRun: true },
    ]);
    fetched.mockClear();
    await rotate("--versions", "--encrypt-plain", "--prefix", "none/");
    const [body] = fetched.mock.calls.flatMap(([, init]) =>
      init?.method === "POST" ? [String(init.body)] : [],
    );
    expect(JSON.parse(body ?? "")).toEqual({
      bucket: "media",
      prefix: "none/",
      versions: true,
      encryptPlain: true,
    });
  } finally {
    fetched.mockRestore();
  }
});

test.for<[string, string[], Record<string, string>, RegExp, number]>([
  ["no token", ["rotate", "media"], { SSEC_TOKEN: "" }, /set SSEC_TOKEN/, 1],
  ["another's token", ["rotate", "media"], { SSEC_TOKEN: "x".repeat(30) }, /401/, 1],
  ["a bucket that there is not", ["rotate", "nowhere"], {}, /403/, 1],
  ["a bucket and a prefix in one", ["rotate", "media/a"], {}, /named by --prefix/, 1],
  ["--status and --dry-run", ["rotate", "media", "--status", "--dry-run"], {}, /cannot be used with/, 2],
  ["--errors and --prefix", ["rotate", "media", "--errors", "--prefix", "a"], {}, /cannot be used with/, 2],
  ["--cancel and --resume", ["rotate", "media", "--cancel", "--resume"], {}, /cannot be used with/, 2],
  ["no bucket", ["rotate"], {}, /missing required argument/, 2],
])("%s is refused", async ([, args, env, reason, expected]) => {
  const { status, stdout, stderr } = await media.ssec(["--url", url, ...args], env);
  expect({ status, stdout, stderr }).toEqual({
    status: expected,
    stdout: "",
    stderr: expect.stringMatching(reason),
  });
});

test(
  "a reader that has gone is no failure of the rotation",
  { tags: ["thorough"], timeout: 30_000 },
  async () => {
    const { child, ended } = media.start(["--url", url, "rotate", "media", "--prefix", "none/"]);
    child.stdout.destroy();
    expect((await ended).status).toBe(141);
    expect(JSON.parse((await rotate("--status", "--json")).stdout)).toMatchObject({ state: "done" });
  },
);
