import { expect, test } from "vitest";
import type { Store } from "../../../src/config/load.ts";
import { Secrets } from "../../../src/config/secrets.ts";
import { credentialsOf } from "../../../src/s3/store/credentials.ts";

test("credentials stay the same object until a secret changes", async () => {
  const env = { ID: "AKIDEXAMPLE", SECRET: "first" };
  const store: Store = {
    name: "s",
    endpoint: "https://cwobject.com",
    region: "US-EAST-04A",
    addressing: "virtual",
    accessKeyId: "ID",
    secretAccessKey: "SECRET",
  };
  const secrets = new Secrets(env);
  const first = await credentialsOf(store, secrets);
  expect(await credentialsOf(store, secrets)).toBe(first);
  env.SECRET = "second";
  expect(await credentialsOf(store, secrets)).toEqual({ ...first, secretAccessKey: "second" });
});
