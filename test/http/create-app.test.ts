/** What an embedding Worker may have of its own: mistakes are told where they are made. */
import { expect, test, vi } from "vitest";
import { createApp } from "../../src/http/create-app.ts";
import { oneBucket } from "../support/one-bucket.ts";

test.for<[unknown, RegExp]>([
  [{ limit: {} }, /"limit" is no option/],
  [{ authenticate: "Bearer" }, /authenticate must be a function/],
  [{ audit: {} }, /audit must be a function/],
  [{ limits: { clientsilence: 1 } }, /limits\.clientsilence is no limit/],
  [{ limits: { clientSilence: 0 } }, /limits\.clientSilence must be a whole number above 0/],
  [{ limits: { memory: "64 MiB" } }, /limits\.memory must be/],
])("%j is a mistake", ([options, words]) => {
  expect(() => createApp(options as never)).toThrow(words);
  expect(() => createApp(options as never)).toThrow(TypeError);
});

const env = {
  ...oneBucket(),
  CALLERS: {},
  QUEUE: { send: async () => {} },
};
const caller = { name: "app", grants: [{ bucket: "media", prefix: "", allow: ["read" as const] }] };
const down = () => Promise.reject(new Error("down"));

test.for([
  ["strict", 503],
  ["relaxed", 403],
] as const)("%s: what the audit function does not take is %i", async ([AUDIT, status]) => {
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  vi.spyOn(console, "log").mockImplementation(() => {});
  const app = createApp({ authenticate: () => caller, audit: down });
  const waiting: Promise<unknown>[] = [];
  const context = { waitUntil: (promise: Promise<unknown>) => waiting.push(promise) };
  const request = { method: "POST", body: '{"operation":"DeleteObject","bucket":"media","key":"a"}' };
  const response = await app.request("/v1/presign", request, { ...env, AUDIT }, context as never);
  await Promise.all(waiting);
  expect(response.status).toBe(status);
  expect(error.mock.calls.join()).toMatch(/the audit function of createApp did not take/);
  vi.restoreAllMocks();
});

test("a Worker without assets says so", async () => {
  const response = await createApp().request("/", {}, {});
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({
    code: "not-found",
    detail: expect.stringContaining("ASSETS"),
  });
});
