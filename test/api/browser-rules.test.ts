/** What browsers are told: who may call, and how answers are to be treated; and which methods an address takes. */
import { describe, expect, test } from "vitest";
import { api, call, type ProblemBody } from "../support/client.ts";

const ORIGIN = "https://app.example.com";

describe("a page of an allowed origin", () => {
  test("asks first, without a token, and is told what it may send", async () => {
    for (const path of ["/v1/presign", "/v1/presign/batch", "/v1/me", "/v1/nothing"]) {
      const response = await fetch(`${api}${path}`, {
        method: "OPTIONS",
        headers: {
          origin: ORIGIN,
          "access-control-request-method": "POST",
          "access-control-request-headers": "authorization,content-type",
        },
      });
      expect(response.status).toBe(204);
      expect(response.headers.get("access-control-allow-origin")).toBe(ORIGIN);
      expect(response.headers.get("access-control-allow-methods")).toMatch(/POST/);
      expect(response.headers.get("access-control-allow-headers")).toMatch(/authorization/);
      expect(response.headers.get("vary")).toMatch(/origin/i);
    }
  });

  test("reads answers and errors alike", async () => {
    const good = await call("/v1/me", { headers: { origin: ORIGIN } });
    const stranger = await fetch(`${api}/v1/me`, { headers: { origin: ORIGIN } });
    const nowhere = await call("/v1/nothing", { headers: { origin: ORIGIN } });
    const invalid = await call("/v1/presign", { method: "POST", headers: { origin: ORIGIN }, body: "x" });
    expect([good, stranger, nowhere, invalid].map(({ status }) => status)).toEqual([200, 401, 404, 400]);
    for (const response of [good, stranger, nowhere, invalid]) {
      expect(response.headers.get("access-control-allow-origin")).toBe(ORIGIN);
      expect(response.headers.get("access-control-expose-headers")).toMatch(/x-request-id/);
      expect(response.headers.get("access-control-allow-credentials")).toBeNull();
    }
  });

  test("reads an object's metadata, whatever it is called", async () => {
    const { headers } = await call("/v1/objects/media/a", { headers: { origin: ORIGIN } });
    // The names are for browsers that do not know the asterisk.
    expect(headers.get("access-control-expose-headers")?.split(",")).toEqual(
      expect.arrayContaining(["*", "etag", "x-ssec-key-id"]),
    );
  });
});

test.for([
  "https://evil.example",
  "http://app.example.com",
  "https://app.example.com.evil.example",
  "null",
])("a page of %s is told nothing", async (origin) => {
  const headers = { origin, "access-control-request-method": "POST" };
  const preflight = await fetch(`${api}/v1/presign`, { method: "OPTIONS", headers });
  expect(preflight.headers.get("access-control-allow-origin")).toBeNull();
  const response = await call("/v1/me", { headers: { origin } });
  expect(response.headers.get("access-control-allow-origin")).toBeNull();
});

test("every answer forbids guessing its type, framing it, and telling where one came from", async () => {
  for (const path of ["/", "/healthz", "/v1/me", "/nothing"]) {
    const { headers } = await fetch(`${api}${path}`);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("x-frame-options")).toBe("SAMEORIGIN");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("strict-transport-security")).toMatch(/max-age=/);
    expect(headers.get("x-powered-by")).toBeNull();
  }
});

describe("methods", () => {
  test.for([
    ["GET", "/v1/presign", "POST"],
    ["DELETE", "/v1/presign/batch", "POST"],
    ["PROPFIND", "/v1/presign", "POST"],
    ["POST", "/v1/me", "GET, HEAD"],
    ["POST", "/v1/keys", "GET, HEAD"],
    ["PUT", "/v1/audit", "GET, HEAD"],
    ["POST", "/v1/audit/summary", "GET, HEAD"],
    ["GET", "/v1/reports", "POST"],
    ["POST", "/healthz", "GET, HEAD"],
  ] as const)("%s %s is 405, and says what is taken", async ([method, path, allow]) => {
    const response = await call(path, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe(allow);
    expect(((await response.json()) as ProblemBody).code).toBe("method-not-allowed");
  });

  test("HEAD is GET without the body", async () => {
    for (const path of ["/", "/healthz", "/v1/me"]) {
      const [head, get] = await Promise.all([call(path, { method: "HEAD" }), call(path)]);
      expect(head.status).toBe(get.status);
      expect(head.headers.get("content-type")).toBe(get.headers.get("content-type"));
      expect(await head.text()).toBe("");
    }
    expect((await fetch(`${api}/v1/me`, { method: "HEAD" })).status).toBe(401);
    expect((await call("/v1/presign", { method: "HEAD" })).status).toBe(405);
  });
});

test("GET /v1/me says who the service takes a caller for, and what they may do", async () => {
  expect(await (await call("/v1/me", {}, "LIMITED_TOKEN")).json()).toEqual({
    caller: "limited",
    grants: [
      {
        bucket: "media",
        prefix: "acme/",
        allow: ["read", "write"],
        maxExpiresIn: 60,
        maxBytes: 1000,
        contentTypes: ["image/*"],
      },
    ],
  });
});
