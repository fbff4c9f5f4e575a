/** What the operator's log holds, and what it never may. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createApp } from "../../src/http/create-app.ts";
import { OPERATION_NAMES } from "../../src/s3/api/operations.ts";

const app = createApp();

const random = (bytes: number) =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("base64");
const secrets = {
  STORE_ID: "AKIDEXAMPLE",
  STORE_SECRET: random(30),
  KEY_1: random(32),
  KEY_2: random(32),
  BAD: `${random(32)}\n`,
  TOKEN: random(24),
};
// Nothing listens on the port of "discard": a store that is down.
const store = {
  endpoint: "http://127.0.0.1:9",
  region: "r",
  addressing: "path",
  accessKeyId: "STORE_ID",
  secretAccessKey: "STORE_SECRET",
};
const env = {
  STORES: { down: store, unbound: { ...store, secretAccessKey: "NO_SUCH" } },
  KEYS: { k1: { secret: "KEY_1" }, k2: { secret: "KEY_2" }, bad: { secret: "BAD" } },
  BUCKETS: {
    media: { store: "down", name: "media", keys: ["k2", "k1"] },
    broken: { store: "down", name: "broken", keys: ["bad"] },
    unbound: { store: "unbound", keys: ["k1"] },
  },
  CALLERS: {
    me: {
      token: "TOKEN",
      grants: ["media", "broken", "unbound"].map((bucket) => ({
        bucket,
        prefix: "",
        allow: ["read", "write", "delete"],
      })),
    },
  },
  ...secrets,
};

let lines: string[];
beforeEach(() => {
  lines = [];
  for (const level of ["log", "info", "warn", "error", "debug"] as const) {
    vi.spyOn(console, level).mockImplementation((...args) => void lines.push(args.join(" ")));
  }
});
afterEach(() => vi.restoreAllMocks());

async function presign(
  request: object,
  bindings: object = env,
): Promise<{ status: number; code?: string; text: string }> {
  const headers = { authorization: `Bearer ${secrets.TOKEN}` };
  const response = await app.request(
    "/v1/presign",
    { method: "POST", headers, body: JSON.stringify(request) },
    bindings,
  );
  const text = await response.text();
  return { status: response.status, code: JSON.parse(text).code, text };
}

function expectNoSecrets(texts: string[]): void {
  for (const secret of [
    secrets.STORE_SECRET,
    secrets.KEY_1,
    secrets.KEY_2,
    secrets.BAD.trim(),
    secrets.TOKEN,
    "X-Amz-Signature",
  ]) {
    for (const text of texts) expect(text).not.toContain(secret);
  }
}

test("a wrong configuration is told to the operator line by line, once, and to callers not at all", async () => {
  const wrong = {
    ...env,
    BUCKETS: { media: { store: "down", keys: ["k9"] }, other: { store: "nowhere", keys: ["k1"] } },
  };
  for (const _ of [1, 2]) {
    const answer = await presign({}, wrong);
    expect(answer).toMatchObject({ status: 500, code: "misconfigured" });
    expect(answer.text).not.toMatch(/k9|nowhere/);
  }
  const messages = lines.map((line) => JSON.parse(line)).filter(({ code }) => code === "misconfigured");
  expect(messages.map(({ message }) => message)).toEqual(
    expect.arrayContaining([
      'BUCKETS.media.keys[0]: no key "k9" in KEYS (have: k1, k2, bad)',
      'BUCKETS.other.store: no store "nowhere" in STORES (have: down, unbound)',
    ]),
  );
  expect(new Set(messages.map(({ message }) => message)).size).toBe(messages.length);
});

describe("what only the operator can mend is in the log, under the request's id", () => {
  test.for([
    [
      { operation: "PutObject", bucket: "broken", key: "a" },
      500,
      "key-invalid",
      /^KEYS\.bad: secret BAD ends in a newline/,
    ],
    [
      { operation: "PutObject", bucket: "unbound", key: "a" },
      500,
      "misconfigured",
      /^STORES\.unbound: secret NO_SUCH is not bound/,
    ],
    [
      { operation: "GetObject", bucket: "media", key: "a" },
      502,
      "store-error",
      /^STORES\.down: no answer to a HEAD in BUCKETS\.media/,
    ],
  ] as const)("%j: %i %s", async ([request, status, code, message]) => {
    const answer = await presign(request);
    expect(answer).toMatchObject({ status, code });
    const [entry] = lines.map((line) => JSON.parse(line)).filter((line) => line.event === "error");
    expect(entry).toMatchObject({ code, requestId: JSON.parse(answer.text).requestId });
    expect(entry.message).toMatch(message);
    expectNoSecrets([...lines, answer.text]);
  });
});

test.for(
  OPERATION_NAMES,
)("no log line of %s holds a secret, whether it is answered or refused", async (operation) => {
  const source = { bucket: "media", key: "s", keyId: "k1" };
  const all = { uploadId: "u", partNumber: 1, source, keyId: "k2" };
  for (const bucket of ["media", "broken", "unbound", "nowhere"]) {
    const base = { operation, bucket, key: "a" };
    await presign(base);
    for (const field of Object.keys(all) as (keyof typeof all)[])
      await presign({ ...base, [field]: all[field] });
    await presign({ ...base, ...all, contentType: secrets.KEY_1, [secrets.KEY_2]: secrets.KEY_1 });
  }
  expectNoSecrets(lines);
});
