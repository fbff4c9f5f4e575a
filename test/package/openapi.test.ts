/**
 * The document as somebody uses it who writes TypeScript: types are generated from what the Worker serves, and a program
 * with them uploads and downloads. In a folder of its own: the generator needs a TypeScript of its own.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Local, startLocal } from "../../scripts/local.ts";
import { freshFolder, User } from "./user.ts";

const PACKAGES = ["openapi-typescript@7.13.0", "openapi-fetch@0.17.0", "typescript@5.9.3"];

const folder = freshFolder("openapi");
const dir = mkdtempSync(join(tmpdir(), "ssec-openapi-"));
const user = new User(folder);
let local: Local;

beforeAll(async () => {
  local = await startLocal({ dir });
  user.write("package.json", JSON.stringify({ name: "user", private: true, type: "module" }));
  await user.succeed("npm", ["install", "--no-audit", "--no-fund", ...PACKAGES]);
}, 300_000);

afterAll(async () => {
  await local?.close();
  for (const each of [folder, dir]) rmSync(each, { recursive: true, force: true });
});

test("openapi-typescript makes types of it, with which a program compiles and moves a file", async () => {
  await user.succeed("npx", ["openapi-typescript", `${local.url}/openapi.json`, "--output", "schema.d.ts"]);
  user.write("demo.ts", DEMO);
  const { stdout, status } = await user.run("npx", [
    ...["tsc", "--noEmit", "--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "false"],
    ...["--target", "es2024", "--lib", "es2024,dom,dom.iterable", "--module", "nodenext", "demo.ts"],
  ]);
  expect(stdout).toBe("");
  expect(status).toBe(0);
  const said = await user.succeed("node", ["demo.ts"], { URL: local.url, TOKEN: local.token });
  expect(JSON.parse(said)).toEqual({
    put: 200,
    encrypted: "AES256",
    got: "hello",
    listed: ["a folder/ü.txt"],
    problem: "not-found",
  });
});

const DEMO = `import createClient from "openapi-fetch";
import type { paths } from "./schema.d.ts";

declare const process: { readonly env: Record<string, string | undefined> };
const { URL: baseUrl = "", TOKEN: token } = process.env;
// Of what has another form as well, as a snippet alone has, JSON is meant.
type Json = "application/json" | "application/problem+json";
const api = createClient<paths, Json>({ baseUrl, headers: { authorization: "Bearer " + token } });
const object = { bucket: "media", key: "a folder/ü.txt" };

const put = await api.POST("/v1/presign", { body: { operation: "PutObject", ...object, contentType: "text/plain" } });
if (put.data === undefined) throw new Error(put.error.detail);
const sent = await fetch(put.data.url, { method: put.data.method, headers: put.data.headers ?? {}, body: "hello" });
const get = await api.POST("/v1/presign", { body: { operation: "GetObject", ...object } });
if (get.data === undefined) throw new Error(get.error.detail);
const got = await fetch(get.data.url, { headers: get.data.headers ?? {} });
const { data: list } = await api.GET("/v1/objects/{bucket}", {
  params: { path: { bucket: "media" }, query: { prefix: "a " } },
});
const gone = await api.POST("/v1/verify", { body: { ...object, key: "nothing" } });

// @ts-expect-error: there is no such operation
await api.POST("/v1/presign", { body: { operation: "Put", ...object } }).catch(() => {});
// @ts-expect-error: nor such an address
() => api.GET("/v1/nothing");
// @ts-expect-error: which key is not a number
() => api.POST("/v1/verify", { body: { bucket: "media", key: 5 } });

console.log(JSON.stringify({
  put: sent.status,
  encrypted: sent.headers.get("x-amz-server-side-encryption-customer-algorithm"),
  got: await got.text(),
  listed: list?.objects.map(({ key }) => key),
  problem: gone.error?.code,
}));
`;
