/** Whose a token of an issuer is that several callers share: never the wider one's by chance. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { callerOf } from "../../src/auth/issuer-callers.ts";
import type { JwtCaller } from "../../src/config/load.ts";

const caller = (name: string, demands: Pick<JwtCaller, "audience" | "require">): JwtCaller => ({
  name,
  issuer: "https://i.example/",
  jwks: "https://i.example/jwks",
  grants: [],
  ...demands,
});

/** Narrow to wide and wide to narrow must be the same. */
function nameFor(claims: object, callers: readonly JwtCaller[]): string | undefined {
  const [one, other] = [callers, callers.toReversed()].map((order) => {
    const found = callerOf(claims as never, order);
    return "caller" in found ? found.caller.name : undefined;
  });
  expect(one).toBe(other);
  return one;
}

describe("an audience", () => {
  const [x, none] = [caller("x", { audience: "x" }), caller("none", { require: { azp: "a" } })];
  test.for<[object, string | undefined]>([
    [{ aud: "x" }, "x"],
    [{ aud: ["y", "x"] }, "x"],
    [{ aud: "x", azp: "a" }, "x"],
    [{ azp: "a" }, "none"],
    // Who asks for none takes nothing that is for somebody else.
    [{ aud: "y", azp: "a" }, undefined],
    [{ aud: [], azp: "a" }, undefined],
    [{ aud: null, azp: "a" }, undefined],
    [{ aud: "", azp: "a" }, undefined],
    [{ aud: "X" }, undefined],
    [{ aud: ["x,y"] }, undefined],
    [{ aud: [["x"]] }, undefined],
    [{ aud: { x: "x" } }, undefined],
    [{}, undefined],
  ])("%j is for %s", ([claims, name]) => {
    expect(nameFor(claims, [x, none])).toBe(name);
  });
});

describe("what is required", () => {
  const all = caller("it", {
    require: { client_id: "abc", level: 2, verified: true, "org.id": "acme", "https://x.example/t": "red" },
  });
  const right = {
    client_id: "abc",
    level: 2,
    verified: true,
    org: { id: "acme" },
    "https://x.example/t": "red",
  };
  test("is there", () => expect(nameFor({ ...right, more: 1 }, [all])).toBe("it"));

  test.for<object>([
    { client_id: "abcd" },
    { client_id: "ABC" },
    { client_id: "abc " },
    { client_id: ["abc"] },
    { client_id: "" },
    { client_id: null },
    { client_id: undefined },
    { client_id: { toString: "abc" } },
    { level: "2" },
    { level: 3 },
    { level: [2] },
    { level: 2.0000001 },
    { verified: "true" },
    { verified: 1 },
    { verified: false },
    { org: { id: "other" } },
    { org: [{ id: "acme" }] },
    { org: undefined },
    { "org.id": "other" },
    { "https://x.example/t": "blue" },
  ])("not by %j", (wrong) => {
    expect(nameFor({ ...right, ...wrong }, [all])).toBeUndefined();
  });
});

describe("a token that fits several", () => {
  const users = caller("users", { audience: "x" });
  const admins = caller("admins", { audience: "x", require: { role: "admin" } });
  const auditors = caller("auditors", { audience: "x", require: { department: "audit" } });
  const both = caller("both", { audience: "x", require: { role: "admin", department: "audit" } });
  const other = caller("other", { audience: "y" });

  test.for<[object, JwtCaller[], string | undefined]>([
    [{ aud: "x" }, [users, admins, auditors], "users"],
    [{ aud: "x", role: "admin" }, [users, admins, auditors], "admins"],
    [{ aud: "x", role: "guest" }, [users, admins, auditors], "users"],
    // Neither demands what the other does.
    [{ aud: "x", role: "admin", department: "audit" }, [users, admins, auditors], undefined],
    [{ aud: "x", role: "admin", department: "audit" }, [users, admins, auditors, both], "both"],
    [{ aud: ["x", "y"] }, [users, other], undefined],
    [{ aud: ["x", "y"], role: "admin" }, [users, admins, other], undefined],
    [{ aud: ["y", "z"] }, [users, other], "other"],
  ])("%j", ([claims, callers, name]) => {
    expect(nameFor(claims, callers)).toBe(name);
  });

  test("tells the operator between whom it cannot choose", () => {
    expect(callerOf({ aud: ["x", "y"] }, [users, other])).toMatchObject({
      fault: "it is for several callers at once",
      operator: expect.stringContaining("CALLERS.users and CALLERS.other"),
    });
  });

  test("is nobody's, or the one's who demands all that the others do", () => {
    const claim = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.constantFrom(1, 2), { minKeys: 1 });
    const demands = fc.record({ require: claim, audience: fc.constantFrom(undefined, "x", "y") });
    const token = fc.record({
      aud: fc.constantFrom(undefined, "x", ["x", "y"]),
      a: fc.constantFrom(1, 2),
      b: fc.constantFrom(1, 2),
      c: fc.constantFrom(1, 2),
    });
    fc.assert(
      fc.property(fc.array(demands, { maxLength: 5 }), token, (rows, claims) => {
        const given = JSON.parse(JSON.stringify(claims)) as Record<string, unknown>;
        const callers = rows.map((row, i) => caller(String(i), row));
        const found = callerOf(given, callers);
        const fits = ({ audience, require = {} }: JwtCaller) =>
          (audience === undefined ? !("aud" in given) : [given.aud].flat().includes(audience)) &&
          Object.entries(require).every(([name, value]) => given[name] === value);
        const fitting = callers.filter(fits);
        if (!("caller" in found)) {
          expect(fitting.length).not.toBe(1);
          return;
        }
        expect(fitting).toContain(found.caller);
        const wanted = Object.keys(found.caller.require ?? {});
        for (const { audience, require = {} } of fitting) {
          expect(audience).toBe(found.caller.audience);
          expect(wanted).toEqual(expect.arrayContaining(Object.keys(require)));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
