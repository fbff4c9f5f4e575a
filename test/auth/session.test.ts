/** S3 credentials for a while: they end with their time, with the caller, and with whatever the caller was known by. */
import { describe, expect, test } from "vitest";
import type { Caller } from "../../src/auth/callers.ts";
import { identify, partnerOf } from "../../src/auth/callers.ts";
import {
  MAX_SESSION,
  maxSession,
  openSession,
  resumeSession,
  type Session,
  SessionError,
} from "../../src/auth/session.ts";
import type { JwtCaller, TokenCaller } from "../../src/config/load.ts";
import { LIMITS } from "../../src/limits.ts";
import { Refused } from "../../src/refused.ts";
import { Service } from "../../src/service.ts";
import { oneBucket } from "../support/one-bucket.ts";

const NOW = Date.parse("2026-11-28T12:00:00Z");
const base64 = (byte: number) => btoa(String.fromCharCode(...new Uint8Array(32).fill(byte)));

const issuer = {
  issuer: "https://login.example.com/",
  audience: "ssec-edge",
  jwks: "https://login.example.com/jwks.json",
  grants: [
    { bucket: "media", prefix: "users/{sub}/", allow: ["read"] },
    { bucket: "media", prefix: "orgs/{org.id}/", allow: ["read"] },
  ],
};
const partner = { token: "TOKEN", grants: [{ bucket: "media", prefix: "acme/", allow: ["read", "write"] }] };
const env = {
  ...oneBucket(),
  CALLERS: { app: issuer, acme: partner },
  TOKEN: "abcdefghijklmnopqrst",
  GATEWAY_SECRET: base64(7),
};
const serviceOf = (change: object = {}) => new Service({ ...env, ...change }, { limits: LIMITS });
const service = serviceOf();

function user(claims: Record<string, unknown>, endsAt = NOW + 3_600_000): Caller {
  const caller = service.config.jwtCallers[0] as JwtCaller;
  return {
    ...identify(caller, claims),
    subject: String(claims.sub),
    by: { kind: "jwt", caller, claims, endsAt },
  };
}
const ada = user({ sub: "ada", org: { id: 7, secret: "x" }, email: "ada@example.com" });
const acme = partnerOf(service.config.tokenCallers[0] as TokenCaller);
const open = (caller: Caller, seconds = 600) => openSession(caller, seconds, service, NOW);
const resume = (session: Session, at: { service?: Service; now?: number; isVouched?: boolean } = {}) =>
  resumeSession(session, at.service ?? service, at.isVouched ?? false, at.now ?? NOW);

async function fault(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof SessionError) return error.message;
    if (error instanceof Refused) return error.reason;
    throw error;
  }
  return "none";
}
const NONE = "the session token does not count";

test("is whoever was given it, with the grants that their claims make theirs", async () => {
  const session = await open(ada);
  const { caller, secretAccessKey, endsAt } = await resume(session);
  expect(caller).toMatchObject({ name: "app", subject: "ada" });
  expect(caller.grants.map(({ prefix }) => prefix)).toEqual(["users/ada/", "orgs/7/"]);
  expect(secretAccessKey).toBe(session.secretAccessKey);
  expect(endsAt).toBe(NOW + 600_000);
  const partners = await resume(await open(acme));
  expect(partners.caller).toBe(acme);
});

test("says nothing to whoever reads it", async () => {
  const { accessKeyId, sessionToken, secretAccessKey } = await open(ada);
  expect(accessKeyId).toMatch(/^SSEC[0-9A-F]{16}$/);
  expect(secretAccessKey).toMatch(/^[\w+/]{43}=$/);
  expect(atob(sessionToken.replaceAll("-", "+").replaceAll("_", "/"))).not.toMatch(/ada|app|users/);
  expect((await open(ada)).secretAccessKey).not.toBe(secretAccessKey);
});

test("lasts no longer than the JWT, and 12 hours at most", () => {
  expect(maxSession(ada, NOW)).toBe(3600);
  expect(maxSession(user({ sub: "ada" }, NOW + 1e9), NOW)).toBe(MAX_SESSION);
  expect(maxSession(user({ sub: "ada" }, NOW + 999), NOW)).toBe(0);
  expect(maxSession(acme, NOW)).toBe(MAX_SESSION);
  expect(maxSession({ name: "x", grants: [], by: { kind: "vouched" } }, NOW)).toBe(3600);
  expect(maxSession({ name: "x", grants: [] }, NOW)).toBe(0);
});

describe("does not count", () => {
  const change = (caller: object) => serviceOf({ CALLERS: { app: { ...issuer, ...caller }, acme: partner } });
  test.each<[string, string, (session: Session) => Promise<unknown>]>([
    ["after its end", "the session has ended", (s) => resume(s, { now: NOW + 600_000 })],
    ["of another id", NONE, (s) => resume({ ...s, accessKeyId: "SSEC0000000000000000" })],
    ["in a caller's name", NONE, (s) => resume({ ...s, accessKeyId: "acme" })],
    [
      "changed",
      NONE,
      (s) => resume({ ...s, sessionToken: s.sessionToken.replace(/.$/, (c) => (c === "A" ? "E" : "A")) }),
    ],
    ["with more at its end", NONE, (s) => resume({ ...s, sessionToken: `${s.sessionToken}AAAA` })],
    ["spelt otherwise", NONE, (s) => resume({ ...s, sessionToken: `${s.sessionToken}=` })],
    ["cut", NONE, (s) => resume({ ...s, sessionToken: s.sessionToken.slice(0, 44) })],
    ["empty", NONE, (s) => resume({ ...s, sessionToken: "" })],
    ["of any length", NONE, (s) => resume({ ...s, sessionToken: "A".repeat(100_000) })],
    ["under another secret", NONE, (s) => resume(s, { service: serviceOf({ GATEWAY_SECRET: base64(8) }) })],
    ["without a secret", NONE, (s) => resume(s, { service: serviceOf({ GATEWAY_SECRET: undefined }) })],
    ["without the caller", NONE, (s) => resume(s, { service: serviceOf({ CALLERS: { acme: partner } }) })],
    [
      "for another issuer",
      NONE,
      (s) => resume(s, { service: change({ issuer: "https://other.example.com/" }) }),
    ],
    ["for another audience", NONE, (s) => resume(s, { service: change({ audience: "other" }) })],
    ["where more is required", NONE, (s) => resume(s, { service: change({ require: { role: "admin" } }) })],
    [
      "for a token caller of that name",
      NONE,
      (s) => resume(s, { service: serviceOf({ CALLERS: { app: partner } }) }),
    ],
    ["where another app says who calls", NONE, (s) => resume(s, { isVouched: true })],
  ])("%s", async (_, message, use) => {
    expect(await fault(use(await open(ada)))).toBe(message);
  });

  test("for a partner whose token is another", async () => {
    const session = await open(acme);
    expect(await fault(resume(session))).toBe("none");
    expect(await fault(resume(session, { service: serviceOf({ TOKEN: "tsrqponmlkjihgfedcba" }) }))).toBe(
      NONE,
    );
    expect(await fault(resume(session, { service: serviceOf({ TOKEN: undefined }) }))).toBe(NONE);
  });
});

test("has the grants as they are when it is used", async () => {
  const session = await open(ada);
  const narrowed = serviceOf({
    CALLERS: {
      app: {
        ...issuer,
        grants: [
          { bucket: "media", prefix: "new/{sub}/", allow: ["read"] },
          // Not a claim that was kept.
          { bucket: "media", prefix: "mail/{email}/", allow: ["read"] },
        ],
      },
    },
  });
  const { caller } = await resume(session, { service: narrowed });
  expect(caller.grants.map(({ prefix }) => prefix)).toEqual(["new/ada/"]);
});

test("of a caller whom another app vouched for has the grants that it had", async () => {
  const grants = [{ bucket: "media", prefix: "a/", allow: ["read"], maxExpiresIn: 60 }] as const;
  const session = await open({ name: "x", subject: "y", grants, by: { kind: "vouched" } });
  const { caller } = await resume(session, { isVouched: true });
  expect(caller).toMatchObject({ name: "x", subject: "y", grants });
  expect(await fault(resume(session))).toBe(NONE);
});

test("is not given without a secret, nor under one that is none", async () => {
  const given = (GATEWAY_SECRET: unknown) => fault(openSession(ada, 60, serviceOf({ GATEWAY_SECRET }), NOW));
  expect(await given(undefined)).toBe("unavailable");
  for (const bad of [base64(1).slice(0, -1), `${base64(1)}\n`, "x", btoa("short")])
    expect(await given(bad)).toBe("misconfigured");
});
