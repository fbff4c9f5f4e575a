/** How long an issuer's keys are remembered, and when they are asked for again: by a clock of the test's own. */
import { decodeProtectedHeader } from "jose";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Jwks } from "../../src/auth/jwks.ts";
import { BEHAVIOURS, type Issuer, startIssuer } from "../blackbox/issuer.ts";

let issuer: Issuer;
let now: number;
let jwks: Jwks;

beforeEach(async () => {
  issuer = await startIssuer();
  now = 1_000_000;
  jwks = new Jwks(issuer.jwks, () => now);
});
afterEach(() => issuer.close());

async function find(kid = "first"): Promise<unknown> {
  const token = await issuer.token({}, { kid });
  const [protectedPart = "", payload = "", signature = ""] = token.split(".");
  return jwks.find(decodeProtectedHeader(token) as never, { protected: protectedPart, payload, signature });
}

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
  await find("second");
  expect(issuer.requests()).toBe(2);
  await issuer.addKey("third");
  for (const kid of ["third", "unknown"]) await expect(find(kid)).rejects.toThrow(/no applicable key/);
  expect(issuer.requests()).toBe(2);
  now += 30_000;
  await find("third");
  expect(issuer.requests()).toBe(3);
  for (let i = 0; i < 10; i++) await expect(find(`unknown${i}`)).rejects.toThrow(/no applicable key/);
  expect(issuer.requests()).toBe(3);
});

test("keys that have just been fetched are not fetched again for one that is not among them", async () => {
  await expect(find("unknown")).rejects.toThrow(/no applicable key/);
  expect(issuer.requests()).toBe(1);
});

test("an issuer that is down is served from memory for a day", async () => {
  await find();
  issuer.behave(BEHAVIOURS.html);
  now += 24 * 60 * 60_000;
  await find();
  expect(issuer.requests()).toBe(2);
  now += 30_000;
  await expect(find()).rejects.toMatchObject({ code: "unavailable" });
  issuer.behave(BEHAVIOURS.good);
  now += 30_000;
  await find();
});
