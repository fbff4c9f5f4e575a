/** docs/api.md knows every operation and every field of the table. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FIELDS } from "../../src/s3/api/fields.ts";
import { OPERATION_NAMES } from "../../src/s3/api/operations.ts";

test("every operation and every field is documented", () => {
  const [, section = ""] = readFileSync("docs/api.md", "utf8").split(/^## POST \/v1\/presign(?:\/batch)?$/m);
  const words = new Set(section.match(/\w+/g));
  expect([...OPERATION_NAMES, ...Object.keys(FIELDS)].filter((name) => !words.has(name))).toEqual([]);
});
