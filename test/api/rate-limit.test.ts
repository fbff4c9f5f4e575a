/** How often a caller may call. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AUDIENCE, type Issuer, startIssuer } from "../support/issuer.ts";
import { oneBucket } from "../support/one-bucket.ts";
import { type RunningWorker, startTestWorker } from "../support/worker.ts";

const tokens = [randomBytes(24).toString("base64url"), randomBytes(24).toString("base64url")];
let worker: RunningWorker;
let issuer: Issuer;
const lines: string[] = [];

beforeAll(async () => {
  issuer = await startIssuer();
  const grants = [{ bucket: "media", prefix: "", allow: ["read"] }];
  worker = await startTestWorker({
    env: {
      ...oneBucket(),
      CALLERS: {
        a: { token: "TOKEN_A", grants },
        b: { token: "TOKEN_B", grants },
        app: { issuer: issuer.issuer, audience: AUDIENCE, jwks: issuer.jwks, grants },
      },
      ALLOWED_ORIGINS: ["https://app.example.com"],
      TOKEN_A: tokens[0],
      TOKEN_B: tokens[1],
    },
    without: ["DB", "QUEUE"],
    rateLimit: { limit: 5, period: 60 },
    onLog: (line) => lines.push(line),
  });
});

afterAll(async () => {
  await worker?.close();
  issuer?.close();
});

const me = (token: string) =>
  fetch(`${worker.url}/v1/me`, {
    headers: { authorization: `Bearer ${token}`, origin: "https://app.example.com" },
  });

async function statuses(token: string, count: number): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < count; i++) all.push((await me(token)).status);
  return all;
}

test("too many calls are refused, and told when to come back", async () => {
  expect(await statuses(tokens[0] as string, 6)).toEqual([200, 200, 200, 200, 200, 429]);
  const response = await me(tokens[0] as string);
  expect(response.headers.get("retry-after")).toBe("60");
  expect(response.headers.get("access-control-allow-origin")).toBe("https://app.example.com");
  expect(await response.json()).toMatchObject({ status: 429, code: "rate-limited" });
  // Of callers alone: nobody else is disturbed, and one user of an app not by another.
  expect(await statuses(tokens[1] as string, 5)).toEqual([200, 200, 200, 200, 200]);
  const [one, two] = [await issuer.token({ sub: "1" }), await issuer.token({ sub: "2" })];
  expect(await statuses(one, 6)).toEqual([200, 200, 200, 200, 200, 429]);
  expect(await statuses(two, 1)).toEqual([200]);
});

test("each item of a batch is a call", async () => {
  const authorization = `Bearer ${await issuer.token({ sub: "batch" })}`;
  const requests = Array.from({ length: 1000 }, (_, i) => ({
    operation: "GetObject",
    bucket: "media",
    key: `${i}`,
    keyId: "k1",
  }));
  const response = await fetch(`${worker.url}/v1/presign/batch`, {
    method: "POST",
    headers: { authorization },
    body: JSON.stringify({ requests }),
  });
  expect(response.status).toBe(200);
  const { results } = (await response.json()) as { results: { url?: string; problem?: { code: string } }[] };
  expect(results.map(({ url }) => url !== undefined)).toEqual(requests.map((_, i) => i < 5));
  for (const { problem } of results.slice(5)) expect(problem?.code).toBe("rate-limited");
});

test("who guesses tokens is refused as well, from wherever they say that they are", async () => {
  // The runtime puts in the address that it sees.
  const guess = (i: number) =>
    fetch(`${worker.url}/v1/me`, {
      headers: { authorization: `Bearer guess-${i}`, "x-forwarded-for": `192.0.2.${i}` },
    });
  const all: number[] = [];
  for (let i = 0; i < 8; i++) all.push((await guess(i)).status);
  expect(all).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
  // Nor is S3's own API asked on by who signs nothing.
  expect((await fetch(`${worker.url}/s3/media/x`)).status).toBe(503);
  // Callers at the same address are not strangers.
  expect(await statuses(await issuer.token({ sub: "beside" }), 1)).toEqual([200]);
});

test("and each is in the trail", () => {
  const denied = lines.map((line) => JSON.parse(line)).filter(({ code }) => code === "rate-limited");
  expect(
    denied.map(({ event, outcome, caller, subject, count }) => [event, outcome, caller, subject, count]),
  ).toEqual([
    ["audit", "denied", "a", undefined, undefined],
    ["audit", "denied", "a", undefined, undefined],
    ["audit", "denied", "app", "1", undefined],
    ["audit", "denied", "app", "batch", 995],
    ...Array.from({ length: 4 }, () => ["audit", "denied", undefined, undefined, undefined]),
  ]);
});
