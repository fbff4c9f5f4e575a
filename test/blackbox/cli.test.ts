/** The operator's commands that talk to the Worker. */
import { expect, test, vi } from "vitest";
import { freshKey, presign, refused } from "./client.ts";
import { ssec } from "./ssec.ts";

test("audit prints the trail as a table, and as JSON lines", { timeout: 60_000 }, async () => {
  const key = freshKey("cat\u001b[31m.jpg");
  await presign({ operation: "PutObject", bucket: "media", key });
  await presign({ operation: "DeleteObject", bucket: "media", key });
  await refused({ operation: "GetObject", bucket: "media", key }, "LIMITED_TOKEN");
  const lines = await vi.waitFor(
    async () => {
      const { stdout } = await ssec(["audit", "--bucket", "media", "--key", key, "--since", "1h", "--json"]);
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
