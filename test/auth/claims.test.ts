/** What a claim may make of a prefix: exactly one segment, or nothing. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { claimOf, fillClaims } from "../../src/auth/claims.ts";

const fill = (claims: string, prefix = "users/{id}/") => fillClaims(prefix, JSON.parse(claims));

describe("a claim that names somebody", () => {
  test.for<[string, string]>([
    ['"acme"', "acme"],
    ['"zo\u00eb"', "zo\u00eb"],
    ['"auth0|5f7c"', "auth0|5f7c"],
    ['"CORP\\\\alice"', "CORP\\alice"],
    ['"..."', "..."],
    ['"%2e%2e"', "%2e%2e"],
    ['"\uff0e\uff0e"', "\uff0e\uff0e"],
    ['"$&"', "$&"],
    ['"{sub}"', "{sub}"],
    ["42", "42"],
    ["0", "0"],
    ["-7", "-7"],
    ["1e3", "1000"],
    ["9007199254740991", "9007199254740991"],
  ])("%s", ([claim, segment]) => {
    expect(fill(`{"id": ${claim}}`)).toBe(`users/${segment}/`);
  });
});

describe("a claim that names nobody", () => {
  test.for([
    // No text, and no number that is read to its last digit.
    ...["null", "true", "false", "[]", '["acme"]', "[42]", "{}", '{"toString": "acme"}'],
    ...["1.5", "-0", "0.1", "1e21", "1e999", "-1e999", "1e-7"],
    ...["9007199254740992", "9007199254740993", "-9007199254740992", "-9007199254740993"],
    ...["123456789012345678901234567890", "2251799813685248.5"],
    // Text that is no segment, or no one's name.
    ...['""', '"."', '".."', '"/"', '"a/b"', '"/a"', '"a/"', '"../a"'],
    ...['"\\u0000"', '".\\u0000"', '"a\\u0000b"', '"a\\nb"', '"\\r"', '"\\t"', '"\\u001b"', '"\\u007f"'],
    ...['"\\u0085"', '"\\u009f"', '"\\u2028"', '"a\\u2029"'],
    ...['"\\ud800"', '"a\\udc00"', '"\\udc00\\ud800"'],
    ...[JSON.stringify("x".repeat(1025)), JSON.stringify("\u00eb".repeat(513))],
  ])("%.40s", (claim) => {
    expect(fill(`{"id": ${claim}}`)).toBeUndefined();
    // Nor within an object, nor beside one that does.
    expect(fill(`{"org": {"id": ${claim}}}`, "{org.id}/")).toBeUndefined();
    expect(fill(`{"id": ${claim}, "org": "acme"}`, "{org}/{id}/")).toBeUndefined();
  });

  test("what is missing, or is there by inheritance alone", () => {
    for (const name of ["id", "toString", "constructor", "__proto__", "constructor.name", "id.length"]) {
      expect(fill('{"other": 1}', `{${name}}/`)).toBeUndefined();
    }
    expect(fill('{"__proto__": "acme"}', "{__proto__}/")).toBe("acme/");
  });
});

describe("a name with dots", () => {
  const walks: [string, string, unknown][] = [
    ["{org.id}", '{"org": {"id": "acme"}}', "acme"],
    ["{a.b.c}", '{"a": {"b": {"c": 7}}}', "7"],
    ["{org.id}", '{"org.id": "flat"}', "flat"],
    ["{https://example.com/team}", '{"https://example.com/team": "red"}', "red"],
    ["{https://example.com/org.id}", '{"https://example.com/org": {"id": "acme"}}', "acme"],
    ["{a.b.c}", '{"a.b": {"c": "x"}}', "x"],
    ["{a.b.c}", '{"a": {"b.c": "x"}}', "x"],
    // Two readings that agree are no question; two that do not have no answer.
    ["{org.id}", '{"org.id": "acme", "org": {"id": "acme"}}', "acme"],
    ["{org.id}", '{"org.id": "acme", "org": {"id": "evil"}}', undefined],
    ["{org.id}", '{"org.id": null, "org": {"id": "acme"}}', undefined],
    ["{org.id}", '{"org.id": "acme", "org": {"id": ["evil"]}}', undefined],
    ["{org.id}", '{"org.id": "1", "org": {"id": 1}}', undefined],
    // Nothing but objects is walked into.
    ["{org.0}", '{"org": ["acme"]}', undefined],
    ["{org.length}", '{"org": "acme"}', undefined],
    ["{org.id}", '{"org": [{"id": "acme"}]}', undefined],
    ["{org.id}", '{"org": null}', undefined],
    ["{org.id}", '{"org": {}}', undefined],
    ["{org.constructor}", '{"org": {}}', undefined],
    ["{org.__proto__.id}", '{"org": {"id": "acme"}}', undefined],
    ["{org.id}", '{"org": {"ID": "acme"}, "Org": {"id": "acme"}}', undefined],
  ];
  test.for(walks)("%s of %s is %s", ([name, claims, segment]) => {
    expect(fill(claims, `${name}/`)).toBe(segment === undefined ? undefined : `${segment}/`);
  });
});

test("whatever a claim is, a prefix has as many segments as it was written with, and none that is walked", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const filled = fillClaims("x/{a}/{b.c}/", { a, b: { c: b } });
      if (filled === undefined) return;
      const segments = filled.split("/");
      expect(segments).toHaveLength(4);
      expect(segments.slice(1, 3)).toEqual([String(a), String(b)]);
      for (const segment of segments.slice(0, 3)) expect(segment).not.toMatch(/^\.{0,2}$/);
    }),
    { numRuns: 2000 },
  );
});

test("two numbers never make one prefix", () => {
  const number = fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }));
  fc.assert(
    fc.property(number, number, (a, b) => {
      const [one, other] = [fill(`{"id": ${a}}`), fill(`{"id": ${b}}`)];
      if (one !== undefined && one === other) expect(String(a)).toBe(String(b));
    }),
    { numRuns: 2000 },
  );
});

test("a claim is taken as it is", () => {
  expect(claimOf({ a: { b: true } }, "a.b")).toBe(true);
  expect(claimOf({ a: { b: [1] } }, "a.b")).toEqual([1]);
});
