/** Keys that cannot be used: none of them is an error, and none hides one that can. */
import { type CryptoKey, exportJWK, generateKeyPair, type JWK } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { KeySet } from "../../src/auth/key-set.ts";

const good: Record<string, JWK> = {};
let shortRsa: JWK;

beforeAll(async () => {
  for (const alg of ["ES256", "ES384", "ES512", "RS256", "Ed25519"]) {
    const { publicKey } = await generateKeyPair(alg, { extractable: true });
    good[alg] = await exportJWK(publicKey);
  }
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const { publicKey } = (await crypto.subtle.generateKey(
    { ...algorithm, modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) },
    true,
    ["sign", "verify"],
  )) as { publicKey: CryptoKey };
  shortRsa = (await crypto.subtle.exportKey("jwk", publicKey)) as JWK;
});

const x5c = ["MIIB"];
const other = "abcd";
type Alg = "ES256" | "RS256" | "Ed25519";

/** By the algorithm of a token: what stands in the set besides the good one, made when that is there. */
const UNUSABLE: [string, Alg, () => unknown][] = [
  ["a certificate alone", "RS256", () => ({ kty: "RSA", x5c })],
  ["a certificate alone, of a curve", "ES256", () => ({ kty: "EC", crv: "P-256", x5c })],
  ["a modulus alone", "RS256", () => ({ kty: "RSA", n: good.RS256?.n })],
  ["an exponent alone", "RS256", () => ({ kty: "RSA", e: "AQAB" })],
  ["a modulus that is no base64url", "RS256", () => ({ ...good.RS256, n: "!!!" })],
  ["an empty modulus", "RS256", () => ({ ...good.RS256, n: "" })],
  ["a modulus that is a number", "RS256", () => ({ ...good.RS256, n: 42 })],
  ["RSA of 1024 bits", "RS256", () => shortRsa],
  ["half a point", "ES256", () => ({ ...good.ES256, y: undefined })],
  ["no point of the curve", "ES256", () => ({ ...good.ES256, x: good.ES256?.y })],
  ["a point of another curve", "ES256", () => ({ ...good.ES384, crv: "P-256" })],
  ["another curve", "ES256", () => good.ES384],
  ["a third curve", "ES256", () => good.ES512],
  ["a curve nobody knows", "ES256", () => ({ ...good.ES256, crv: "secp256k1" })],
  ["no curve", "ES256", () => ({ ...good.ES256, crv: undefined })],
  ["X25519, which signs nothing", "Ed25519", () => ({ ...good.Ed25519, crv: "X25519" })],
  ["Ed448", "Ed25519", () => ({ ...good.Ed25519, crv: "Ed448" })],
  ["half an Ed25519", "Ed25519", () => ({ ...good.Ed25519, x: other })],
  ["a secret", "ES256", () => ({ kty: "oct", k: other })],
  ["a secret, said to be for it", "RS256", () => ({ kty: "oct", k: other, alg: "RS256", use: "sig" })],
  ["a kind nobody knows", "ES256", () => ({ ...good.ES256, kty: "XYZ" })],
  ["a kind in the wrong case", "ES256", () => ({ ...good.ES256, kty: "ec" })],
  ["no kind", "ES256", () => ({ ...good.ES256, kty: undefined })],
  ["post-quantum", "ES256", () => ({ kty: "AKP", alg: "ML-DSA-44", pub: other })],
  ["for encryption", "ES256", () => ({ ...good.ES256, use: "enc" })],
  ["for encryption, RSA", "RS256", () => ({ ...good.RS256, use: "enc", alg: "RSA-OAEP" })],
  ["of another algorithm", "RS256", () => ({ ...good.RS256, alg: "PS256" })],
  ["an alg that is no text", "RS256", () => ({ ...good.RS256, alg: 256 })],
  ["to sign with", "ES256", () => ({ ...good.ES256, key_ops: ["sign"] })],
  ["to do nothing with", "ES256", () => ({ ...good.ES256, key_ops: [] })],
  ["key_ops that is no list", "ES256", () => ({ ...good.ES256, key_ops: "verify" })],
  ["key_ops that says it twice", "ES256", () => ({ ...good.ES256, key_ops: ["verify", "verify"] })],
  ["ext that is no boolean", "ES256", () => ({ ...good.ES256, ext: "true" })],
  ["a private key", "Ed25519", () => ({ ...good.Ed25519, d: good.Ed25519?.x })],
  ["an empty object", "ES256", () => ({})],
];
const NO_OBJECTS: [string, Alg, () => unknown][] = [null, 42, "key", true, [], [{}]].map((value) => [
  JSON.stringify(value),
  "ES256",
  () => value,
]);

const setOf = (...keys: unknown[]) => KeySet.from(JSON.parse(JSON.stringify({ keys }))) as KeySet;

/** The x or n of each key that may be tried. */
async function found(set: KeySet, header: { alg: string; kid?: string }): Promise<unknown[]> {
  const keys = await set.usableFor(header);
  return Promise.all(
    keys.map(async (key) => {
      const { x, n } = (await crypto.subtle.exportKey("jwk", key)) as JWK;
      return x ?? n;
    }),
  );
}

describe.for([...UNUSABLE, ...NO_OBJECTS])("%s", ([, alg, make]) => {
  const named = (key: unknown, kid: string) =>
    typeof key === "object" && key !== null && !Array.isArray(key) ? { ...key, kid } : key;

  test("is skipped, by name and without", async () => {
    const set = setOf(named(make(), "it"));
    expect(await found(set, { alg, kid: "it" })).toEqual([]);
    expect(await found(set, { alg })).toEqual([]);
  });

  test("does not hide the good one, whatever they are called, and in whatever order", async () => {
    const { x, n } = good[alg] as JWK;
    for (const [bad, kid] of [
      ["other", "first"],
      ["first", "first"],
    ] as const) {
      const [one, two] = [named(make(), bad), { ...good[alg], kid }];
      for (const keys of [
        [one, two],
        [two, one],
        [one, two, one],
      ]) {
        expect(await found(setOf(...keys), { alg, kid: "first" })).toEqual([x ?? n]);
        expect(await found(setOf(...keys), { alg })).toEqual([x ?? n]);
      }
    }
    // Nor one without a name.
    expect(await found(setOf(make(), good[alg]), { alg })).toEqual([x ?? n]);
  });
});

test("all of one name may be tried, and all where a token names none", async () => {
  const another = await exportJWK((await generateKeyPair("ES256", { extractable: true })).publicKey);
  const set = setOf({ ...good.ES256, kid: "same" }, { ...another, kid: "same" });
  expect(await found(set, { alg: "ES256", kid: "same" })).toEqual([good.ES256?.x, another.x]);
  expect(await found(set, { alg: "ES256" })).toEqual([good.ES256?.x, another.x]);
  expect(await found(set, { alg: "ES256", kid: "SAME" })).toEqual([]);
  expect(await found(set, { alg: "ES256", kid: 1 as never })).toEqual([]);
});

test("a key is for its own algorithms", async () => {
  const set = setOf(...Object.values(good));
  for (const alg of ["none", "HS256", "HS512", "dir", "A128GCM", "", "es256"]) {
    expect(await found(set, { alg })).toEqual([]);
  }
  for (const alg of ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]) {
    expect(await found(set, { alg })).toEqual([good.RS256?.n]);
  }
  for (const alg of ["EdDSA", "Ed25519"]) expect(await found(set, { alg })).toEqual([good.Ed25519?.x]);
});

test.for([
  "{}",
  "[]",
  "null",
  "42",
  '"keys"',
  '{"keys": {}}',
  '{"keys": "x"}',
  '{"keys": null}',
])("%s is no key set", (json) => {
  expect(KeySet.from(JSON.parse(json))).toBeUndefined();
});
