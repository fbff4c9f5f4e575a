/** GET /healthz: 200 where the configuration and every secret that it needs can be used, and 503 otherwise. */
import { expect, test } from "vitest";
import { createApp } from "../../src/http/create-app.ts";
import { oneBucket } from "../support/one-bucket.ts";

const app = createApp();

const random = (bytes: number) =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("base64");

const grants = [{ bucket: "media", prefix: "", allow: ["read"] }];
const good = {
  ...oneBucket(),
  CALLERS: { me: { token: "TOKEN", grants }, you: { token: "OTHER", grants } },
  TOKEN: random(24),
  OTHER: random(24),
};

const status = async (env: object) => (await app.request("/healthz", {}, env)).status;

test("is 200 with and without a GATEWAY_SECRET", async () => {
  expect(await status(good)).toBe(200);
  expect(await status({ ...good, GATEWAY_SECRET: random(32) })).toBe(200);
});

test.for<[string, object]>([
  ["a secret that is not bound", { SECRET: undefined }],
  ["a customer key that is none", { KEY_1: random(31) }],
  ["a token that can be guessed", { TOKEN: "0123456789" }],
  // Whoever comes with it gets 500.
  ["two callers with one token", { OTHER: good.TOKEN }],
  ["a GATEWAY_SECRET that is none", { GATEWAY_SECRET: `${random(32)}\n` }],
  ["an empty GATEWAY_SECRET", { GATEWAY_SECRET: "" }],
])("is 503 with %s", async ([, wrong]) => {
  expect(await status({ ...good, ...wrong })).toBe(503);
});
