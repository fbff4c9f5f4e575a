/** A key is taken out of a configuration as people write it, and nothing else is. */
import { expect, test } from "vitest";
import { edited } from "../../src/cli/edit/carry-out.ts";

const toml = (keys: string, table = "vars") => `name = "x"
[${table}.STORES.main]
endpoint = "https://s3.example.com"
region = "r"
accessKeyId = "ID"
secretAccessKey = "SECRET"

[${table}.KEYS."k.1"] # old
secret = "KEY_1"

[${table}.KEYS.k2]
secret = "KEY_2"

# What people upload.
[${table}.BUCKETS.media]
store = "main"
${keys}
`;
const jsonc = `{
  // Ours.
  "name": "x",
  "vars": {
    "STORES": { "main": { "endpoint": "https://s3.example.com", "region": "r", "accessKeyId": "ID", "secretAccessKey": "S" } },
    "KEYS": { "k.1": { "secret": "KEY_1" }, "k2": { "secret": "KEY_2" } },
    "BUCKETS": { "media": { "store": "main", "keys": ["k2", "k.1"] } }
  }
}
`;
const withoutK1 = (text: string, path = "wrangler.toml", env?: string) =>
  edited(
    { path, text, isThere: true, mode: 0o600 },
    { drop: [{ table: "KEYS", id: "k.1" }], add: {}, dropKey: { key: "k.1", buckets: ["media"] } },
    env,
  );

test.for([
  ['keys = ["k2", "k.1"] # the newest first', 'keys = ["k2"] # the newest first'],
  ["keys = ['k.1', 'k2']", "keys = ['k2']"],
  ['keys = [\n  "k2", # new\n  "k.1",\n]', 'keys = [\n  "k2", # new\n  \n]'],
] as const)("%s", ([before, after]) => {
  const text = withoutK1(toml(before));
  expect(text).toBe(toml(after).replace('[vars.KEYS."k.1"] # old\nsecret = "KEY_1"\n', ""));
});

test("in an environment, and in JSON with comments", () => {
  const text = withoutK1(toml('keys = ["k2", "k.1"]', "env.production.vars"), "wrangler.toml", "production");
  expect(text).toContain('keys = ["k2"]');
  expect(text).not.toContain("KEY_1");
  const json = withoutK1(jsonc, "wrangler.jsonc");
  expect(json).toContain("// Ours.");
  expect(json).toMatch(/"keys": \[\s*"k2"\s*\]/);
  expect(json).not.toContain("KEY_1");
});

test("what is laid out in another way is left, and told", () => {
  const odd = 'keys = ["k2", # [the new one]\n "k.1"]';
  expect(() => withoutK1(toml(odd))).toThrow(
    "Take KEYS.k.1 out by hand, and out of the keys of BUCKETS.media",
  );
});
