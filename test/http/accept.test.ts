/** Which type a caller gets, by RFC 9110, section 12.5.1. */
import { describe, expect, test } from "vitest";
import { prefersText } from "../../src/http/accept.ts";
import { createApp } from "../../src/http/create-app.ts";
import { oneBucket } from "../support/one-bucket.ts";

test.for([
  "text/plain",
  "Text/Plain; charset=UTF-8",
  'text/plain;charset="utf-8"',
  "text/*",
  "text/plain, */*;q=0.5",
  "application/json;q=0.5, text/plain;q=0.501",
  "application/json;q=0, */*",
  "image/png, text/plain",
  'x/y;a="text/html,", text/plain',
])("%s: text", (accept) => expect(prefersText(accept)).toBe(true));

test.for([
  "",
  "*/*",
  "application/json, text/plain, */*",
  "text/plain, */*",
  "text/plain;q=0.9, application/json",
  "text/plain;q=0.9, */*",
  "text/*, text/plain;q=0, application/json;q=0.1",
  "text/plain;q=0",
  "text/plain;q=2",
  "text/plain;q=x",
  "text/plain;format=flowed",
  "text/html",
  "image/png",
  'x/y;a=", text/plain"',
  ",,;q=1,/",
])("%s: JSON", (accept) => expect(prefersText(accept)).toBe(false));

describe("POST /v1/presign", () => {
  const env = {
    ...oneBucket(),
    CALLERS: { me: { token: "TOKEN", grants: [{ bucket: "media", prefix: "", allow: ["write"] }] } },
    TOKEN: "0123456789abcdefghijkl",
  };
  const app = createApp();
  async function ask(request: object, accept: string, path = "/v1/presign") {
    const response = await app.request(
      path,
      {
        method: "POST",
        headers: { authorization: `Bearer ${env.TOKEN}`, accept },
        body: JSON.stringify(request),
      },
      env,
    );
    return {
      status: response.status,
      type: response.headers.get("content-type"),
      text: await response.text(),
    };
  }
  const put = { operation: "PutObject", bucket: "media", key: "a.txt" };

  test("text is the snippet alone", async () => {
    const { status, type, text } = await ask({ ...put, snippet: "curl" }, "text/plain");
    expect([status, type]).toEqual([200, "text/plain; charset=UTF-8"]);
    expect(text).toMatch(/^# Holds a customer key: treat it as a secret\.\ncurl --config - <<'END'\n/);
  });

  test("text without a snippet is refused, as a problem", async () => {
    const { status, type, text } = await ask(put, "text/plain");
    expect([status, type]).toEqual([400, "application/problem+json"]);
    expect(JSON.parse(text)).toMatchObject({ code: "invalid-request", errors: [{ path: "snippet" }] });
  });

  test("other refusals are problems as well", async () => {
    const { status, type } = await ask({ ...put, bucket: "other", snippet: "curl" }, "text/plain");
    expect([status, type]).toEqual([403, "application/problem+json"]);
  });

  test("JSON is what everybody else gets, and a batch", async () => {
    expect((await ask({ ...put, snippet: "curl" }, "*/*")).type).toBe("application/json");
    expect((await ask({ requests: [put] }, "text/plain", "/v1/presign/batch")).type).toBe("application/json");
  });
});
