/** Users by JWT: who is let in, under which prefix, and who is not. */
import { createHmac, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningWorker, startWorker } from "../../scripts/worker.ts";
import type { ProblemBody } from "./client.ts";
import { AUDIENCE, BEHAVIOURS, type Issuer, startIssuer } from "./issuer.ts";
import { oneBucket } from "./one-bucket.ts";

const b64 = (value: object | string) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

const partnerToken = randomBytes(24).toString("base64url");
const issuers: Record<string, Issuer> = {};
let worker: RunningWorker;

beforeAll(async () => {
  issuers.app = await startIssuer();
  issuers.rsa = await startIssuer("RS256");
  issuers.eddsa = await startIssuer("EdDSA");
  issuers.rotated = await startIssuer();
  for (const name of Object.keys(BEHAVIOURS)) {
    const issuer = await startIssuer();
    issuer.behave(BEHAVIOURS[name as keyof typeof BEHAVIOURS]);
    issuers[name] = issuer;
  }
  const grants = [
    { bucket: "media", prefix: "users/{sub}/", allow: ["read", "write"] },
    { bucket: "media", prefix: "{org}/{sub}/", allow: ["read"] },
    { bucket: "media", prefix: "{https://example.com/team}/", allow: ["read"] },
  ];
  worker = await startWorker({
    env: {
      ...oneBucket(),
      CALLERS: {
        partner: { token: "PARTNER", grants: [{ bucket: "media", prefix: "{sub}/", allow: ["read"] }] },
        ...Object.fromEntries(
          Object.entries(issuers).map(([name, { issuer, jwks }]) => [
            name,
            { issuer, audience: AUDIENCE, jwks, grants },
          ]),
        ),
        // The same issuer, another audience.
        staff: {
          issuer: issuers.app.issuer,
          audience: "staff",
          jwks: issuers.app.jwks,
          grants: [{ bucket: "media", prefix: "", allow: ["read", "write", "admin"] }],
        },
      },
      ALLOWED_ORIGINS: ["https://app.example.com"],
      PARTNER: partnerToken,
    },
    without: ["DB", "QUEUE", "RATE_LIMIT"],
    logLevel: "none",
  });
});

afterAll(async () => {
  await worker?.close();
  for (const issuer of Object.values(issuers)) issuer.close();
});

const app = () => issuers.app as Issuer;

function me(token: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${worker.url}/v1/me`, { headers: { authorization: `Bearer ${token}`, ...headers } });
}

async function presign(token: string, key: string, operation = "GetObject"): Promise<number> {
  const response = await fetch(`${worker.url}/v1/presign`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ operation, bucket: "media", key }),
  });
  return response.status;
}

async function expectRefused(token: string, detail: RegExp): Promise<void> {
  const response = await me(token);
  const problem = (await response.json()) as ProblemBody;
  expect(problem).toMatchObject({ status: 401, code: "unauthenticated" });
  expect(problem.detail).toMatch(detail);
  expect(response.headers.get("www-authenticate")).toMatch(
    /^Bearer realm="ssec-edge", error="invalid_token"/,
  );
}

describe("a user", () => {
  test.for(["app", "rsa", "eddsa"])("of %s is who the token says", async (name) => {
    const response = await me(await (issuers[name] as Issuer).token({ sub: "zoë" }));
    expect(response.status).toBe(200);
    const { caller, subject, grants } = (await response.json()) as Record<string, unknown>;
    expect({ caller, subject }).toEqual({ caller: name, subject: "zoë" });
    expect(grants).toEqual([
      { bucket: "media", prefix: "users/zoë/", allow: ["read", "write"], maxExpiresIn: 3600 },
    ]);
  });

  test("may use exactly the prefix that the claims make", async () => {
    const token = await app().token({ sub: "42", org: "acme" });
    expect(await presign(token, "users/42/a")).toBe(200);
    expect(await presign(token, "users/42/a", "PutObject")).toBe(200);
    expect(await presign(token, "acme/42/a")).toBe(200);
    for (const key of ["users/421/a", "users/4/a", "users/42", "acme/43/a", "acme/a", "users/{sub}/a"]) {
      expect(await presign(token, key), key).toBe(403);
    }
    expect(await presign(token, "acme/42/a", "PutObject")).toBe(403);
  });

  test("may be named by a number, and by a claim with a name of its own", async () => {
    const token = await app().token({ sub: "a", org: 7, "https://example.com/team": "red" });
    expect(await presign(token, "7/a/x")).toBe(200);
    expect(await presign(token, "red/x")).toBe(200);
  });

  test.for<[string, unknown]>([
    ["with a slash", "a/b"],
    ["empty", ""],
    [".", "."],
    ["..", ".."],
    ["a list", ["acme"]],
    ["an object", { toString: "acme" }],
    ["true", true],
    ["null", null],
    ["half a surrogate pair", "\ud800"],
  ])("whose claim is %s has no such prefix", async ([, org]) => {
    const { grants } = (await (await me(await app().token({ org }))).json()) as {
      grants: { prefix: string }[];
    };
    expect(grants.map(({ prefix }) => prefix)).toEqual(["users/42/"]);
  });

  test("whose claim only looks alike is somebody else", async () => {
    const token = await app().token({ sub: "аcme" }); // a Cyrillic а
    expect(await presign(token, "users/acme/x")).toBe(403);
    expect(await presign(await app().token({ sub: "e\u0301" }), "users/\u00e9/x")).toBe(403);
    expect(await presign(await app().token({ sub: "%2e%2e" }), "users/../x")).toBe(400);
  });

  test("is let in beside partners with tokens, and other audiences of the issuer", async () => {
    expect(await (await me(partnerToken)).json()).toEqual({ caller: "partner", grants: [] });
    const staff = await me(await app().token({ aud: ["other", "staff"] }));
    expect(await staff.json()).toMatchObject({ caller: "staff", subject: "42" });
  });

  test("may come through Cloudflare Access, but not from a stranger's page", async () => {
    const assertion = { "cf-access-jwt-assertion": await app().token() };
    const ask = (headers: Record<string, string>) => fetch(`${worker.url}/v1/me`, { headers });
    expect((await ask(assertion)).status).toBe(200);
    expect((await ask({ ...assertion, origin: worker.url })).status).toBe(200);
    expect((await ask({ ...assertion, origin: "https://app.example.com" })).status).toBe(200);
    expect((await ask({ ...assertion, origin: "https://evil.example" })).status).toBe(401);
    expect((await ask({ ...assertion, authorization: "Bearer nobody" })).status).toBe(401);
  });
});

describe("a token does not count", () => {
  const now = () => Math.floor(Date.now() / 1000);
  test.for<[string, object, RegExp]>([
    ["that has expired", { exp: now() - 61 }, /it has expired/],
    ["without an end", { exp: undefined }, /its exp is not right/],
    ["of the future", { nbf: now() + 120 }, /its nbf is not right/],
    ["for another audience", { aud: "someone-else" }, /another audience/],
    ["without an audience", { aud: undefined }, /another audience/],
    ["of an unknown issuer", { iss: "https://evil.example/" }, /its issuer is not known/],
    ["of an issuer without its slash", { iss: "cut" }, /its issuer is not known/],
    ["without a subject", { sub: undefined }, /its sub is not right/],
    ["with an empty subject", { sub: "" }, /names no subject/],
    ["whose subject is a list", { sub: ["42"] }, /its sub|names no subject|not a usable JWT/],
  ])("%s", async ([, claims, detail]) => {
    await expectRefused(await app().token(claims as never), detail);
  });

  test("a minute of leeway is given", async () => {
    expect((await me(await app().token({ exp: now() - 30, nbf: now() + 30 }))).status).toBe(200);
  });

  test("with alg none, whatever its spelling", async () => {
    const [, payload] = (await app().token()).split(".");
    for (const alg of ["none", "None", "NONE", "nOnE"]) {
      await expectRefused(`${b64({ alg })}.${payload}.`, /not|usable|algorithm/);
      await expectRefused(`${b64({ alg, kid: "first" })}.${payload}.${b64("x")}`, /not|usable|algorithm/);
    }
  });

  test("signed by HMAC under the public key", async () => {
    const [, payload] = (await app().token()).split(".");
    const publicKey = await app().publicKey();
    for (const secret of [JSON.stringify(publicKey), Buffer.from(publicKey.x ?? "", "base64url")]) {
      const head = `${b64({ alg: "HS256", kid: "first" })}.${payload}`;
      const signature = createHmac("sha256", secret).update(head).digest("base64url");
      await expectRefused(`${head}.${signature}`, /algorithm is not allowed/);
    }
  });

  test("that brings its own key, or points to one", async () => {
    const evil = await startIssuer();
    const jwk = await evil.publicKey();
    for (const header of [{ jwk }, { jku: evil.jwks }, { x5u: evil.jwks }]) {
      await expectRefused(await evil.token({ iss: app().issuer }, header), /signature is not right/);
    }
    expect(evil.requests()).toBe(0);
    evil.close();
  });

  test.for([
    ["a path", "../../etc/passwd"],
    ["SQL", "first'--"],
    ["an escape", "%00"],
    ["a prototype", "__proto__"],
    ["long", "a".repeat(5000)],
  ] as const)("whose kid is %s", async ([, kid]) => {
    const requests = app().requests();
    await expectRefused(await app().token({}, { kid }), /no such key/);
    // An unknown kid makes nobody fetch again within the cool-down.
    expect(app().requests() - requests).toBeLessThanOrEqual(1);
  });

  test("that was changed, cut, or is something else", async () => {
    const token = await app().token();
    const [head, payload, signature] = token.split(".") as [string, string, string];
    const other = b64({ ...JSON.parse(Buffer.from(payload, "base64url").toString()), sub: "43" });
    await expectRefused(`${head}.${other}.${signature}`, /signature is not right/);
    await expectRefused(
      `${head}.${payload}.${signature.slice(0, -4)}`,
      /signature is not right|not a usable/,
    );
    await expectRefused(`${head}.${payload}.`, /./);
    for (const nonsense of [
      "a.b.c",
      `${head}.${b64("[]")}.${signature}`,
      `${head}.${b64('"x"')}.${signature}`,
    ]) {
      await expectRefused(nonsense, /./);
    }
    await expectRefused(await app().token({}, { crit: ["x"], x: 1 }), /not a usable JWT/);
  });

  test("that is huge", async () => {
    const token = await app().token({ padding: "x".repeat(16_000) });
    await expectRefused(token, /longer than 16384/);
    expect((await me(await app().token({ padding: "x".repeat(8_000) }))).status).toBe(200);
  });
});

describe("an issuer's keys", () => {
  test.for([
    "html",
    "not-a-key-set",
    "huge",
    "error",
    "redirect",
    "cut",
    "silent",
  ])("that cannot be had (%s) let nobody in: 503", async (name) => {
    const issuer = issuers[name] as Issuer;
    const response = await me(await issuer.token());
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("5");
    expect(await response.json()).toMatchObject({ code: "unavailable" });
    // And as soon as they can be had, whoever has a token is let in.
    issuer.behave(BEHAVIOURS.good);
    expect((await me(await issuer.token())).status).toBe(200);
  });

  test("that have just been changed count at once", async () => {
    const rotated = issuers.rotated as Issuer;
    expect((await me(await rotated.token())).status).toBe(200);
    await rotated.addKey("second");
    expect((await me(await rotated.token({}, { kid: "second" }, "second"))).status).toBe(200);
  });

  test("are remembered when the issuer is down", async () => {
    const { good } = issuers as { good: Issuer };
    expect((await me(await good.token())).status).toBe(200);
    good.behave(BEHAVIOURS.error);
    const requests = good.requests();
    expect((await me(await good.token())).status).toBe(200);
    expect(good.requests()).toBe(requests);
  });
});

test("a body of nothing but brackets is refused as any other", async () => {
  const token = await app().token();
  for (const body of [
    "[".repeat(100_000),
    `${"[".repeat(50_000)}${"]".repeat(50_000)}`,
    `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`,
  ]) {
    const response = await fetch(`${worker.url}/v1/presign`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body,
    });
    expect(response.status).toBe(400);
  }
});
