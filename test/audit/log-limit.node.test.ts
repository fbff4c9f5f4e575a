/** The platform cuts off what an invocation logs: whatever is allowed is in what a Tail Worker is given of it. */
import { randomBytes } from "node:crypto";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FOR_WORKERD } from "../../scripts/bundle.ts";
import type { AuditEvent } from "../../src/audit/event.ts";
import { oneBucket } from "../support/one-bucket.ts";
import { testSampled } from "../support/sampled.ts";

const token = randomBytes(24).toString("base64url");
const { ID, SECRET, KEY_1, STORES, KEYS } = oneBucket();
let runtime: Miniflare;

/** Keeps what it is given until it is asked. */
const TAIL = `let seen = [];
export default {
  tail(events) { seen.push(...events.map(({ logs, truncated }) => ({ truncated, lines: logs.map(({ message }) => message[0]) }))); },
  fetch() { const answer = Response.json(seen); seen = []; return answer; }
}`;

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: ["src/index.ts"],
    bundle: true,
    format: "esm",
    target: "es2024",
    ...FOR_WORKERD,
    write: false,
  });
  const grants = ["media", "derived", "broken"].map((bucket) => ({
    bucket,
    prefix: "",
    allow: ["read", "write"],
  }));
  const shared = { modules: true, compatibilityDate: "2026-10-23", compatibilityFlags: ["nodejs_compat"] };
  runtime = new Miniflare(
    convertV4MiniflareOptions({
      handleStructuredLogs: () => {},
      workers: [
        {
          ...shared,
          name: "edge",
          script: outputFiles[0]?.text ?? "",
          tails: ["tail"],
          bindings: {
            STORES,
            KEYS: {
              ...KEYS,
              root: { secret: "KEY_1", derive: true },
              broken: { secret: "BROKEN" },
            },
            BUCKETS: {
              media: { store: "main", keys: ["k1"] },
              derived: { store: "main", keys: ["root"] },
              broken: { store: "main", keys: ["broken"] },
            },
            CALLERS: { me: { token: "TOKEN", grants } },
            ...{ ID, SECRET, KEY_1, BROKEN: "no key", TOKEN: token },
          } as never,
        },
        { ...shared, name: "tail", script: TAIL },
      ],
    }),
  );
});
afterAll(() => runtime?.dispose());

/** Its types are those of a runtime that this file is not in. */
function service(name: string): Promise<{ fetch(url: string, init?: object): Promise<Response> }> {
  return runtime.getWorker(name) as never;
}

interface Result {
  readonly key?: string;
  readonly problem?: { readonly code: string };
}

/** Sends a batch; gives what was answered, and what a Tail Worker saw of it. */
async function batch(requests: object[], headers: Record<string, string> = {}) {
  const [edge, tail] = [await service("edge"), await service("tail")];
  await tail.fetch("http://tail/");
  const response = await edge.fetch("http://edge/v1/presign/batch", {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "user-agent": "a client/1.0", ...headers },
    body: JSON.stringify({ requests }),
  });
  const { results } = (await response.json()) as { results: Result[] };
  type Seen = { truncated: boolean; lines: string[] };
  let seen: Seen[] = [];
  while (seen.length === 0) seen = (await (await tail.fetch("http://tail/")).json()) as Seen[];
  const lines = seen.flatMap((each) => each.lines.map((line) => JSON.parse(line)));
  const events: AuditEvent[] = lines
    .filter(({ event }) => event === "audit")
    .flatMap(({ event, events = [{}], ...common }) => events.map((own: object) => ({ ...common, ...own })));
  return { results, events, truncated: seen.some((each) => each.truncated), lines };
}

const put = (key: string, bucket = "media", more: object = {}) => ({
  operation: "PutObject",
  bucket,
  key,
  ...more,
});
const many = <T>(make: (i: number) => T) => Array.from({ length: 1000 }, (_, i) => make(i));
const ordinary = (i: number) => `users/${1000 + i}/albums/2026-11/cat picture ${i}.jpg`;

testSampled<[string, object[], Record<string, string>, "all" | "some"]>(
  [
    ["ordinary keys", many((i) => put(ordinary(i))), {}, "all"],
    ["derived keys", many((i) => put(ordinary(i), "derived", { contentLength: i })), {}, "some"],
    ["many lifetimes", many((i) => put(ordinary(i), "media", { expiresIn: i + 1 })), {}, "all"],
    ["long keys", many((i) => put(`${i}/${"x".repeat(800)}`)), {}, "some"],
    ["quotes and backslashes", many((i) => put(`${i}/${'"\\'.repeat(150)}`)), {}, "some"],
    ["a wide script", many((i) => put(`${i}/${"字".repeat(250)}`)), {}, "some"],
    ["control characters", many((i) => put(`${i}/${"\u0001".repeat(100)}`)), {}, "some"],
    ["large headers", many((i) => put(ordinary(i))), { "x-large": "h".repeat(100_000) }, "some"],
    [
      "every operation",
      many((i) => ({
        ...put(ordinary(i)),
        operation: i % 2 ? "GetObject" : "PutObject",
        keyId: i % 2 ? "k1" : undefined,
      })),
      {},
      "all",
    ],
    [
      "keys that cannot be used, among them",
      many((i) => put(ordinary(i), i % 2 === 0 ? "media" : "broken")),
      {},
      "some",
    ],
    ["refusals among them", many((i) => put(ordinary(i), i % 2 === 0 ? "media" : `none-${i}`)), {}, "some"],
  ],
  11,
  "a batch of a thousand with %s",
  async ([, requests, headers, answered]) => {
    const { results, events, truncated } = await batch(requests, headers);
    expect(truncated).toBe(false);
    const handedOut = results.filter(({ problem }) => problem === undefined).map(({ key }) => key);
    const allowed = events.filter(({ outcome }) => outcome === "allowed");
    expect(allowed.map(({ key }) => key).sort()).toEqual([...handedOut].sort());
    expect(handedOut.length).toBeGreaterThan(50);
    if (answered === "all") expect(handedOut).toHaveLength(1000);
    for (const event of allowed) {
      expect(event).toMatchObject({ caller: "me", userAgent: "a client/1.0", operation: expect.any(String) });
      expect(event).toMatchObject({
        time: expect.any(String),
        expiresAt: expect.any(String),
        keyMD5: expect.any(String),
      });
    }
    // What was not allowed is one event for all that are alike, and none is missing from its count.
    const others = events.filter(({ outcome }) => outcome !== "allowed");
    expect(others.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(1000 - handedOut.length);
  },
);

test("what there is no room to tell is refused, and says what to do", async () => {
  const { results, events } = await batch(many((i) => put(`${i}/${"x".repeat(800)}`)));
  const refused = results.filter(({ problem }) => problem !== undefined);
  expect(refused[0]).toEqual({
    problem: expect.objectContaining({
      status: 413,
      code: "too-large",
      detail: expect.stringMatching(/another batch/),
    }),
  });
  const denied = events.filter(({ outcome }) => outcome === "denied");
  expect(denied).toMatchObject([{ code: "too-large", operation: "PutObject", count: refused.length }]);
  expect(denied[0]).not.toHaveProperty("expiresAt");
  expect(denied[0]).not.toHaveProperty("keyMD5");
});

test("an error that every item meets is told once", async () => {
  const { lines } = await batch(many((i) => put(ordinary(i), "broken")));
  expect(lines.filter(({ event }) => event === "error")).toMatchObject([{ code: "key-invalid" }]);
});
