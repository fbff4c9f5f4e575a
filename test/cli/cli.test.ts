/** The operator's commands that talk to the Worker. */
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { expect, test, vi } from "vitest";
import { api, freshKey, presign, put, refused, secrets, send } from "../support/client.ts";
import { s3 } from "../support/edge.ts";
import { runHere } from "../support/ssec.ts";

const ssec = (args: string[], token = "ADMIN_TOKEN") =>
  runHere(["--url", api, ...args], { SSEC_TOKEN: secrets[token] ?? "" });

test(
  "audit prints the trail as a table, and as JSON lines",
  { tags: ["thorough"], timeout: 60_000 },
  async () => {
    const key = freshKey("cat\u001b[31m.jpg");
    await presign({ operation: "PutObject", bucket: "media", key });
    await presign({ operation: "DeleteObject", bucket: "media", key });
    await refused({ operation: "GetObject", bucket: "media", key }, "LIMITED_TOKEN");
    const lines = await vi.waitFor(
      async () => {
        const { stdout } = await ssec([
          "audit",
          "--bucket",
          "media",
          "--key",
          key,
          "--since",
          "1h",
          "--json",
        ]);
        const lines = stdout.trimEnd().split("\n");
        expect(lines).toHaveLength(3);
        return lines;
      },
      { timeout: 30_000 },
    );
    expect(JSON.parse(lines[2] ?? "")).toMatchObject({ operation: "PutObject", caller: "all", key });

    const { status, stdout } = await ssec(["audit", "--bucket", "media", "--key", key]);
    expect(status).toBe(0);
    const [head, first] = stdout.split("\n");
    expect(head).toMatch(/^time +outcome +caller +operation +bucket +key +key id +ip$/);
    expect(first).toMatch(/ forbidden +limited +GetObject +media /);
    expect(stdout).not.toContain("\u001b");

    const objects = await ssec(["audit", "objects", "k2"]);
    expect(objects.stdout).toMatch(new RegExp(`media +${key.slice(0, key.indexOf("\u001b"))}.*PutObject`));
    const summary = await ssec(["audit", "summary", "--since", "1d"]);
    expect(summary.stdout).toMatch(/^\d+ events since .*\n\noutcome +events\nallowed +\d+/);
  },
);

test("audit objects tells what is under a key now", { tags: ["thorough"], timeout: 120_000 }, async () => {
  const prefix = freshKey("used/");
  const names = ["there", "gone", "moved", "plain"];
  for (const name of names) {
    await put("media-old", prefix + name, "x");
    await presign({ operation: "GetObject", bucket: "media", key: prefix + name, keyId: "k1" });
  }
  await send(await presign({ operation: "DeleteObject", bucket: "media", key: `${prefix}gone` }));
  await put("media", `${prefix}moved`, "x");
  await s3.send(new PutObjectCommand({ Bucket: "media", Key: `${prefix}plain`, Body: "x" }));
  const used = async (...args: string[]) => {
    const { stdout } = await ssec(["audit", "objects", "k1", ...args], "AUDITOR_TOKEN");
    return stdout.split("\n").filter((line) => line.includes(prefix));
  };
  await vi.waitFor(async () => expect(await used("--no-verify")).toHaveLength(8), { timeout: 60_000 });
  const found = (await used("--json")).map((line) => JSON.parse(line));
  const nowIn = (bucket: string) => {
    const its = found.filter((object) => object.bucket === bucket);
    return Object.fromEntries(its.map(({ key, now }) => [key.slice(prefix.length), now]));
  };
  const alike = { there: { state: "there" }, gone: { state: "gone" }, plain: { state: "plain" } };
  expect(nowIn("media")).toEqual({ ...alike, moved: { state: "moved", keyId: "k2" } });
  // A bucket that does not have the other key cannot name it.
  const unknown = { state: "unknown", reason: expect.stringMatching(/^409: /) };
  expect(nowIn("media-old")).toEqual({ ...alike, moved: unknown });

  const { stdout } = await ssec(["audit", "objects", "k1"], "AUDITOR_TOKEN");
  expect(stdout).toMatch(
    /^\d+ used with k1: \d+ still under it, and lost without it, \d+ under another key, /m,
  );
  // Without a read grant nothing is known of them, and nothing is said.
  const blind = await ssec(["audit", "objects", "k1", "--json"], "ADMIN_TOKEN");
  expect(JSON.parse(blind.stdout.split("\n")[0] ?? "")).toMatchObject({ now: { state: "unknown" } });
});

test("what goes wrong is said, with the request's id", { timeout: 60_000 }, async () => {
  const forbidden = await ssec(["audit"], "READER_TOKEN");
  expect(forbidden.status).toBe(1);
  expect(forbidden.stderr).toMatch(/^ssec: 403: The caller has no admin grant\. \(request [0-9a-f-]+\)/);
  expect((await ssec(["audit"], "NONE")).stderr).toMatch(/set SSEC_TOKEN/);
  expect((await ssec(["--url", "http://127.0.0.1:9", "audit"])).stderr).toMatch(/does not answer/);
  const usage = await ssec(["audit", "--since", "yesterday"]);
  expect(usage).toMatchObject({ status: 2, stderr: expect.stringMatching(/as 2026-11-24, or 2h/) });
});
