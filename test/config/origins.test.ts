import { expect, test } from "vitest";
import { isAllowedOrigin } from "../../src/config/origins.ts";

const PATTERNS = ["https://app.example.com", "http://localhost:*", "http://[::1]:*"];

test.for([
  ["https://app.example.com", true],
  ["http://localhost:5173", true],
  ["http://[::1]:3000", true],
  ["https://app.example.com:8443", false],
  ["http://app.example.com", false],
  ["http://localhost", false],
  ["https://localhost:5173", false],
  ["http://localhost:5173.example.com", false],
  ["http://localhost.example.com:5173", false],
  ["http://127.0.0.1:5173", false],
  ["null", false],
] as const)("%s: %s", ([origin, isAllowed]) => {
  expect(isAllowedOrigin(PATTERNS, origin)).toBe(isAllowed);
});
