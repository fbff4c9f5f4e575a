/** RFC 9110, section 13: every form of a condition, against every state of an object. */
import { describe, expect, test } from "vitest";
import {
  areNone,
  demand,
  evaluate,
  onlyTagOf,
  parseHttpDate,
  parsePreconditions,
  preconditionsOf,
  rangeHolds,
  type State,
  seen,
} from "../../src/edge/conditions.ts";
import { Refused } from "../../src/refused.ts";

const MODIFIED = "Sun, 06 Nov 1994 08:49:37 GMT";
const EARLIER = "Sun, 06 Nov 1994 08:49:36 GMT";
const LATER = "Sun, 06 Nov 1994 08:49:38 GMT";
const there: State = { etag: '"abc"', lastModified: MODIFIED };

const held = (headers: Record<string, string>, state: State, method = "GET") =>
  evaluate(preconditionsOf(new Headers(headers)), state, method);

describe("If-Match", () => {
  test.for<[string, string, string]>([
    ['"abc"', "proceed", "failed"],
    ["abc", "proceed", "failed"],
    ['"other"', "failed", "failed"],
    ['W/"abc"', "failed", "failed"],
    ["W/abc", "failed", "failed"],
    ["*", "proceed", "failed"],
    [" * ", "proceed", "failed"],
    ['"x", "abc"', "proceed", "failed"],
    ['"x","y"', "failed", "failed"],
    ['x, abc ,"y"', "proceed", "failed"],
    [', ,"abc",', "proceed", "failed"],
    ['"abc,def"', "failed", "failed"],
    ['""', "failed", "failed"],
    ['"ABC"', "failed", "failed"],
  ])("%s: %s of what is there, %s of nothing", ([value, ofThere, ofNothing]) => {
    for (const method of ["GET", "HEAD", "PUT", "DELETE"]) {
      expect(held({ "if-match": value }, there, method)).toBe(ofThere);
      expect(held({ "if-match": value }, "absent", method)).toBe(ofNothing);
    }
  });
});

describe("If-None-Match", () => {
  test.for<[string, boolean]>([
    ['"abc"', true],
    ["abc", true],
    ['"other"', false],
    ['W/"abc"', true],
    ["W/abc", true],
    ["*", true],
    ['"x", W/"abc"', true],
    ['"x", "y"', false],
  ])("%s: whether it names what is there is %s", ([value, isNamed]) => {
    const headers = { "if-none-match": value };
    expect(held(headers, there, "GET")).toBe(isNamed ? "not-modified" : "proceed");
    expect(held(headers, there, "HEAD")).toBe(isNamed ? "not-modified" : "proceed");
    expect(held(headers, there, "PUT")).toBe(isNamed ? "failed" : "proceed");
    expect(held(headers, there, "DELETE")).toBe(isNamed ? "failed" : "proceed");
    expect(held(headers, "absent", "PUT")).toBe("proceed");
  });
});

test.for([
  '"abc',
  'abc"',
  '"a" "b"',
  "a b",
  "",
  " ",
  ",",
  '*, "abc"',
  '"abc", *',
  "W/",
  'w/"abc"',
])("%j is no list of tags, and said to be none by name", (value) => {
  for (const name of ["ifMatch", "ifNoneMatch"] as const) {
    const header = name === "ifMatch" ? "if-match" : "if-none-match";
    // W/ and its like without quotes are tags of an odd name.
    if (value === "W/") return expect(held({ [header]: value }, there, "PUT")).toBeTypeOf("string");
    let thrown: unknown;
    try {
      parsePreconditions({ [name]: value });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Refused);
    expect((thrown as Refused).errors).toMatchObject([{ path: header }]);
  }
});

test("a fault may be told by another path", () => {
  expect(() => parsePreconditions({ ifMatch: '"' }, { ifMatch: "ifMatch", ifNoneMatch: "" })).toThrow(
    /^ifMatch: /,
  );
});

describe("dates", () => {
  test.for<[string, string, string, string]>([
    [MODIFIED, "not-modified", "proceed", "proceed"],
    [LATER, "not-modified", "proceed", "proceed"],
    [EARLIER, "proceed", "failed", "failed"],
    ["Sunday, 06-Nov-94 08:49:37 GMT", "not-modified", "proceed", "proceed"],
    ["Sun Nov  6 08:49:36 1994", "proceed", "failed", "failed"],
    // What is no date is no condition.
    ["yesterday", "proceed", "proceed", "proceed"],
    ["0", "proceed", "proceed", "proceed"],
    ["1994-11-06T08:49:37Z", "proceed", "proceed", "proceed"],
    [`${MODIFIED}, ${MODIFIED}`, "proceed", "proceed", "proceed"],
    ["Sun, 31 Feb 1994 08:49:37 GMT", "proceed", "proceed", "proceed"],
  ])("%s", ([date, sinceGet, unmodifiedGet, unmodifiedPut]) => {
    expect(held({ "if-modified-since": date }, there, "GET")).toBe(sinceGet);
    expect(held({ "if-unmodified-since": date }, there, "GET")).toBe(unmodifiedGet);
    expect(held({ "if-unmodified-since": date }, there, "PUT")).toBe(unmodifiedPut);
    expect(held({ "if-unmodified-since": date }, there, "DELETE")).toBe(unmodifiedPut);
    // Of nothing there is no date.
    expect(held({ "if-unmodified-since": date }, "absent", "PUT")).toBe("proceed");
    // It is for reading alone.
    expect(held({ "if-modified-since": date }, there, "PUT")).toBe("proceed");
  });

  test("of a store that gives none are no condition", () => {
    expect(held({ "if-unmodified-since": EARLIER }, { etag: '"abc"' }, "PUT")).toBe("proceed");
    expect(held({ "if-modified-since": LATER }, { etag: '"abc"' })).toBe("proceed");
  });

  test("come as ISO 8601 as well, from a store's list", () => {
    const state = { etag: '"abc"', lastModified: "1994-11-06T08:49:37.000Z" };
    expect(held({ "if-modified-since": MODIFIED }, state)).toBe("not-modified");
  });

  test("of two digits for the year are not far ahead", () => {
    const now = Date.UTC(2026, 10, 25);
    expect(parseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT", now)).toBe(Date.UTC(1994, 10, 6, 8, 49, 37));
    expect(parseHttpDate("Friday, 06-Nov-37 08:49:37 GMT", now)).toBe(Date.UTC(2037, 10, 6, 8, 49, 37));
  });

  test.for([
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:49:37 CET",
    "sun, 06 nov 1994 08:49:37 gmt",
    "Sun, 00 Nov 1994 08:49:37 GMT",
  ])("%s is none", (text) => expect(parseHttpDate(text)).toBeUndefined());
});

test.for<[Record<string, string>, string]>([
  [{ "if-match": '"abc"', "if-unmodified-since": EARLIER }, "proceed"],
  [{ "if-match": '"other"', "if-none-match": '"abc"' }, "failed"],
  [{ "if-match": '"abc"', "if-none-match": '"abc"' }, "not-modified"],
  [{ "if-unmodified-since": EARLIER, "if-none-match": '"abc"' }, "failed"],
  [{ "if-none-match": '"other"', "if-modified-since": LATER }, "proceed"],
  [{ "if-none-match": '"abc"', "if-modified-since": EARLIER }, "not-modified"],
])("the order of %j", ([headers, verdict]) => {
  expect(held(headers, there)).toBe(verdict);
});

test("of what is under none of our keys, nothing but that it is there holds", () => {
  expect(held({ "if-match": "*" }, "hidden", "PUT")).toBe("proceed");
  expect(held({ "if-match": '"abc"' }, "hidden", "PUT")).toBe("failed");
  expect(held({ "if-none-match": "*" }, "hidden", "PUT")).toBe("failed");
  expect(held({ "if-none-match": '"abc"' }, "hidden", "PUT")).toBe("failed");
  expect(held({ "if-unmodified-since": LATER }, "hidden", "DELETE")).toBe("failed");
  expect(held({}, "hidden", "DELETE")).toBe("proceed");
});

test.for<[string, boolean]>([
  ['"abc"', true],
  ["abc", true],
  ['"other"', false],
  ['W/"abc"', false],
  ["W/abc", false],
  ["*", false],
  ['"abc", "x"', false],
  [MODIFIED, true],
  ["Sunday, 06-Nov-94 08:49:37 GMT", true],
  [EARLIER, false],
  [LATER, false],
  ["yesterday", false],
  ["Sun, 06 Nov", false],
  ['"abc', false],
  ["", false],
])("If-Range %j holds: %s", ([value, isHeld]) => {
  expect(rangeHolds(value, there)).toBe(isHeld);
});

test("a weak tag of the store's own promises no range", () => {
  expect(rangeHolds('W/"abc"', { etag: 'W/"abc"' })).toBe(false);
  expect(rangeHolds('"abc"', { etag: 'W/"abc"' })).toBe(false);
  expect(held({ "if-none-match": '"abc"' }, { etag: 'W/"abc"' })).toBe("not-modified");
});

test("what was seen is handed on, whatever was demanded", () => {
  const put = (headers: Record<string, string>, state: State) =>
    demand(preconditionsOf(new Headers(headers)), state, "PUT");
  expect(put({}, there)).toEqual({});
  expect(put({ "if-match": '"x", "abc"' }, there)).toEqual({ ifMatch: "abc" });
  expect(put({ "if-none-match": '"x"' }, there)).toEqual({ ifMatch: "abc" });
  expect(put({ "if-unmodified-since": LATER }, there)).toEqual({ ifMatch: "abc" });
  expect(put({ "if-none-match": "*" }, "absent")).toEqual({ ifNoneMatch: "*" });
  expect(put({ "if-match": "*" }, "hidden")).toEqual({});
  expect(seen({ etag: 'W/"abc"' })).toEqual({});
  expect(() => put({ "if-match": '"x"' }, there)).toThrow(Refused);
  expect(() => put({ "if-match": '"x"' }, "hidden")).toThrow(/none of this bucket's keys/);
});

test("the one form of If-None-Match that every store reads", () => {
  const only = (headers: Record<string, string>) => onlyTagOf(preconditionsOf(new Headers(headers)));
  expect(only({ "if-none-match": '"abc"' })).toBe('"abc"');
  expect(only({ "if-none-match": "abc" })).toBe('"abc"');
  for (const value of ["*", 'W/"abc"', '"a", "b"', '"a b"'])
    expect(only({ "if-none-match": value })).toBeUndefined();
  expect(only({ "if-none-match": '"abc"', "if-match": "*" })).toBeUndefined();
  expect(only({})).toBeUndefined();
  expect(areNone(preconditionsOf(new Headers({ "if-modified-since": "yesterday" })))).toBe(true);
});
