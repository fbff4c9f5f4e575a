/** Names that come from elsewhere: as URLs, as files, and on a terminal. */
import { describe, expect, test } from "vitest";
import { printable } from "../../src/cli/terminal.ts";
import { descriptorOf } from "../../src/cli/transfer/descriptor.ts";
import { fromHeaderValue, toHeaderValue } from "../../src/cli/transfer/encoded-word.ts";
import { localNames } from "../../src/cli/transfer/local-name.ts";
import {
  bucketPath,
  objectName,
  objectPath,
  placeName,
  targetName,
} from "../../src/cli/transfer/location.ts";

/** Keys that URLs have a meaning of their own for. */
const ODD_KEYS = [
  "%2e%2e/x",
  "a/%2e%2e/b",
  "a/%2E/b",
  "a%2fb",
  "a%",
  "a\\..\\b",
  "..\\b",
  "a?b=c",
  "a#b",
  "a b ",
  " a",
  "/a",
  "//a",
  "a//b",
  "a/",
  "a/b//",
  "...",
  "a/.../b",
  ".a",
  "a..",
  "a;b",
  "a&b=c+d",
  "!'()*~-_.",
  '<>"^`{|}',
  "ü/☃/🦊",
  "\u0301",
  "a\tb\nc\rd\u001b\u007f\u0085\u2028",
  "a:b@c",
  "http://example.com/x",
];

/** Keys that every client of HTTP would make another one of. */
const IMPOSSIBLE_KEYS = [
  ".",
  "..",
  "a/..",
  "a/.",
  "../b",
  "./b",
  "a/../b",
  "a/./b",
  "/../b",
  "a\0b",
  "\ud800",
  "x".repeat(1025),
];

test.for(ODD_KEYS)("the URL of %j is its own, whoever parses it", (key) => {
  const { href, pathname, search, hash } = new URL(`http://127.0.0.1${objectPath({ bucket: "media", key })}`);
  expect([search, hash]).toEqual(["", ""]);
  const [, , , bucket, ...segments] = pathname.split("/");
  expect([bucket, segments.map(decodeURIComponent).join("/")]).toEqual(["media", key]);
  expect(new URL(href).href).toBe(href);
});

test.for(IMPOSSIBLE_KEYS)("no command takes %j, and no URL is made of it", (key) => {
  expect(() => objectPath({ bucket: "media", key })).toThrow(/no URL can name the object/);
  expect(() => objectName(`media/${key}`)).toThrow();
  expect(() => targetName(`media/${key}`)).toThrow();
});

test.for(["", ".", "..", "\udfff"])("nor %j as a bucket", (bucket) => {
  expect(() => objectPath({ bucket, key: "a" })).toThrow();
  expect(() => bucketPath(bucket)).toThrow();
  for (const parse of [objectName, targetName, placeName]) expect(() => parse(`${bucket}/a`)).toThrow();
});

test("a slash at its end makes a folder of a target, and a bucket alone is none", () => {
  expect(targetName("media/")).toEqual({ bucket: "media", key: "" });
  expect(targetName("media/a/")).toEqual({ bucket: "media", key: "a/" });
  expect(() => targetName("media")).toThrow("or BUCKET/");
  expect(() => objectName("media/")).toThrow("as BUCKET/KEY");
});

test("an address as aws takes it is told how it is given here", () => {
  for (const read of [objectName, placeName, targetName])
    expect(() => read("s3://media/cat.jpg")).toThrow("as BUCKET/KEY, without s3://");
});

describe("files of objects", () => {
  const everywhere = ["", "a//b", "/etc/passwd", "a/", "..", "../a", "a/../b", "a/./b", "a\0b"];
  const onWindows = [
    "CON",
    "a/nul.txt",
    "com1",
    "LPT9.log",
    "C:/x",
    "a:b",
    "..\\a",
    "a\\b",
    "a.",
    "a ",
    "a*",
    "a?",
    "\u0001",
  ];
  test.for(everywhere)("%j is none anywhere", (key) => {
    for (const platform of ["linux", "darwin", "win32"] as const)
      expect(() => localNames(key, platform)).toThrow("no file can have that name");
  });
  test.for(onWindows)("%j is none on Windows", (key) => {
    expect(() => localNames(key, "win32")).toThrow("no file can have that name");
    expect(localNames(key, "linux").join("/")).toBe(key);
  });
  test("what only looks like one of those is a file", () => {
    for (const key of ["console.log", "a/nuls", "com10", ".a", "...", "ü.txt"])
      for (const platform of ["linux", "win32"] as const)
        if (key !== "..." || platform === "linux") expect(localNames(key, platform)).toEqual(key.split("/"));
  });
});

test.for([
  ["-", undefined],
  ["/dev/stdin", 0],
  ["/dev/../dev/stdout", 1],
  ["/dev/stderr", 2],
  ["/dev/fd/63", 63],
  ["/proc/self/fd/0", 0],
  ["/dev/null", undefined],
  ["/dev/fd/", undefined],
  ["stdin", undefined],
] as const)("%s is descriptor %s", ([path, descriptor]) => {
  expect(descriptorOf(path)).toBe(descriptor);
});

test("what steers a terminal is shown as what it is", () => {
  expect(printable("a\u001b[31m\r\n\u007f\u009b\u2028\u202eü🦊\ud800")).toBe(
    "a\\x1b[31m\\x0d\\x0a\\x7f\\x9b\\u{2028}\\u{202e}ü🦊\\u{d800}",
  );
});

test.for([
  "",
  "plain",
  "two words",
  "Zoë ☃ 🦊",
  " spaces ",
  "ü".repeat(200),
  "tab\there",
])("metadata %j comes through headers", (text) => {
  const value = toHeaderValue(text);
  expect(value).toMatch(/^([!-~]([ -~]*[!-~])?)?$/);
  for (const word of value.split(" ")) if (value !== text) expect(word.length).toBeLessThanOrEqual(75);
  expect(fromHeaderValue(value)).toBe(text);
});

test.for([
  ["=?UTF-8?Q?Zo=C3=AB_x?=", "Zoë x"],
  ["=?utf-8?b?Wm/Dqw==?= =?UTF-8?B?4piD?=", "Zoë☃"],
  ["=?ISO-8859-1?Q?Zo=EB?= and more", "Zoë and more"],
  ["=?UTF-8?B?/w==?=", "=?UTF-8?B?/w==?="],
  ["=?none?Q?x?=", "=?none?Q?x?="],
  // As Node gives the bytes of UTF-8, and of what is none.
  ["Zo\u00c3\u00ab", "Zoë"],
  ["Zo\u00eb", "Zoë"],
] as const)("the header %j says %j", ([value, text]) => {
  expect(fromHeaderValue(value)).toBe(text);
});
