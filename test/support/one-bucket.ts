/** The least that a Worker of a test's own needs: one bucket, `media`, under one key, `k1`. */
import { randomBytes } from "node:crypto";
import type { StoreAccess } from "./s3.ts";

/** For tests that need no store: nobody listens there. */
const NO_STORE = { url: "http://127.0.0.1:9", accessKeyId: "id", secretAccessKey: "secret" };

/** Tables and secrets; CALLERS are left to the test. */
export function oneBucket({ url, accessKeyId, secretAccessKey }: StoreAccess = NO_STORE) {
  return {
    STORES: {
      main: {
        endpoint: url,
        region: "us-east-1",
        addressing: "path",
        accessKeyId: "ID",
        secretAccessKey: "SECRET",
      },
    },
    KEYS: { k1: { secret: "KEY_1" } },
    BUCKETS: { media: { store: "main", keys: ["k1"] } },
    ID: accessKeyId,
    SECRET: secretAccessKey,
    KEY_1: randomBytes(32).toString("base64"),
  };
}
