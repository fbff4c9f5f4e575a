/** Users by JWT: who is let in, under which prefix, and who is not. */
import { createHmac, randomBytes } from "node:crypto";
import type { JWK } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ProblemBody } from "../support/client.ts";
import { AUDIENCE, BEHAVIOURS, type Issuer, startIssuer } from "../support/issuer.ts";
import { oneBucket } from "../support/one-bucket.ts";
import { type RunningWorker, startTestWorker } from "../support/worker.ts";

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
  issuers.many = await startIssuer();
  issuers.many.publish((keys) => [...unusable(keys[0] ?? {}), ...keys, ...unusable(keys[0] ?? {})]);
  issuers.useless = await startIssuer();
  issuers.useless.publish((keys) => unusable(keys[0] ?? {}));
  const idp = await startIssuer();
  for (const name of Object.keys(BEHAVIOURS)) {
    const issuer = await startIssuer();
    issuer.behave(BEHAVIOURS[name as keyof typeof BEHAVIOURS]);
    issuers[name] = issuer;
  }
  const grants = [
    { bucket: "media", prefix: "users/{sub}/", allow: ["read", "write"] },
    { bucket: "media", prefix: "{org}/{sub}/", allow: ["read"] },
    { bucket: "media", prefix: "{https://example.com/team}/", allow: ["read"] },
    { bucket: "media", prefix: "orgs/{realm.org.id}/", allow: ["read"] },
  ];
  const forMe = (prefix: string) => [{ bucket: "media", prefix, allow: ["read"] }];
  const at = ({ issuer, jwks }: Issuer) => ({ issuer, jwks });
  worker = await startTestWorker({
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
        // One issuer, by what its tokens say beside the audience.
        access: {
          ...at(idp),
          require: { client_id: "abc", token_use: "access", "org.verified": true, "org.level": 2 },
          grants: forMe("access/{sub}/"),
        },
        users: { ...at(idp), audience: AUDIENCE, grants: forMe("users/{sub}/") },
        admins: { ...at(idp), audience: AUDIENCE, require: { role: "admin" }, grants: forMe("") },
        auditors: { ...at(idp), audience: AUDIENCE, require: { dept: "audit" }, grants: forMe("") },
      },
      ALLOWED_ORIGINS: ["https://app.example.com"],
      PARTNER: partnerToken,
    },
    without: ["DB", "QUEUE", "RATE_LIMIT"],
  });
  issuers.idp = idp;
});

/** What stands beside a key, under its name and without one. Every kind by itself is in key-set.test.ts. */
function unusable({ kid, x, y }: JWK): unknown[] {
  const bad: JWK[] = [
    { kty: "RSA", x5c: ["MIIB"] },
    { kty: "EC", crv: "P-256", x5c: ["MIIB"] },
    { kty: "oct", k: "c2VjcmV0" },
    { kty: "oct", k: "c2VjcmV0", alg: "ES256", use: "sig" },
    { kty: "RSA", n: "AQAB", e: "AQAB" },
    { kty: "EC", crv: "P-256", x: y ?? "", y: x ?? "" },
    { kty: "EC", crv: "P-384", x: x ?? "", y: y ?? "" },
    { kty: "EC", crv: "P-256", x: x ?? "", y: y ?? "", use: "enc" },
    { kty: "EC", crv: "P-256", x: x ?? "", y: y ?? "", key_ops: ["sign"] },
    { kty: "EC", crv: "P-256", x: x ?? "", y: y ?? "", d: x ?? "" },
    { kty: "OKP", crv: "Ed25519", x: x ?? "" },
    { kty: "XYZ" },
    {},
  ];
  const unnamed = [...bad, null, 42, "key", []];
  return [...unnamed, ...bad.map((key) => ({ ...key, kid }))];
}

afterAll(async () => {
  await worker?.close();
  for (const issuer of Object.values(issuers)) issuer.close();
});

const app = () => issuers.app as Issuer;

/** The claims of a good token, as they are signed. */
async function claimsOf(issuer: Issuer): Promise<string> {
  const [, payload = ""] = (await issuer.token()).split(".");
  return Buffer.from(payload, "base64url").toString();
}

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

  test.for<[string, string]>([
    ["beyond the safe integers", "9007199254740993"],
    ["at their end", "9007199254740992"],
    ["far beyond them", "123456789012345678901234567890"],
    ["broken", "1.5"],
    ["minus nothing", "-0"],
    ["without an end", "1e999"],
  ])("whose claim is a number %s has no such prefix", async ([, number]) => {
    const claims = { ...JSON.parse(await claimsOf(app())), org: 0, realm: { org: { id: 0 } } };
    const text = JSON.stringify(claims).replace(/("org"|"id"):0/g, `$1:${number}`);
    const { grants } = (await (await me(await app().sign(text))).json()) as { grants: { prefix: string }[] };
    expect(grants.map(({ prefix }) => prefix)).toEqual(["users/42/"]);
  });

  test("may be named by a claim within others, and by nothing that only looks like it", async () => {
    const inside = (realm: unknown, more = {}) => app().token({ realm, ...more } as never);
    expect(await presign(await inside({ org: { id: "acme" } }), "orgs/acme/x")).toBe(200);
    expect(await presign(await inside({ org: { id: 7 } }), "orgs/7/x")).toBe(200);
    expect(await presign(await inside(undefined, { "realm.org.id": "acme" }), "orgs/acme/x")).toBe(200);
    const two = await inside({ org: { id: "acme" } }, { "realm.org.id": "evil" });
    for (const org of ["acme", "evil"]) expect(await presign(two, `orgs/${org}/x`)).toBe(403);
    for (const realm of [{ org: ["acme"] }, { org: [{ id: "acme" }] }, { org: { id: ["acme"] } }, "acme"]) {
      expect(await presign(await inside(realm), "orgs/acme/x")).toBe(403);
    }
    for (const id of ["", ".", "..", "a/b", "a\u0000", "\ud800", null, true]) {
      const { grants } = (await (await me(await inside({ org: { id } }))).json()) as { grants: unknown[] };
      expect(grants).toHaveLength(1);
    }
  });

  test("may send a browser from a form to the app, and to nowhere else", async () => {
    const form = async (successActionRedirect: string) => {
      const response = await fetch(`${worker.url}/v1/presign`, {
        method: "POST",
        headers: { authorization: `Bearer ${await app().token({ sub: "42" })}` },
        body: JSON.stringify({
          operation: "PostObject",
          bucket: "media",
          key: "users/42/a",
          successActionRedirect,
        }),
      });
      return { status: response.status, body: await response.json() };
    };
    expect((await form("https://app.example.com/done?a=b")).status).toBe(200);
    for (const url of [
      "https://evil.example/",
      "http://app.example.com/",
      "https://app.example.com:8443/",
      "https://app.example.com@evil.example/",
      "https://app.example.com.evil.example/",
    ])
      expect(await form(url)).toMatchObject({
        status: 400,
        body: { errors: [{ path: "successActionRedirect" }] },
      });
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
    ["whose subject is a list", { sub: ["42"] }, /names no subject/],
    ["whose subject is a number", { sub: 42 }, /names no subject/],
    ["whose subject is a number that is read as another", { sub: 2 ** 53 }, /names no subject/],
    ["whose subject holds NUL", { sub: "a\u0000" }, /names no subject/],
    ["whose subject holds the end of a line", { sub: "a\n" }, /names no subject/],
    ["whose subject is half a surrogate pair", { sub: "\ud800" }, /names no subject/],
    ["whose subject is longer than any key", { sub: "x".repeat(1025) }, /names no subject/],
    ["that is not made yet", { iat: now() + 120 }, /its iat is not right/],
    ["whose times are texts", { exp: String(now() + 300) }, /its exp is not right/],
    ["whose making is a text", { iat: "now" }, /its iat is not right/],
    [
      "that tells of a logout",
      { events: { "http://schemas.openid.net/event/backchannel-logout": {} } },
      /event/,
    ],
    ["that is bound to a key", { cnf: { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } }, /cnf/],
    [
      "that is bound to a certificate",
      { cnf: { "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" } },
      /cnf/,
    ],
    ["that is bound to nothing in particular", { cnf: null }, /cnf/],
  ])("%s", async ([, claims, detail]) => {
    await expectRefused(await app().token(claims as never), detail);
  });

  test("a minute of leeway is given", async () => {
    const leeway = { exp: now() - 30, nbf: now() + 30, iat: now() + 30 };
    expect((await me(await app().token(leeway))).status).toBe(200);
  });

  test("that never ends", async () => {
    const text = (await claimsOf(app())).replace(/"exp":\d+/, '"exp":1e999');
    await expectRefused(await app().sign(text), /its exp is not right/);
  });

  test.for([
    ...["logout+jwt", "secevent+jwt", "dpop+jwt", "token-introspection+jwt", "oauth-authz-req+jwt"],
    ...["client-authentication+jwt", "entity-statement+jwt", "vc+jwt", "dc+sd-jwt", "rt+jwt", "JOSE", "JWE"],
    ...["application/logout+jwt", "text/jwt", "xjwt", "jwt+at", "at+jwtx", " JWT", "", 1, null, ["JWT"]],
  ])("of another type: %j", async (typ) => {
    await expectRefused(await app().token({}, { typ }), /its typ is that of another kind/);
  });

  test.for([
    undefined,
    ...["JWT", "jwt", "application/jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+JWT"],
  ])("but it does as one of a user: %j", async (typ) => {
    expect((await me(await app().token({}, { typ }))).status).toBe(200);
  });

  test("within another", async () => {
    const inner = await app().token();
    await expectRefused(await app().sign(inner, { cty: "JWT" }), /it is not a JWT/);
    await expectRefused(await app().sign(JSON.stringify(inner), { cty: "JWT" }), /it is not a JWT/);
  });

  test("whose payload is not encoded, or says that it is", async () => {
    for (const b64 of [false, true, "false"]) {
      await expectRefused(await app().forge({ b64 }), /not a usable JWT/);
      await expectRefused(await app().forge({ b64, crit: ["b64"] }), /not a usable JWT/);
    }
    for (const crit of [[], null, "x", ["exp"], ["alg"], ["x", "x"]]) {
      await expectRefused(await app().forge({ crit }), /not a usable JWT/);
    }
  });

  test("by an algorithm that is not its key's", async () => {
    for (const alg of ["ES384", "ES512", "RS256", "PS512", "EdDSA", "Ed25519"]) {
      await expectRefused(await app().forge({ alg }), /no such key/);
    }
    for (const alg of ["HS256", "none", "ES256K", "RSA-OAEP", "dir", "", 256, null, ["ES256"]]) {
      await expectRefused(await app().forge({ alg }), /algorithm is not allowed/);
    }
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
  const DOWN = ["html", "not-a-key-set", "huge", "error", "redirect", "cut", "silent"] as const;

  test(
    "that cannot be had let nobody in: 503; as soon as they can, whoever has a token is",
    { tags: ["thorough"] },
    async () => {
      const down = DOWN.map((name) => issuers[name] as Issuer);
      const refuse = async (token: string) => {
        const answer = await me(token);
        expect(answer.status).toBe(503);
        expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
        expect(await answer.json()).toMatchObject({ code: "unavailable" });
      };
      await Promise.all(
        down.map(async (issuer) => {
          const forged = Array.from({ length: 10 }, (_, i) => issuer.forge({ kid: `forged${i}` }));
          await Promise.all([issuer.token(), ...forged].map(async (token) => refuse(await token)));
          for (const token of forged.slice(0, 3)) await refuse(await token);
          // Asked once for all of them, and once again where this machine is so slow that it was time.
          expect(issuer.requests()).toBeLessThanOrEqual(2);
        }),
      );
      for (const issuer of down) issuer.behave(BEHAVIOURS.good);
      const tokens = await Promise.all(down.map((issuer) => issuer.token()));
      for (const token of tokens) {
        await expect.poll(async () => (await me(token)).status, { timeout: 15_000, interval: 250 }).toBe(200);
      }
    },
  );

  test("that cannot be used are skipped, by name and without, and hide none that can", async () => {
    const { many, useless } = issuers as Record<string, Issuer>;
    expect((await me(await (many as Issuer).token())).status).toBe(200);
    expect((await me(await (many as Issuer).token({}, { kid: undefined }))).status).toBe(200);
    await expectRefused(await (many as Issuer).forge(), /signature is not right/);
    for (const alg of ["ES256", "RS256", "PS256", "ES384", "EdDSA"]) {
      await expectRefused(await (useless as Issuer).forge({ alg }), /no such key|signature is not right/);
      await expectRefused(
        await (useless as Issuer).forge({ alg, kid: undefined }),
        /no such key|signature is not right/,
      );
    }
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

describe("callers of one issuer", () => {
  const idp = () => issuers.idp as Issuer;
  const access = { aud: undefined, client_id: "abc", token_use: "access", org: { verified: true, level: 2 } };
  const whose = async (claims: object): Promise<unknown> => {
    const response = await me(await idp().token(claims as never));
    if (response.status !== 200) return response.status;
    return ((await response.json()) as { caller: string }).caller;
  };

  test("may know their tokens by what is required instead of an audience", async () => {
    const response = await me(await idp().token(access as never));
    expect(await response.json()).toMatchObject({
      caller: "access",
      subject: "42",
      grants: [{ prefix: "access/42/" }],
    });
    // The same in the flat form.
    const { org: _, ...flat } = access;
    expect(await whose({ ...flat, "org.verified": true, "org.level": 2 })).toBe("access");
  });

  test.for<object>([
    { client_id: "abcd" },
    { client_id: "ABC" },
    { client_id: ["abc"] },
    { client_id: undefined },
    { token_use: "id" },
    { org: { verified: "true", level: 2 } },
    { org: { verified: 1, level: 2 } },
    { org: { verified: true, level: "2" } },
    { org: { verified: true, level: 2.5 } },
    { org: { verified: true } },
    { org: [{ verified: true, level: 2 }] },
    { org: undefined },
    { "org.level": 3 },
    // Somebody else's, by an audience.
    { aud: "other" },
    { aud: ["other"] },
    { aud: [] },
  ])("and take none that says %j", async (wrong) => {
    expect(await whose({ ...access, ...wrong })).toBe(401);
  });

  test("are told apart, and never the wider one is taken by chance", async () => {
    expect(await whose({})).toBe("users");
    expect(await whose({ role: "user" })).toBe("users");
    expect(await whose({ role: ["admin"] })).toBe("users");
    expect(await whose({ role: "admin" })).toBe("admins");
    expect(await whose({ dept: "audit" })).toBe("auditors");
    const both = await idp().token({ role: "admin", dept: "audit" });
    await expectRefused(both, /it is for several callers at once/);
    await expectRefused(await app().token({ aud: [AUDIENCE, "staff"] }), /it is for several callers at once/);
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
