/** A list over what a caller's grants open, against the plain way: all keys, sifted, folded, in order. */
import { expect, test } from "vitest";
import type { Caller } from "../../src/auth/callers.ts";
import { type AskPage, pageOver, spansOf } from "../../src/gateway/opened.ts";
import { beyond, compareNames } from "../../src/gateway/paging.ts";

const grant = (prefix: string) => ({ bucket: "b", prefix, allow: ["read"], maxExpiresIn: 60 }) as const;
const callerOf = (prefixes: readonly string[]): Caller => ({ name: "me", grants: prefixes.map(grant) });

/** What a list of such keys is to show. */
function shown(
  keys: readonly string[],
  open: readonly string[],
  prefix: string,
  delimiter: string,
): string[] {
  const seen = keys.filter((key) => key.startsWith(prefix) && open.some((one) => key.startsWith(one)));
  const names = seen.map((key) => {
    const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    return at < 0 ? key : key.slice(0, at + delimiter.length);
  });
  return [...new Set(names)].sort(compareNames);
}

/** A store that lists as S3 does. */
function store(keys: readonly string[]): AskPage<{ key: string }> {
  return async ({ prefix, delimiter, after }, limit) => {
    const names = shown(
      keys.filter((key) => after === "" || compareNames(key, after) > 0),
      [""],
      prefix,
      delimiter,
    );
    const page = names.slice(0, limit);
    const isFolded = (name: string) => delimiter !== "" && name.indexOf(delimiter, prefix.length) >= 0;
    return {
      entries: page.filter((name) => !isFolded(name)).map((key) => ({ key })),
      prefixes: page.filter(isFolded),
      isMore: names.length > page.length,
    };
  };
}

test("pages of any size show what is open, in order and once", async () => {
  let seed = 42;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % below;
  };
  const text = (length: number) => Array.from({ length }, () => "ab/é\u{1f600}"[random(4)] ?? "a").join("");
  for (let round = 0; round < 500; round++) {
    const keys = [...new Set(Array.from({ length: random(12) }, () => text(1 + random(5))))].sort(
      compareNames,
    );
    const open = Array.from({ length: 1 + random(4) }, () => text(random(4)));
    const prefix = text(random(3));
    const delimiter = ["", "/", "a"][random(3)] ?? "";
    const limit = 1 + random(3);
    const spans = spansOf(callerOf(open), "b", "read", { prefix, delimiter });
    const found: string[] = [];
    for (let after = "", isMore = true; isMore; ) {
      const page = await pageOver(spans, { delimiter, after, limit }, store(keys));
      const names = [...page.entries.map(({ key }) => key), ...page.prefixes].sort(compareNames);
      expect(names.length).toBeLessThanOrEqual(limit);
      found.push(...names);
      isMore = page.isMore;
      const last = names.at(-1) ?? "";
      after = page.prefixes.includes(last) ? beyond(last) : last;
      if (isMore) expect(names).not.toEqual([]);
      if (found.length > 100)
        throw new Error(JSON.stringify({ keys, open, prefix, delimiter, limit, spans, found }));
    }
    const told = JSON.stringify({ keys, open, prefix, delimiter, limit });
    expect(found, told).toEqual(shown(keys, open, prefix, delimiter));
  }
});

test("nothing is open where no grant is of the bucket, for that, or of such keys", () => {
  const asked = { prefix: "a/", delimiter: "" };
  expect(spansOf(callerOf(["b/"]), "b", "read", asked)).toEqual([]);
  expect(spansOf(callerOf(["a/"]), "c", "read", asked)).toEqual([]);
  expect(spansOf(callerOf(["a/"]), "b", "write", asked)).toEqual([]);
  expect(spansOf(callerOf(["a/"]), "b", "read", asked)).toEqual([{ prefix: "a/" }]);
  expect(() => spansOf(callerOf(["a-"]), "b", "read", { prefix: "", delimiter: "--" })).toThrow(/delimiter/);
});
