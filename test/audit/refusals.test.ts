/** Which refusals are told each, and that none goes missing from the number of the others. */
import { expect, test } from "vitest";
import { Refusals } from "../../src/audit/refusals.ts";
import { eventAt } from "./database.ts";

const NOW = Date.parse("2026-11-24T12:00:00Z");
const denied = (fields: object = {}) =>
  eventAt(NOW, { outcome: "denied", code: "forbidden", keyId: undefined as never, ...fields });
const stranger = (fields: object = {}) =>
  denied({ code: "unauthenticated", caller: undefined, bucket: undefined, operation: undefined, ...fields });

/** Tells one after another; gives how many were told each, and the others. */
function tell(refusals: Refusals, events: ReturnType<typeof denied>[], now = NOW) {
  const told = events.flatMap((event) => refusals.sift([event], now));
  return { told: told.length, counted: refusals.take() };
}
const numberOf = (events: readonly { count?: number | undefined }[]) =>
  events.reduce((sum, { count = 1 }) => sum + count, 0);
const fresh = () => new Refusals((name) => name === "media");
const times = <T>(n: number, make: (i: number) => T) => Array.from({ length: n }, (_, i) => make(i));

test.for<[string, (i: number) => object, number, number]>([
  ["a token that is nobody's", () => stranger({ ip: "192.0.2.1", userAgent: "x" }), 10, 1],
  [
    "strangers who look different each time",
    (i) => stranger({ ip: `192.0.2.${i}`, userAgent: `${i}` }),
    100,
    1,
  ],
  ["a caller who may not", (i) => denied({ key: `${i}` }), 100, 1],
  ["a caller who makes up buckets", (i) => denied({ bucket: `made up ${i}` }), 100, 1],
  ["a caller who is too fast", () => denied({ code: "rate-limited" }), 1, 1],
  ["a caller who makes no sense", () => denied({ outcome: "failed", code: "invalid-request" }), 100, 1],
  ["a client that reports", () => denied({ outcome: "failed", code: "SignatureDoesNotMatch" }), 100, 1],
])("of %s a few are told, and the others by their number", ([, make, each, kinds]) => {
  const refusals = fresh();
  const { told, counted } = tell(refusals, times(5000, make) as never);
  expect(told).toBe(each);
  expect(counted).toHaveLength(kinds);
  expect(numberOf(counted)).toBe(5000 - each);
  expect(refusals.take()).toEqual([]);
  // In the next minute anew.
  expect(tell(refusals, [make(0)] as never, NOW + 60_000).told).toBe(1);
});

test("whatever was allowed, or failed on the way, is told each, and nobody's refusals hide another's", () => {
  const refusals = fresh();
  tell(
    refusals,
    times(1000, () => stranger()),
  );
  tell(
    refusals,
    times(1000, () => denied({ caller: "other" })),
  );
  const events = times(3000, (i) =>
    eventAt(NOW, i % 2 === 0 ? {} : { outcome: "failed", code: "key-invalid" }),
  );
  expect(tell(refusals, events)).toEqual({ told: 3000, counted: [] });
  expect(tell(refusals, [denied()]).told).toBe(1);
});

test("what already stands for several counts as many", () => {
  const refusals = fresh();
  tell(
    refusals,
    times(100, () => denied()),
  );
  const { counted } = tell(refusals, [
    denied({ count: 900 }),
    denied({ key: "last" }),
    denied({ count: 7, key: "z" }),
  ]);
  expect(counted).toMatchObject([{ count: 908, key: "z" }]);
});

test("one request takes what many have left, and a later one where that was ended", () => {
  const refusals = fresh();
  expect(refusals.claim(NOW)).toBe(false);
  refusals.sift(
    times(20, () => stranger()),
    NOW,
  );
  expect([refusals.claim(NOW), refusals.claim(NOW + 1), refusals.claim(NOW + 60_000)]).toEqual([
    true,
    false,
    true,
  ]);
});
