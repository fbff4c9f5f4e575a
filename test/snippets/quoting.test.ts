/** Whatever keys and metadata hold, a snippet says the same of them, and nothing of them is code. */
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { OperationName } from "../../src/s3/api/operations.ts";
import { snippet } from "../../src/snippets/index.ts";
import { character } from "../support/character.ts";

const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      ..."\\\"'$(){}`%#:;=@/\n\r\t\0u&<>~* ",
      "\\(",
      "\\u0041",
      "${",
      "\u202e",
      "\u2028",
      "END",
    ),
    character,
  ),
  maxLength: 40,
});
/** Names that a file can have: longer ones, and none, are called `object`. */
const name = hostile.map((text) => `${text.replace(/[/\0]/g, "_")}.x`);
const ascii = fc.string({ unit: fc.constantFrom(..."\\\"'$(){}`%:;=@<>~u4 "), maxLength: 30 });

const request = (operation: OperationName, key: string, value: string) => ({
  operation,
  method: operation === "PostObject" ? "POST" : "PUT",
  url: "https://media.example.com/a?X-Amz-Signature=0123456789abcdef",
  key: `folder/${key}`,
  ...(operation === "PostObject"
    ? { fields: { key: `folder/${key}`, "x-amz-meta-a": value } }
    : { headers: { "x-amz-meta-a": value } }),
});

const JAVA_ESCAPES = { n: "\n", r: "\r", t: "\t" } as const;
const LANGUAGES = {
  kotlin: /\\(?:u([0-9a-f]{4})|(.))/g,
  swift: /\\(?:u\{([0-9a-f]{1,6})\}|(.))/g,
};

describe.each(Object.entries(LANGUAGES))("%s", (language, escapes) => {
  /** The texts within quotes as the language reads them, and the program without them. */
  function read(program: string): { texts: string[]; code: string } {
    const texts: string[] = [];
    const code = program.replace(/"((?:[^"\\]|\\.)*)"/gsu, (_, within: string) => {
      // A template or an interpolation of the snippet's own stays code.
      texts.push(
        within.replace(escapes, (_, digits: string | undefined, char: string) =>
          digits === undefined
            ? (JAVA_ESCAPES[char as keyof typeof JAVA_ESCAPES] ?? char)
            : language === "kotlin"
              ? String.fromCharCode(Number.parseInt(digits, 16))
              : String.fromCodePoint(Number.parseInt(digits, 16)),
        ),
      );
      // An escape that the language does not know, or what has a meaning unescaped, makes another program.
      const known =
        language === "kotlin" ? /\\(?:[nrt"\\$]|u[0-9a-f]{4})/g : /\\(?:[nrt"\\]|u\{[0-9a-f]+\})/g;
      const rest = within.replace(known, "");
      expect(rest).not.toMatch(language === "kotlin" ? /\\|\$(?!boundary|name|value|status|\{)/ : /\\(?!\()/);
      return '""';
    });
    return { texts, code };
  }

  test.each(["PutObject", "PostObject"] as const)("of %s", (operation) => {
    const { code: skeleton } = read(snippet(language as "kotlin", request(operation, "plain.x", "plain")));
    fc.assert(
      fc.property(name, ascii, (key, value) => {
        const program = snippet(language as "kotlin", request(operation, key, value));
        const { texts, code } = read(program);
        expect(code).toBe(skeleton);
        expect(program).not.toMatch(/[^\n\P{C}]|[\p{Zl}\p{Zp}]/u);
        const isLong = new TextEncoder().encode(key).length > 255;
        for (const text of [isLong ? "./object" : `./${key}`, value]) expect(texts).toContain(text);
      }),
    );
  });
});

describe("httpie", () => {
  /** What the shell hands to `http`: arguments, and texts as files of `/dev/fd`. */
  function handed(program: string): { words: string[]; input: string } {
    const http = [
      'http() { for word in "$@"; do printf "%s\\0" "$word"; case $word in ',
      '*[=:]@/dev/fd/*|--session*=/dev/fd/*) cat "/dev/fd/${word##*/}"; printf "\\0";; esac; done; }\n',
    ].join("");
    // Where files are read from, there are none.
    const script = `${http}${program.replace(/ < '(?:[^']|'\\'')*'/s, "")}`;
    const words = execFileSync("sh", { input: script, encoding: "utf8" }).split("\0");
    return { words, input: program };
  }

  test("headers, whatever they hold", () => {
    fc.assert(
      fc.property(name, ascii, (key, value) => {
        const { words, input } = handed(snippet("httpie", request("PutObject", key, value)));
        expect(words).toEqual([
          ...["--check-status", "--ignore-netrc", "--body", "--session-read-only=/dev/fd/3"],
          `${JSON.stringify({ headers: [{ name: "x-amz-meta-a", value }] }, null, 2)}\n`,
          ...["PUT", "https://media.example.com/a", "X-Amz-Signature==@/dev/fd/4", "0123456789abcdef\n"],
          ...["content-type:", ""],
        ]);
        const file = new TextEncoder().encode(key).length > 255 ? "object" : key;
        expect(input).toContain(` < '${`./${file}`.replaceAll("'", "'\\''")}' \\\n`);
      }),
      { numRuns: 8 },
    );
  });

  test("a form's fields, whatever they hold", () => {
    fc.assert(
      fc.property(name, ascii, (key, value) => {
        const { words } = handed(snippet("httpie", request("PostObject", key, value)));
        /** As HTTPie reads an item: a backslash before a separator is taken away. */
        const field = (name: string) => {
          const at = words.findIndex((word) => word.startsWith(`${name}=`));
          const given = words[at] ?? "";
          return given.startsWith(`${name}=@/dev/fd/`)
            ? words[at + 1]
            : given.slice(name.length + 1).replace(/\\([:;=@])/g, "$1");
        };
        expect(field("x-amz-meta-a")).toBe(value);
        expect(field("key")).toBe(`folder/${key}`);
      }),
      { numRuns: 8 },
    );
  });
});
