import { describe, expect, test } from "vitest";
import { type ConfigError, loadConfig } from "../../src/config/load.ts";

const store = {
  endpoint: "https://cwobject.com",
  region: "US-EAST-04A",
  accessKeyId: "ID",
  secretAccessKey: "SECRET",
};
const grant = { bucket: "media", prefix: "", allow: ["read"] };
const good = {
  STORES: { cw: store },
  KEYS: { k1: { secret: "K1" }, k2: { secret: "K2" } },
  BUCKETS: { media: { store: "cw", keys: ["k2", "k1"] } },
  CALLERS: { acme: { token: "T", grants: [grant] } },
};

function mistakes(env: Record<string, unknown>): string[] {
  try {
    loadConfig(env);
  } catch (error) {
    return (error as ConfigError).message.split("\n");
  }
  return [];
}

test("a good configuration is read, with its defaults", () => {
  const { buckets, tokenCallers: callers, defaultExpiresIn, allowedOrigins, s3Hosts } = loadConfig(good);
  expect(buckets.get("media")).toMatchObject({
    storeBucket: "media",
    store: { addressing: "virtual", presignedUploads: true },
    keys: [{ id: "k2" }, { id: "k1" }],
  });
  expect(callers[0]?.grants[0]).toMatchObject({ maxExpiresIn: 3600 });
  expect({ defaultExpiresIn, allowedOrigins, s3Hosts }).toEqual({
    defaultExpiresIn: 900,
    allowedOrigins: [],
    s3Hosts: [],
  });
});

test("a table may be a JSON string, and split over several vars", () => {
  const { keys } = loadConfig({
    ...good,
    KEYS: JSON.stringify(good.KEYS),
    KEYS_MORE: { k3: { secret: "K3" } },
    KEYS_4: "a secret by chance",
  });
  expect([...keys.keys()]).toEqual(["k1", "k2", "k3"]);
});

describe("every mistake has its line", () => {
  const bucket = (row: object) => ({ ...good, BUCKETS: { media: { store: "cw", keys: ["k1"], ...row } } });
  const inStore = (row: object) => ({ ...good, STORES: { cw: { ...store, ...row } } });
  const inKey = (row: object) => ({ ...good, KEYS: { ...good.KEYS, k1: { secret: "K1", ...row } } });
  const inGrant = (row: object) => ({
    ...good,
    CALLERS: { acme: { token: "T", grants: [{ ...grant, ...row }] } },
  });
  const inJwt = (row: object) => ({
    ...good,
    CALLERS: {
      app: { issuer: "https://i.example/", jwks: "https://i.example/jwks", grants: [grant], ...row },
    },
  });
  const required = (claims: unknown) => inJwt({ require: claims });
  test.for<[Record<string, unknown>, string]>([
    [bucket({ keys: ["k1", "k9"] }), 'BUCKETS.media.keys[1]: no key "k9" in KEYS (have: k1, k2)'],
    [bucket({ keys: [] }), "BUCKETS.media.keys: must name at least one key of KEYS"],
    [bucket({ keys: ["k1", "k1"] }), "BUCKETS.media.keys[1]: is in the list already"],
    [bucket({ store: "r2" }), 'BUCKETS.media.store: no store "r2" in STORES (have: cw)'],
    [bucket({ name: "my.bucket" }), "BUCKETS.media.name: cannot be addressed as a host name"],
    [bucket({ name: "Media" }), "BUCKETS.media.name: cannot be addressed as a host name"],
    [bucket({ name: "ab" }), "BUCKETS.media.name: cannot be addressed as a host name"],
    [bucket({ keyz: [] }), "BUCKETS.media.keyz: is not a field here"],
    [inStore({ endpoint: "https://cwobject.com/path" }), "STORES.cw.endpoint: must be a bare origin"],
    [inStore({ endpoint: "http://cwobject.com" }), "STORES.cw.endpoint: sends customer keys over plain http"],
    // As whoever reads URLs takes them, also where they are spelt in another way.
    ...["HTTP://cwobject.com", " http://cwobject.com", "ht\ntp://cwobject.com"].map(
      (endpoint): [Record<string, unknown>, string] => [
        inStore({ endpoint }),
        "STORES.cw.endpoint: sends customer keys over plain http",
      ],
    ),
    [inStore({ region: "US-EAST-04A " }), "STORES.cw.region: must not begin or end with white space"],
    [inStore({ endpoint: "ftp://cwobject.com" }), "STORES.cw.endpoint: must begin with https://"],
    [inStore({ endpoint: "cwobject" }), "STORES.cw.endpoint: must be a URL"],
    [inStore({ region: undefined }), "STORES.cw.region: is required"],
    [inStore({ presignedUploads: "no" }), "STORES.cw.presignedUploads: must be true or false"],
    ...[0, -1, 61].map((timeLimit): [Record<string, unknown>, string] => [
      inStore({ timeLimit }),
      "STORES.cw.timeLimit: must be more than 0 and at most 60 seconds",
    ]),
    [inStore({ timeLimit: "10" }), "STORES.cw.timeLimit: must be a number"],
    [inStore({ addressing: "host" }), 'STORES.cw.addressing: must be "virtual" or "path"'],
    [inKey({ notBefore: "2026-02-30" }), "KEYS.k1.notBefore: is not a date on the calendar"],
    [inKey({ writeUntil: "tomorrow" }), "KEYS.k1.writeUntil: must be an ISO date"],
    [
      inKey({ notBefore: "2026-02-01", writeUntil: "2026-01-01" }),
      "KEYS.k1.writeUntil: is not after notBefore",
    ],
    [
      inKey({ secret: "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=" }),
      "KEYS.k1.secret: must be the name of a bound secret",
    ],
    [{ ...good, KEYS_2: { k1: { secret: "X" } } }, 'KEYS_2.k1: "k1" is there already, as KEYS.k1'],
    [{ ...good, KEYS_2: "{broken" }, "KEYS_2: must be a table, or a JSON object as a string"],
    [{ ...good, KEYS: { ...good.KEYS, "a b": { secret: "X" } } }, "KEYS.a b: a key's id is"],
    [
      { ...good, KEYS: { ...good.KEYS, plain: { secret: "X" } } },
      'KEYS.plain: a key cannot be named "plain"',
    ],
    [{ ...good, KEYS: { ...good.KEYS, unknown: { secret: "X" } } }, "KEYS.unknown: a key cannot be named"],
    [inGrant({ bucket: "x" }), 'CALLERS.acme.grants[0].bucket: no bucket "x" in BUCKETS (have: media)'],
    [inGrant({ allow: ["own"] }), "CALLERS.acme.grants[0].allow[0]: must be"],
    [inGrant({ maxExpiresIn: 604_801 }), "CALLERS.acme.grants[0].maxExpiresIn: must be at most 604800"],
    [inGrant({ contentTypes: ["image"] }), "CALLERS.acme.grants[0].contentTypes[0]: must be a media type"],
    [inGrant({ prefix: "{}/" }), "CALLERS.acme.grants[0].prefix: has a brace that names no claim"],
    [inGrant({ prefix: "{a}" }), 'CALLERS.acme.grants[0].prefix: must have a "/" after the last claim'],
    ...["{.}/", "{.id}/", "{org.}/", "{org..id}/", "{ sub }/", "{sub\n}/"].map(
      (prefix): [Record<string, unknown>, string] => [
        inGrant({ prefix }),
        "CALLERS.acme.grants[0].prefix: has a claim with nothing beside a dot, or white space",
      ],
    ),
    [inJwt({}), 'CALLERS.app.audience: is required, unless "require" names another claim'],
    [inJwt({ audience: "" }), "CALLERS.app.audience: must not be empty"],
    [inJwt({ audience: ["a"] }), "CALLERS.app.audience: must be a string"],
    [inJwt({ audience: "a\n" }), "CALLERS.app.audience: must not begin or end with white space"],
    [
      inJwt({ audience: "a", jwks: "https://me:secret@i.example/jwks" }),
      "CALLERS.app.jwks: must not hold a user or a password",
    ],
    [required({}), "CALLERS.app.require: must name a claim, or be left out"],
    [inJwt({ audience: "a", require: {} }), "CALLERS.app.require: must name a claim, or be left out"],
    [required("azp=1"), "CALLERS.app.require: must be an object"],
    [required(["azp"]), "CALLERS.app.require: must be an object"],
    [required({ aud: "x" }), 'CALLERS.app.require.aud: is what "audience" is for'],
    [required({ iss: "x" }), 'CALLERS.app.require.iss: is what "issuer" is for'],
    [required({ exp: 1 }), "CALLERS.app.require.exp: is checked anyway, against the time"],
    [required({ azp: "" }), "CALLERS.app.require.azp: must not be empty"],
    [required({ azp: ["a"] }), "CALLERS.app.require.azp: must be a string, a number or a boolean"],
    [required({ org: { id: "a" } }), "CALLERS.app.require.org: must be a string, a number or a boolean"],
    [required({ azp: null }), "CALLERS.app.require.azp: must be a string, a number or a boolean"],
    [required({ level: 1.5 }), "CALLERS.app.require.level: must be a safe integer"],
    [required({ level: 2 ** 53 }), "CALLERS.app.require.level: must be a safe integer"],
    [required({ "org.": "a" }), "CALLERS.app.require.org.: is not a claim's name"],
    [required({ constructor: "a", azp: "b" }), "CALLERS.app.require: must not name a claim __proto__"],
    [inJwt({ audience: "a", token: "T" }), "CALLERS.app.issuer: is not a field here"],
    [{ ...good, ALLOWED_ORIGINS: ["https://a.example/"] }, "ALLOWED_ORIGINS[0]: must be an origin"],
    [{ ...good, ALLOWED_ORIGINS: ["http://app.example.com:*"] }, "ALLOWED_ORIGINS[0]: must be an origin"],
    [{ ...good, S3_HOSTS: ["https://s3.example.com"] }, "S3_HOSTS[0]: must be a host name"],
    [{ ...good, S3_HOSTS: ["S3.example.com"] }, "S3_HOSTS[0]: must be a host name"],
    ...["s3.example.com:99999", "s3..example.com", "s3.example.com:443"].map(
      (host): [Record<string, unknown>, string] => [
        { ...good, S3_HOSTS: [host] },
        "S3_HOSTS[0]: must be a host name",
      ],
    ),
    [{ ...good, S3_HOSTS: "s3.example.com" }, "S3_HOSTS: must be an array"],
    [{ ...good, ALLOWED_ORIGINS: ["http://localhost:*/"] }, "ALLOWED_ORIGINS[0]: must be an origin"],
    [{ ...good, DEFAULT_EXPIRES_IN: "soon" }, "DEFAULT_EXPIRES_IN: must be a number"],
    [{ ...good, STORES: {} }, "STORES: is missing"],
  ])("%#: %s", ([env, line]) => {
    expect(mistakes(env).filter((found) => found.startsWith(line))).toHaveLength(1);
  });

  test("all in one go", () => {
    const env = { ...bucket({ keys: ["k9"] }), ...inStore({ endpoint: "http://x.example", region: 1 }) };
    expect(mistakes({ ...env, BUCKETS: bucket({ keys: ["k9"] }).BUCKETS })).toHaveLength(3);
  });

  test("without the value that was given, which may be a secret", () => {
    const secret = "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=";
    expect(mistakes(inKey({ secret })).join()).not.toContain(secret);
  });
});

test("http is for loopback, or for who insists", () => {
  for (const endpoint of [
    "http://127.0.0.1:9000",
    "http://localhost",
    "http://[::1]:1",
    "http://s3.localhost",
  ]) {
    expect(mistakes({ ...good, STORES: { cw: { ...store, endpoint } } })).toEqual([]);
  }
  expect(
    mistakes({ ...good, STORES: { cw: { ...store, endpoint: "http://cwlota.com", insecure: true } } }),
  ).toEqual([]);
});

test("an endpoint is an origin, however it is spelt", () => {
  for (const endpoint of ["HTTPS://CWObject.com", "https://cwobject.com:443/", " https://cwobject.com\n"]) {
    const { stores } = loadConfig({ ...good, STORES: { cw: { ...store, endpoint } } });
    expect(stores.get("cw")?.endpoint).toBe("https://cwobject.com");
  }
});

describe("callers of one issuer", () => {
  const app = { issuer: "https://i.example/", jwks: "https://i.example/jwks", grants: [grant] };
  const both = (a: object, b: object) =>
    mistakes({ ...good, CALLERS: { a: { ...app, ...a }, b: { ...app, ...b } } });
  const twins = "CALLERS.b: has the issuer, audience and require of CALLERS.a";

  test.for<[object, object]>([
    [{ audience: "x" }, { audience: "x" }],
    [{ require: { azp: "x" } }, { require: { azp: "x" } }],
    [
      { audience: "x", require: { azp: "x", level: 1 } },
      { audience: "x", require: { level: 1, azp: "x" } },
    ],
    [{ audience: "x" }, { audience: "x", jwks: "https://i.example/other" }],
  ])("%j and %j are one", ([a, b]) => {
    expect(both(a, b)).toEqual([twins]);
  });

  test.for<[object, object]>([
    [{ audience: "x" }, { audience: "y" }],
    [{ audience: "x" }, { audience: "x", issuer: "https://other.example/" }],
    [{ audience: "x" }, { require: { azp: "x" } }],
    [{ audience: "x" }, { audience: "x", require: { azp: "x" } }],
    [{ require: { azp: "x" } }, { require: { azp: "y" } }],
    [{ require: { level: 1 } }, { require: { level: "1" } }],
    [{ require: { "org.verified": true } }, { require: { "org.verified": false } }],
  ])("%j and %j are two", ([a, b]) => {
    expect(both(a, b)).toEqual([]);
  });
});
