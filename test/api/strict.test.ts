/** AUDIT = "strict": what the queue does not take an event of does not leave, nor anything that told of it. */
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freshKey, store } from "../support/client.ts";
import { oneBucket } from "../support/one-bucket.ts";
import { type RunningWorker, startTestWorker } from "../support/worker.ts";

const token = randomBytes(24).toString("base64url");
const ORIGIN = "https://app.example.com";
let worker: RunningWorker;

beforeAll(async () => {
  worker = await startTestWorker({
    entrypoint: fileURLToPath(new URL("strict/refusing-queue.ts", import.meta.url)),
    without: ["DB", "QUEUE", "RATE_LIMIT", "METRICS"],
    env: {
      ...oneBucket(store),
      CALLERS: {
        me: { token: "TOKEN", grants: [{ bucket: "media", prefix: "", allow: ["read", "write"] }] },
      },
      ALLOWED_ORIGINS: [ORIGIN],
      AUDIT: "strict",
      TOKEN: token,
    },
  });
});
afterAll(() => worker?.close());

test("a download that cannot be told is a problem, with none of the object's headers", async () => {
  const url = `${worker.url}/v1/objects/media/${freshKey()}`;
  const authorization = `Bearer ${token}`;
  const uploaded = await fetch(url, {
    method: "PUT",
    headers: { authorization, "content-type": "text/plain", "x-amz-meta-who": "me" },
    body: "x".repeat(100_000),
  });
  expect(uploaded.status).toBe(200);

  for (const range of [undefined, "bytes=0-9"]) {
    const response = await fetch(url, {
      headers: { authorization, origin: ORIGIN, ...(range && { range }) },
    });
    expect(response.status).toBe(503);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ code: "audit-unavailable" });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "application/problem+json",
      "content-length": String(text.length),
      "cache-control": "no-store",
      "access-control-allow-origin": ORIGIN,
      "retry-after": "5",
    });
    for (const name of ["etag", "last-modified", "content-range", "x-amz-meta-who", "x-ssec-key-id"]) {
      expect(response.headers.get(name), name).toBeNull();
    }
  }
});
