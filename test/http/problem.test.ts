/** What HTTP makes of a refusal: the status, and the headers that belong to it. */
import { expect, it } from "vitest";
import { Problem } from "../../src/http/problem.ts";
import { Refused } from "../../src/refused.ts";

it.each([
  [new Refused("not-found", "x"), 404, {}],
  [new Refused("unauthenticated", "x"), 401, { "www-authenticate": 'Bearer realm="ssec-edge"' }],
  [
    new Refused("unauthenticated", "x", { disbelief: "it has expired" }),
    401,
    {
      "www-authenticate":
        'Bearer realm="ssec-edge", error="invalid_token", error_description="it has expired"',
    },
  ],
  [new Refused("unavailable", "x", { retryAfter: 7 }), 503, { "retry-after": "7" }],
  [
    new Refused("rate-limited", "x", { retryAfter: new Date(Date.UTC(2026, 10, 28)) }),
    429,
    { "retry-after": "Sat, 28 Nov 2026 00:00:00 GMT" },
  ],
  [new Refused("range-not-satisfiable", "x", { objectSize: 0 }), 416, { "content-range": "bytes */0" }],
  [new Problem("method-not-allowed", "x", { headers: { allow: "GET" } }), 405, { allow: "GET" }],
])("%s is answered with %d and %j", (refused, status, headers) => {
  expect(Problem.of(refused)).toMatchObject({ status });
  expect(Problem.of(refused).headers).toEqual(headers);
});

it("what only the operator should know is not answered, and neither is the store's own word", () => {
  const refused = new Refused("store-error", "The store could not do it.", {
    operator: "STORES.a: 403",
    storeCode: "AccessDenied",
  });
  const problem = Problem.of(refused);
  expect(problem.operator).toBe("STORES.a: 403");
  expect(Object.keys(problem.details("id"))).toEqual([
    "type",
    "title",
    "status",
    "detail",
    "code",
    "requestId",
  ]);
});
