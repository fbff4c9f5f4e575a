import { expect, it } from "vitest";
import { isCoreWeave } from "../../src/config/coreweave.ts";

it.each([
  ["https://cwobject.com", true],
  ["https://CWOBJECT.com:443", true],
  ["http://cwlota.com", true],
  ["https://us-east-04a.cwobject.com", true],
  ["https://notcwobject.com", false],
  ["https://cwobject.com.example.com", false],
  ["https://s3.amazonaws.com", false],
])("CoreWeave's endpoints are known, below its hosts as well: %s %s", (endpoint, expected) => {
  expect(isCoreWeave(endpoint)).toBe(expected);
});
