/** Texts that are no Unicode, wherever a request may have one: refused with the path, at once, and by every route. */
import { randomBytes } from "node:crypto";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { createApp } from "../../src/http/create-app.ts";
import { OPERATION_NAMES } from "../../src/s3/api/operations.ts";
import { leastOf, mostOf } from "../s3/api/samples.ts";
import { oneBucket } from "../support/one-bucket.ts";

const app = createApp();

const grant = { bucket: "media", prefix: "", allow: ["read", "write", "delete", "admin"] };
const env: Record<string, unknown> = {
  ...oneBucket(),
  CALLERS: { owner: { token: "OWNER", grants: [grant] } },
  OWNER: randomBytes(24).toString("base64"),
};
const logged: string[] = [];
beforeAll(() => {
  for (const level of ["log", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation((line) => void logged.push(String(line)));
});

async function ask(path: string, init: RequestInit = {}) {
  const headers = { authorization: `Bearer ${env.OWNER}` };
  const response = await app.request(path, { ...init, headers }, env);
  const text = await response.text();
  return { status: response.status, text, body: (text === "" ? {} : JSON.parse(text)) as never as Refusal };
}

interface Refusal {
  code?: string;
  errors?: { path: string; message: string }[];
  results?: { problem?: Refusal }[];
}

type Json = string | number | boolean | null | undefined | Json[] | { [name: string]: Json };

/** The value with every one of its texts, and of its names, made ill-formed in turn; and where that is. */
function* spoiled(value: Json, path = ""): Generator<{ path: string; value: Json }> {
  if (typeof value === "string") {
    for (const lone of ["\ud800", "\udfff"])
      for (const text of [lone, lone + value, value + lone, `a${lone}b`]) yield { path, value: text };
  } else if (Array.isArray(value)) {
    for (const [i, item] of value.entries())
      for (const { path: at, value: bad } of spoiled(item, `${path}[${i}]`))
        yield { path: at, value: value.with(i, bad) };
  } else if (typeof value === "object" && value !== null) {
    for (const [name, item] of Object.entries(value)) {
      const at = path === "" ? name : `${path}.${name}`;
      for (const spoilt of spoiled(item, at))
        yield { path: spoilt.path, value: { ...value, [name]: spoilt.value } };
      yield { path: `${at}\ufffd`, value: { ...value, [`${name}\ud83d`]: item } };
    }
  }
}

const upload = { bucket: "media", key: "a", keyId: "k1", uploadId: "u" };
const REQUESTS: [string, string, Json][] = [
  ...OPERATION_NAMES.flatMap((operation): [string, string, Json][] => {
    const request = { bucket: "media", key: "a", keyId: "k1", snippet: "curl" };
    return [
      [operation, "/v1/presign", { operation, ...request, ...(mostOf(operation) as object) }],
      [
        `${operation} of few fields`,
        "/v1/presign",
        { operation, ...request, ...(leastOf(operation) as object) },
      ],
    ];
  }),
  ["a form for a prefix", "/v1/presign", { operation: "PostObject", bucket: "media", keyPrefix: "a/" }],
  [
    "multipart",
    "/v1/multipart",
    { bucket: "media", key: "a", ...(mostOf("CreateMultipartUpload") as object) },
  ],
  ["multipart/sign", "/v1/multipart/sign", { ...upload, partNumbers: [1] }],
  ["multipart/parts", "/v1/multipart/parts", upload],
  ["multipart/complete", "/v1/multipart/complete", { ...upload, parts: [{ partNumber: 1, etag: "e" }] }],
  ["multipart/abort", "/v1/multipart/abort", upload],
  ["verify", "/v1/verify", { bucket: "media", key: "a", versionId: "v", keyId: "k1" }],
  ["reports", "/v1/reports", { operation: "PutObject", bucket: "media", key: "a", code: "AccessDenied" }],
];

test.for(REQUESTS)("%s", async ([, path, request]) => {
  for (const { path: at, value } of spoiled(request)) {
    const { status, body } = await ask(path, { method: "POST", body: JSON.stringify(value) });
    expect(status, `${at} ${JSON.stringify(value)}`).toBe(400);
    expect(body.code).toBe("invalid-request");
    // What is done is told by the operation, so that it is looked at first.
    if (at !== "operation") expect(body.errors?.map((error) => error.path)).toEqual([at]);
  }
});

test("one such item spoils no other of a batch", async () => {
  const good = { operation: "PutObject", bucket: "media", key: "a" };
  const requests = [good, { ...good, key: "\ud800" }, { ...good, tagging: { "\udc00": "x" } }, good];
  const { body } = await ask("/v1/presign/batch", { method: "POST", body: JSON.stringify({ requests }) });
  expect(body.results?.map(({ problem }) => problem?.errors?.[0]?.path)).toEqual([
    undefined,
    "key",
    "tagging.\ufffd",
    undefined,
  ]);
});

describe("bytes that are no UTF-8", () => {
  const bodies = {
    "Latin-1": [0xfc],
    "cut short": [0xf0, 0x9f, 0x90],
    "an encoded surrogate": [0xed, 0xa0, 0x80],
    overlong: [0xc0, 0xaf],
  };
  test.for(Object.entries(bodies))("in a body: %s", async ([, bytes]) => {
    const [before, after] = JSON.stringify({ operation: "PutObject", bucket: "media", key: "a|" }).split("|");
    const body = new Blob([before ?? "", Uint8Array.from(bytes), after ?? ""]);
    for (const path of ["/v1/presign", "/v1/presign/batch", "/v1/multipart", "/v1/verify", "/v1/reports"])
      expect(await ask(path, { method: "POST", body })).toMatchObject({
        status: 400,
        body: { code: "invalid-request", detail: "The body is not UTF-8." },
      });
  });

  const queries = [
    "/v1/audit",
    "/v1/audit/summary",
    "/v1/audit/keys/k1/objects",
    "/v1/objects/media",
    "/v1/objects/media/a",
  ];
  test.for(queries)("in the query of %s", async (path) => {
    for (const bad of ["%ff", "%ED%A0%80", "%", "%c0%af", "a%f0%9f%90"]) {
      for (const query of [`cursor=${bad}`, `${bad}=x`, `limit=1&key=${bad}`]) {
        const { status, body } = await ask(`${path}?${query}`);
        expect(status, query).toBe(400);
        expect(body.code).toBe("invalid-request");
      }
    }
    const twice = await ask(`${path}?limit=1&limit=2`);
    expect(twice).toMatchObject({
      status: 400,
      body: { errors: [{ path: "limit", message: "is given twice" }] },
    });
  });
});

test("and no log line of all this holds one", () => {
  expect(logged.length).toBeGreaterThan(100);
  for (const line of logged) {
    expect(line.isWellFormed()).toBe(true);
    expect(line).not.toMatch(/\\ud[89a-f]/i);
  }
});
