/** How long an issuer's keys are remembered, and when they are asked for again: by a clock of the test's own. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Jwks } from "../../src/auth/jwks.ts";
import { LIMITS } from "../../src/limits.ts";
import { BEHAVIOURS, type Issuer, startIssuer } from "../support/issuer.ts";

let issuer: Issuer;
let now: number;
let jwks: Jwks;

beforeEach(async () => {
  issuer = await startIssuer();
  now = 1_000_000;
  jwks = new Jwks(issuer.jwks, LIMITS, () => now);
});
afterEach(() => issuer.close());

/** How many keys there are of a name; one, or none. */
const find = async (kid = "first") => (await jwks.find({ alg: "ES256", kid })).length;

test("they are fetched once, and again after ten minutes", async () => {
  await find();
  await find();
  expect(issuer.requests()).toBe(1);
  now += 10 * 60_000 + 1;
  await find();
  expect(issuer.requests()).toBe(2);
});

test("a key that is new is looked for at once, but not more often than every 30 seconds", async () => {
  await find();
  await issuer.addKey("second");
  expect(await find("second")).toBe(1);
  expect(issuer.requests()).toBe(2);
  await issuer.addKey("third");
  for (const kid of ["third", "unknown"]) expect(await find(kid)).toBe(0);
  expect(issuer.requests()).toBe(2);
  now += 30_000;
  expect(await find("third")).toBe(1);
  expect(issuer.requests()).toBe(3);
  for (let i = 0; i < 10; i++) expect(await find(`unknown${i}`)).toBe(0);
  expect(issuer.requests()).toBe(3);
});

test("keys that have just been fetched are not fetched again for one that is not among them", async () => {
  expect(await find("unknown")).toBe(0);
  expect(issuer.requests()).toBe(1);
});

test("an issuer that is down is served from memory for a day", async () => {
  await find();
  issuer.behave(BEHAVIOURS.html);
  now += 24 * 60 * 60_000;
  await find();
  expect(issuer.requests()).toBe(2);
  now += 30_000;
  await expect(find()).rejects.toMatchObject({ reason: "unavailable" });
  issuer.behave(BEHAVIOURS.good);
  now += 30_000;
  expect(await find()).toBe(1);
});

test.for([
  "html",
  "not-a-key-set",
  "error",
  "redirect",
  "cut",
] as const)("an issuer that was never reached (%s) is asked again after five seconds, whoever comes", async (behaviour) => {
  issuer.behave(BEHAVIOURS[behaviour]);
  for (let i = 0; i < 20; i++) {
    await expect(find(`forged${i}`)).rejects.toMatchObject({
      reason: "unavailable",
      retryAfter: 5,
    });
  }
  expect(issuer.requests()).toBe(1);
  now += 4_000;
  await expect(find()).rejects.toMatchObject({ retryAfter: 1 });
  expect(issuer.requests()).toBe(1);
  issuer.behave(BEHAVIOURS.good);
  now += 1_000;
  expect(await find()).toBe(1);
  expect(issuer.requests()).toBe(2);
});

test("those who come at once share one fetch, and what it brings", async () => {
  const all = () => Promise.all(Array.from({ length: 20 }, () => find()));
  expect(new Set(await all())).toEqual(new Set([1]));
  expect(issuer.requests()).toBe(1);
  // The same for a key that is new.
  await issuer.addKey("second");
  const searches = Array.from({ length: 20 }, () => find("second"));
  expect(new Set(await Promise.all(searches))).toEqual(new Set([1]));
  expect(issuer.requests()).toBe(2);
});

test("those who come at once share a failure too", async () => {
  issuer.behave(BEHAVIOURS.error);
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => find()));
  expect(results.every(({ status }) => status === "rejected")).toBe(true);
  expect(issuer.requests()).toBe(1);
});

test("a request that was cut off while it fetched does not keep the others waiting for ever", async () => {
  issuer.behave(BEHAVIOURS.silent);
  const cutOff = find().catch(() => "cut off");
  const waiting = find();
  await vi.waitFor(() => expect(issuer.requests()).toBe(1), 10_000);
  issuer.behave(BEHAVIOURS.good);
  now += 6_000;
  expect(await waiting).toBe(1);
  expect(issuer.requests()).toBe(2);
  issuer.close();
  // It comes to its end after all, and takes nothing away.
  await cutOff;
  expect(await find()).toBe(1);
});
