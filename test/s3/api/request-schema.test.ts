/** Schemas of requests, made of the table: what they take, what they refuse, and whose entry counts. */
import * as v from "valibot";
import { expect, test } from "vitest";
import { UPLOADED } from "../../../src/edge/headers.ts";
import { CONDITIONS, OPERATIONS, TABLE } from "../../../src/s3/api/operations.ts";
import { requestSchema } from "../../../src/s3/api/request-schema.ts";
import { check } from "../../../src/validation.ts";

const bucket = v.string();
const faults = (schema: v.GenericSchema, input: unknown) => {
  const checked = check(schema, input);
  return checked.ok ? [] : checked.errors.map(({ path }) => path);
};

test("an operation's fields may be given, what it requires must be, and nothing else is taken", () => {
  const schema = requestSchema({ bucket }, TABLE.ListParts);
  expect(faults(schema, { bucket: "media", uploadId: "a" })).toEqual([]);
  expect(faults(schema, { bucket: "media", uploadId: "a", maxParts: 2 })).toEqual([]);
  expect(faults(schema, { maxParts: 0, versionId: "v" })).toEqual([
    "bucket",
    "maxParts",
    "uploadId",
    "versionId",
  ]);
});

test("an entry of one's own takes the place of the field", () => {
  const schema = requestSchema({ partNumber: v.optional(v.literal("1")) }, TABLE.UploadPart);
  expect(faults(schema, { uploadId: "a", partNumber: "1" })).toEqual([]);
  expect(faults(schema, { uploadId: "a" })).toEqual([]);
  expect(faults(schema, { uploadId: "a", partNumber: 1 })).toEqual(["partNumber"]);
});

test("an upload through the edge takes every field of PutObject, but what the edge sees to itself", () => {
  const own: readonly string[] = ["contentLength", ...CONDITIONS, "metadata"];
  expect(Object.values(UPLOADED)).toEqual(OPERATIONS.PutObject.fields.filter((name) => !own.includes(name)));
  expect(Object.keys(UPLOADED)).toContain("x-amz-object-lock-legal-hold");
});
