import fc from "fast-check";
import { expect, test } from "vitest";
import { signedHeaders } from "../../../src/s3/sign/canonical.ts";

const text = (headers: Record<string, string>, host: string) =>
  new TextDecoder().decode(signedHeaders(headers).block(headers, host));

/** The headers of the canonical request, as the specification words them. */
function expected(headers: Record<string, string>, host: string): string {
  const all: Record<string, string> = { ...headers, host };
  const names = Object.keys(all).sort();
  const lines = names.map((name) => `\n${name}:${all[name]?.trim().replace(/\s+/g, " ")}`);
  return `${lines.join("")}\n\n${names.join(";")}\n`;
}

test("the headers of one request after another, whose values stay, change, grow, shrink or leave ASCII", () => {
  const value = fc.oneof(
    fc.constantFrom("", "a", "b", "aa", "ä", "aä", "  a  b ", "x".repeat(600)),
    fc.string({ unit: "grapheme", maxLength: 40 }),
  );
  const headers = fc.record({ "content-type": value, "x-amz-a": value, "x-amz-z": value });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(headers, fc.constantFrom("h", "host.example")), { minLength: 2 }),
      (all) => {
        for (const [each, host] of all) expect(text(each, host)).toBe(expected(each, host));
      },
    ),
    { numRuns: 1000 },
  );
});

test("sets of names are remembered, but not what a caller makes large", () => {
  const small = { "x-amz-a": "a" };
  text(small, "h");
  expect(signedHeaders(small)).toBe(signedHeaders({ "x-amz-a": "b" }));
  const large = { "x-amz-a": "a".repeat(10_000) };
  const before = signedHeaders(large);
  expect(text(large, "h")).toBe(expected(large, "h"));
  expect(signedHeaders(large)).not.toBe(before);
  expect(text(small, "h")).toBe(expected(small, "h"));
});
