import { expect, it } from "vitest";
import type { Bucket } from "../../../src/config/load.ts";
import { refusal } from "../../../src/s3/store/refusals.ts";

const asked = { method: "PUT", bucket: { name: "media", store: { name: "here" } } as Bucket };

it.each([
  [404, "NoSuchUpload", "not-found", "NoSuchUpload"],
  [400, "BadDigest", "invalid-request", "BadDigest"],
  // No answer to a HEAD has a code.
  [404, "", "not-found", undefined],
  // What only the operator can mend, for the service itself: fronts pass no store-error's word on.
  [403, "AccessDenied", "store-error", "AccessDenied"],
  [403, "", "store-error", "403"],
])("a store's %d %s is %s, and in S3's own word %s", (status, code, reason, storeCode) => {
  expect(refusal(status, code, asked)).toMatchObject({ reason, storeCode });
});

it.each([
  ["7", 7],
  ["Sat, 28 Nov 2026 00:00:00 GMT", new Date(Date.UTC(2026, 10, 28))],
  [undefined, 5],
  ["Sat, 99 Nov 2026 00:00:00 GMT", 5],
  ["7\r\nx: y", 5],
])("a store that is overloaded says when to come back: %j", (retryAfter, expected) => {
  expect(refusal(503, "SlowDown", asked, { retryAfter })).toMatchObject({
    reason: "unavailable",
    retryAfter: expected,
  });
});
