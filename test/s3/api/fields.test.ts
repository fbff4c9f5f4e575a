/** What is taken in each field, by tables of good and hostile spellings: S3 would refuse later, or take for another. */
import type * as v from "valibot";
import { describe, expect, test } from "vitest";
import { FIELDS, type FieldName, send } from "../../../src/s3/api/fields.ts";
import { isOfType, mediaTypeFault } from "../../../src/s3/api/media-type.ts";
import { OPERATION_NAMES, requestSchemaOf } from "../../../src/s3/api/operations.ts";
import { tagsXml } from "../../../src/s3/api/tags.ts";
import { check } from "../../../src/validation.ts";
import { HOSTILE_TYPES, leastOf, mostOf } from "./samples.ts";

const parse = (name: FieldName, value: unknown) => check(FIELDS[name].schema as v.GenericSchema, value);
const ok = (name: FieldName, value: unknown) => {
  const checked = parse(name, value);
  expect(checked, JSON.stringify(value)).toMatchObject({ ok: true });
  return checked.ok ? checked.value : undefined;
};
const faultOf = (name: FieldName, value: unknown): string => {
  const checked = parse(name, value);
  expect(checked.ok, `${name} ${JSON.stringify(value)}`).toBe(false);
  return checked.ok ? "" : (checked.errors[0]?.message ?? "");
};

test.for(OPERATION_NAMES)("%s takes the least and the most of its fields", (operation) => {
  for (const fields of [leastOf(operation), mostOf(operation)]) {
    const request = { operation, bucket: "media", key: "a", ...fields };
    expect(check(requestSchemaOf(operation), request)).toMatchObject({ ok: true });
  }
});

describe("a media type is one, by the whole of its grammar", () => {
  test.for(HOSTILE_TYPES)("%j is refused and of no type", (text) => {
    expect(mediaTypeFault(text)).toMatch(text === "" ? /empty/ : /media type/);
    expect(check(FIELDS.response.schema, { contentType: text }).ok).toBe(false);
    for (const pattern of ["image/*", "image/png", "*/*", "*/png"])
      expect(isOfType(text, pattern)).toBe(false);
  });

  test.for([
    "image/png",
    "IMAGE/Png",
    "image/png; a=b",
    "image/png;a=b ; c=d",
    'image/png; a="b; c, \\"d\\" text/html"',
    'image/png; a=""',
    "image/png\t;\ta=b",
  ])("%j is image/*", (text) => {
    expect(mediaTypeFault(text)).toBeUndefined();
    for (const pattern of ["image/*", "image/PNG", "*/*"]) expect(isOfType(text, pattern)).toBe(true);
    for (const pattern of ["image/jpeg", "text/*", "image/pn"]) expect(isOfType(text, pattern)).toBe(false);
  });

  test.for([
    ["application/vnd.api+json", true],
    ["text/plain; charset=UTF-8", true],
    ["multipart/form-data; boundary=x_'()", false],
  ] as const)("%j: %j", ([text, isOne]) => expect(mediaTypeFault(text) === undefined).toBe(isOne));
});

describe("tags are what S3 takes for tags", () => {
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`t${i}`, "x"]));
  test.for<[unknown, string]>([
    ["a=1&b=2", "a=1&b=2"],
    ["a b=c+d", "a%20b=c%20d"],
    ["a", "a="],
    ["a=", "a="],
    ["a=b=c", "a=b%3Dc"],
    [{ "a b": "_.:/=+-@ü☃".slice(0, 9) }, "a%20b=_.%3A%2F%3D%2B-%40%C3%BC"],
    [{ ["n".repeat(128)]: "v".repeat(256) }, `${"n".repeat(128)}=${"v".repeat(256)}`],
    [{ Aws: "x", "awsome:": "" }, "Aws=x&awsome%3A="],
  ])("%j is sent as %j", ([given, sent]) => {
    expect(ok("tagging", given)).toBe(sent);
    expect(ok("tagging", sent)).toBe(sent);
  });

  test.for<[unknown, RegExp]>([
    ["", /at least one/],
    [{}, /at least one/],
    [many(11), /at most 10/],
    [Object.keys(many(11)).join("&"), /at most 10/],
    ["a=1&a=2", /twice/],
    ["a=1&%61=2", /twice/],
    ["&a=1", /without a name/],
    ["=1", /without a name/],
    [{ "": "x" }, /without a name/],
    [{ ["n".repeat(129)]: "x" }, /names of at most 128/],
    [{ a: "v".repeat(257) }, /values of at most 256/],
    [`a=${"v".repeat(257)}`, /values of at most 256/],
    [{ "aws:x": "y" }, /aws:/],
    ["AWS%3Ax=y", /aws:/],
    [{ a: "b&c" }, /letters, digits/],
    [{ "a*": "b" }, /letters, digits/],
    ["a=%0A", /letters, digits/],
    [{ a: "🐈" }, /letters, digits/],
    ["a=%", /percent-encoded/],
    ["a=%ff", /percent-encoded/],
    ["a=%ED%A0%80", /percent-encoded/],
    [{ a: "\ud800" }, /well-formed/],
    [{ "\udc00": "a" }, /well-formed/],
    [{ a: 1 }, /tags/],
    [["a"], /object/],
    [null, /tags/],
  ])("%j is refused: %s", ([given, fault]) => {
    expect(faultOf("tagging", given)).toMatch(fault);
  });

  test("as XML nothing in them is markup, or a line break", () => {
    expect(tagsXml("a=%3Cb%3E%26%22'%0D%E2%80%A8")).toContain(
      "<Tag><Key>a</Key><Value>&#60;b&#62;&#38;&#34;&#39;&#13;&#8232;</Value></Tag>",
    );
  });
});

describe("dates are on the calendar", () => {
  test.for([
    ["2030-01-31T12:00:00Z", "Thu, 31 Jan 2030 12:00:00 GMT"],
    ["2030-01-31T12:00:00.5Z", "Thu, 31 Jan 2030 12:00:00 GMT"],
    ["2030-01-31T12:00+02:00", "Thu, 31 Jan 2030 10:00:00 GMT"],
    ["2028-02-29", "Tue, 29 Feb 2028 00:00:00 GMT"],
    ["Thu, 31 Jan 2030 12:00:00 GMT", "Thu, 31 Jan 2030 12:00:00 GMT"],
  ])("%s is %s", ([given = "", sent]) => {
    expect(ok("expires", given)).toBe(sent);
    expect(ok("ifSourceModifiedSince", given)).toBe(sent);
    expect(ok("response", { expires: given })).toEqual({ expires: sent });
  });

  const bad = [
    "",
    "0",
    "-1",
    "never",
    "2030",
    "2030-1-1",
    "2030-02-30",
    "2029-02-29",
    "2030-13-01",
    "2030-01-31T24:00:00Z",
    "2030-01-31T12:60:00Z",
    "2030-01-31T12:00:00",
    "2030-01-31 12:00:00Z",
    "2030-01-31T12:00:00Z ",
    "Fri, 31 Jan 2030 12:00:00 GMT",
    "Thu, 31 Jan 2030 12:00:00 CET",
    "Thu, 31 Jan 2030 12:00:00 +0000",
    "Thursday, 31-Jan-30 12:00:00 GMT",
    "+012030-01-31T12:00:00Z",
  ];
  test.for(bad)("%j is none", (given) => {
    for (const field of ["expires", "ifSourceUnmodifiedSince", "objectLockRetainUntilDate"] as const)
      expect(faultOf(field, given)).toMatch(/date/);
  });

  test("a retention ends in the future", () => {
    expect(ok("objectLockRetainUntilDate", "2099-12-31")).toBe("2099-12-31T00:00:00.000Z");
    expect(faultOf("objectLockRetainUntilDate", "2020-01-01")).toMatch(/future/);
    expect(faultOf("objectLockRetainUntilDate", "Thu, 31 Jan 2099 12:00:00 GMT")).toMatch(/ISO 8601/);
  });
});

describe("a value that S3 could not keep as it is", () => {
  const HEADERS: FieldName[] = ["cacheControl", "contentDisposition", "contentEncoding", "contentLanguage"];
  test.for([...HEADERS, "ifMatch", "ifSourceMatch", "ifSourceNoneMatch"] as FieldName[])("%s", (field) => {
    expect(faultOf(field, "")).toBe("must not be empty: leave it out");
    expect(faultOf(field, " a")).toMatch(/space/);
    expect(faultOf(field, "a ")).toMatch(/space/);
    for (const text of ["café", "a\nb", "a\tb", "\x7f", "a\0"])
      expect(faultOf(field, text)).toMatch(/printable ASCII/);
    expect(ok(field, "a  b")).toBe("a  b");
  });

  test("metadata may be empty, and is at most 2 KB with its names", () => {
    expect(ok("metadata", { a: "", "b-c": "x  y" })).toEqual({ a: "", "b-c": "x  y" });
    expect(send({ metadata: { A: "" } }).headers).toEqual({ "x-amz-meta-a": "" });
    expect(ok("metadata", { ab: "x".repeat(2046) })).toBeDefined();
    expect(faultOf("metadata", { ab: "x".repeat(2047) })).toMatch(/2048 bytes/);
    expect(
      faultOf(
        "metadata",
        Object.fromEntries([
          ["a", "x".repeat(1500)],
          ["b", "x".repeat(1500)],
        ]),
      ),
    ).toMatch(/2048 bytes/);
    expect(faultOf("metadata", { a: "é" })).toMatch(/printable ASCII/);
    expect(faultOf("metadata", { "": "x" })).toMatch(/header name/);
    expect(faultOf("metadata", { "a b": "x" })).toMatch(/header name/);
    expect(faultOf("metadata", { a: "1", A: "2" })).toMatch(/twice/);
  });

  test.for<[FieldName, unknown, RegExp]>([
    ["storageClass", "standard", /storage class/],
    ["storageClass", "", /storage class/],
    ["storageClass", "STANDARD,GLACIER", /storage class/],
    ["sourceRange", "bytes=5-4", /end before it begins/],
    ["sourceRange", "bytes=0-5368709120", /5368709120 bytes/],
    ["sourceRange", "bytes=0-", /FIRST-LAST/],
    ["sourceRange", "bytes=-5", /FIRST-LAST/],
    ["sourceRange", "bytes=0-1,3-4", /FIRST-LAST/],
    ["sourceRange", `bytes=0-${"9".repeat(30)}`, /FIRST-LAST/],
    ["versionId", "", /version id/],
    ["versionId", "not one", /version id/],
    ["versionId", "ü", /version id/],
    ["checksumCRC32", "AAAAAAA=", /CRC-32 .*4 bytes/],
    ["checksumCRC32C", "AAAA", /CRC-32C .*4 bytes/],
    ["checksumCRC64NVME", "AAAAAA==", /CRC-64\/NVME .*8 bytes/],
    ["checksumSHA1", "AAAAAA==", /SHA-1 .*20 bytes/],
    ["checksumSHA256", "AAAAAA==", /SHA-256 .*32 bytes/],
    ["contentMD5", "d41d8cd98f00b204e9800998ecf8427e", /MD5 .*16 bytes/],
    ["checksumAlgorithm", "MD4", /"CRC32" or/],
    ["checksumType", "WHOLE", /COMPOSITE/],
    ["objectLockMode", "governance", /GOVERNANCE/],
    ["objectLockLegalHoldStatus", true, /ON/],
    ["websiteRedirectLocation", "javascript:alert(1)", /begin with/],
    ["websiteRedirectLocation", "example.com", /begin with/],
    ["websiteRedirectLocation", `/${"x".repeat(2048)}`, /2048/],
    ["successActionRedirect", "javascript:alert(1)", /https/],
    ["successActionRedirect", "/done", /https/],
    ["successActionRedirect", "data:text/html,x", /https/],
    ["contentTypePrefix", "", /media type begins/],
    ["contentTypePrefix", "image", /media type begins/],
    ["contentTypePrefix", "image/png;", /media type begins/],
    ["objectAttributes", [], /at least one/],
    ["objectAttributes", ["Etag"], /"ETag" or/],
    ["objectAttributes", ["ETag", "ETag"], /already/],
    ["maxParts", 0, /at least 1/],
    ["maxParts", 1001, /at most 1000/],
    ["partNumberMarker", -1, /at least 0/],
    ["partNumberMarker", 1.5, /whole/],
    ["metadataDirective", "MERGE", /COPY/],
    ["taggingDirective", "copy", /COPY/],
  ])("%s %j", ([field, value, fault]) => {
    expect(faultOf(field, value)).toMatch(fault);
  });

  test.for<[FieldName, unknown]>([
    ["storageClass", "GLACIER_IR"],
    ["storageClass", "MY-OWN_CLASS2"],
    ["sourceRange", "bytes=0-0"],
    ["sourceRange", "bytes=1-5368709120"],
    ["versionId", "null"],
    ["websiteRedirectLocation", "https://example.com/a?b=c"],
    ["contentTypePrefix", "image/"],
    ["contentTypePrefix", "application/vnd."],
  ])("%s %j is taken", ([field, value]) => void ok(field, value));
});
