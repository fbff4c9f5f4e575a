/** Which partners' tokens count, and who is told of one that does not. */
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { tokenFault } from "../../src/auth/token.ts";
import worker from "../../src/index.ts";
import { oneBucket } from "../support/one-bucket.ts";

const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));

/** What can be guessed, and what no request can carry. */
const BAD = {
  one: "x",
  word: "secret",
  short: "abcdefghijklmno",
  same: "a".repeat(64),
  "nearly-same": `${"a".repeat(31)}b`,
  pairs: "ab".repeat(20),
  words: "password".repeat(4),
  "words-cut": "changeme-changeme-chang",
  newline: `${random(24).toBase64()}\n`,
  space: "correct horse battery staple",
  umlaut: "z\u00fcrich-z\u00fcrich-geheim",
  long: random(16_000).toBase64(),
};

let errors: { code: string; message: string }[];
beforeEach(() => {
  errors = [];
  vi.spyOn(console, "error").mockImplementation((line) => void errors.push(JSON.parse(line)));
  vi.spyOn(console, "log").mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

const good = random(24).toBase64();
const grants = [{ bucket: "media", prefix: "", allow: ["read"] }];
const environment = (tokens: Record<string, string>) => ({
  ...oneBucket(),
  CALLERS: Object.fromEntries(
    Object.keys(tokens).map((name) => [name, { token: `TOKEN_${name.replace("-", "_")}`, grants }]),
  ),
  ...Object.fromEntries(
    Object.entries(tokens).map(([name, token]) => [`TOKEN_${name.replace("-", "_")}`, token]),
  ),
});

async function ask(env: object, path: string, token = good): Promise<number> {
  const context = { waitUntil: () => {}, passThroughOnException: () => {} };
  const headers = { authorization: `Bearer ${token}` };
  const request = new Request(`https://edge.example${path}`, { headers });
  return (await worker.fetch(request, env as never, context as never)).status;
}

test.for(Object.entries(BAD))("%s: nobody is let in by it, and the log says so once", async ([
  name,
  token,
]) => {
  const env = environment({ good, [name]: token });
  // What a header cannot carry, or nobody reads, is sent as near to it as one can.
  const sent = token.replace(/[^\x21-\x7e]/g, "").slice(0, 16_000);
  for (let i = 0; i < 3; i++) expect(await ask(env, "/v1/me", sent)).toBe(401);
  expect(errors).toHaveLength(1);
  const [line] = errors as [{ code: string; message: string }];
  expect(line.code).toBe("misconfigured");
  expect(line.message).toMatch(
    new RegExp(
      `^secret TOKEN_${name.replace("-", "_")} is a token (of|with|that) .*nobody is CALLERS\\.${name};`,
    ),
  );
  // A short one may be part of any word.
  if (token.length > 10) expect(line.message).not.toContain(token.trim());
  // Others are not disturbed.
  expect(await ask(env, "/v1/me")).toBe(200);
  expect(await ask(env, "/healthz")).toBe(503);
});

test("a token of 128 bits or more counts, however it is written", async () => {
  const env = environment({ good });
  expect(await ask(env, "/v1/me")).toBe(200);
  expect(await ask(env, "/healthz")).toBe(200);
  expect(errors).toEqual([]);
  const bytes = fc.uint8Array({ minLength: 0, maxLength: 0 }).map(() => random(16));
  fc.assert(
    fc.property(bytes, fc.nat(2), (secret, how) => {
      const token = [secret.toHex(), secret.toBase64(), secret.toBase64({ alphabet: "base64url" })][how];
      expect(tokenFault(token as string)).toBeUndefined();
    }),
    { numRuns: 1000 },
  );
  expect(tokenFault(crypto.randomUUID())).toBeUndefined();
});
