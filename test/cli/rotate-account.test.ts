/** How far a rotation is, and what has become of it, in words. */
import { expect, test } from "vitest";
import { accountOf, isBad } from "../../src/cli/rotate/account.ts";
import { estimateOf } from "../../src/cli/rotate/estimate.ts";
import { inTime, RotationProgress } from "../../src/cli/rotate/progress.ts";
import type { RotationReport } from "../../src/rotation/state.ts";

const commands = {
  ...{ status: "STATUS", follow: "FOLLOW", cancel: "CANCEL", resume: "RESUME" },
  ...{ errors: "ERRORS", versions: "VERSIONS" },
};
const report: RotationReport = {
  ...{ id: "r", bucket: "media", prefix: "", to: "k2", dryRun: false, state: "running" },
  ...{ startedAt: "2026-11-28T12:00:00.000Z", listed: 1000, listedBytes: 4_096_000, isListed: false },
  ...{ rotated: 0, skipped: 0, failed: 0, bytes: 0, found: { plain: 0, unknown: 0 }, olderVersions: 0 },
};

test("progress: objects, bytes, pace and time left, of what was done while it was watched", () => {
  const shown = new RotationProgress(false, 0);
  expect(shown.text({ ...report, rotated: 100, bytes: 1024 }, 0)).toBe(
    "rotating media  100/1000+ objects  1.0 KiB  0.0/s",
  );
  const half = { ...report, isListed: true, rotated: 300, skipped: 200, bytes: 1024 * 1025 };
  expect(shown.text(half, 10)).toBe(
    `rotating media  ${"█".repeat(15)}${"░".repeat(15)} 50%  500/1000 objects  1.0 MiB  40/s  102.4 KiB/s  13 s left`,
  );
  const waits = { ...half, reason: "The store is down.", pausedUntil: "2026-11-28T12:01:02.000Z" };
  expect(shown.text(waits, 10)).toMatch(
    /500\/1000 objects {2}waits until 12:01:02 UTC: The store is down\.$/,
  );
  expect([99, 100, 7200, 200_000].map(inTime)).toEqual(["99 s", "2 min", "2.0 h", "2.3 days"]);
});

test("an account names what is left, what failed first, and the commands for the rest", () => {
  const errors = Array.from({ length: 12 }, (_, i) => ({
    key: `a\u001b${i}`,
    code: "conflict",
    detail: "It is locked.",
  }));
  const done: RotationReport = {
    ...{ ...report, state: "done", endedAt: "2026-11-28T12:03:20.000Z", rotated: 5, failed: 12 },
    ...{ found: { plain: 2, unknown: 1, k1: 5 }, olderVersions: 3, errors },
  };
  const lines = accountOf(done, commands);
  expect(lines[0]).toContain(
    "media: the rotation to k2 is done: 5 rotated (0 B), 0 skipped, 12 failed, in 4 min",
  );
  expect(lines).toContain("  found: 5 under k1, 2 in the clear, 1 under none of the keys");
  expect(lines).toContain("  3 older versions are under other keys, which have to stay for them: VERSIONS");
  expect(lines).toContain("  a\\x1b0: conflict: It is locked.");
  expect(lines.at(-1)).toBe("  2 more; all of them: ERRORS");
  expect(isBad(done)).toBe(true);
  const versioned = { ...done, failed: 0, versions: { copied: 2, removed: 0, failed: 1 } };
  const ofVersions = accountOf(versioned, commands);
  expect(ofVersions).toContain("  older versions: 2 copied, 0 removed, 1 failed");
  expect(ofVersions).toContain("  a\\x1b0: conflict: It is locked.");
  expect(ofVersions.at(-1)).toBe("  more; all of them: ERRORS");
  expect(isBad(versioned)).toBe(true);
  const failed = accountOf({ ...report, state: "failed", reason: "No such key." }, commands);
  expect(failed[0]).toMatch(
    /has failed: No such key\. So far: 0 rotated .*\n {2}once that is mended: RESUME/,
  );
});

test("the estimate of a million objects goes by the pace of the dry run", () => {
  const dry: RotationReport = {
    ...{ ...report, dryRun: true, state: "done", isListed: true, endedAt: "2026-11-28T13:00:00.000Z" },
    ...{
      listed: 1_000_000,
      listedBytes: 1e12,
      skipped: 1_000_000,
      found: { k1: 900_000, k2: 90_000, plain: 10_000 },
    },
  };
  const { objects, bytes, requests, dollars, seconds } = estimateOf(dry, true);
  expect({ objects, bytes, requests }).toEqual({ objects: 900_000, bytes: 9e11, requests: 3_702_000 });
  // A COPY and three HEADs of each, one HEAD of the others, two LISTs of a thousand.
  expect(dollars.store).toBeCloseTo(
    900_000 * (0.000005 + 3 * 0.0000004) + 100_000 * 0.0000004 + 2000 * 0.000005,
    6,
  );
  expect(seconds / 3600).toBeCloseTo(3.7, 1);
  expect(estimateOf({ ...dry, encryptPlain: true } as RotationReport, true).objects).toBe(910_000);
  expect(estimateOf({ ...dry, from: "k0" }, false)).toMatchObject({ objects: 0, dollars: { cloudflare: 0 } });
});
