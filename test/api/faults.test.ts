/** A store that fails in the middle: the right problem each time, and nothing that a reader could take for whole. */
import { createHash, randomBytes } from "node:crypto";
import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { freshKey, type ProblemBody, store } from "../support/client.ts";
import { MiB, s3 } from "../support/edge.ts";
import { type Exchanged, exchange } from "../support/exchange.ts";
import {
  error,
  type FaultProxy,
  isComplete,
  isGet,
  isHead,
  isPart,
  isPut,
  startFaultProxy,
} from "../support/fault-proxy.ts";
import { testSampled } from "../support/sampled.ts";
import { startTransferWorker, token } from "../support/ways.ts";
import type { RunningWorker } from "../support/worker.ts";

const ALGORITHM = "x-amz-server-side-encryption-customer-algorithm";
const MD5 = "x-amz-server-side-encryption-customer-key-md5";
const forget = (headers: Record<string, unknown>) => void delete headers[ALGORITHM];
const mistake = (headers: Record<string, unknown>) => {
  headers[MD5] = createHash("md5").update("another key").digest("base64");
};

let proxy: FaultProxy;
let worker: RunningWorker;
const lines: string[] = [];

beforeAll(async () => {
  proxy = await startFaultProxy(store.url);
  worker = await startTransferWorker(proxy.url, (line) => lines.push(line));
});
afterEach(() => proxy.break());
afterAll(async () => {
  await worker?.close();
  proxy?.close();
});

function edge(
  method: string,
  key: string,
  body?: Buffer | { chunked: Buffer },
  bucket = "media",
): Promise<Exchanged> {
  const { hostname, port } = new URL(worker.url);
  const bytes = body && "chunked" in body ? body.chunked : body;
  const length = Buffer.isBuffer(body) ? { "content-length": body.length } : {};
  const path = `/v1/objects/${bucket}/${key}`;
  const headers = { authorization: `Bearer ${token}`, ...length };
  return exchange({ hostname, port, path, method, headers }, bytes ? [bytes] : []);
}

async function expectProblem(asked: Promise<Exchanged>, status: number, code: string): Promise<Exchanged> {
  const answer = await asked;
  const problem = JSON.parse(answer.body.toString()) as ProblemBody;
  expect(problem).toMatchObject({ status, code });
  expect(answer.status).toBe(status);
  return answer;
}

async function expectNothing(key: string): Promise<void> {
  proxy.break();
  expect((await edge("HEAD", key)).status).toBe(404);
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: "media", Prefix: key }));
  expect(Uploads).toEqual([]);
}

const BROKEN_OFF = /aborted|socket hang up|ECONNRESET/;
const silence = () => {};
const cutAfterAll = (request: IncomingMessage, response: ServerResponse) => {
  request.on("end", () => response.destroy());
  request.resume();
};

test(
  "an upload that the store stops taking, or does not answer, is a timeout",
  { tags: ["thorough"] },
  async () => {
    const untaken = `untaken-${freshKey()}`;
    const unanswered = `unanswered-${freshKey()}`;
    const ungiven = `ungiven-${freshKey()}`;
    const [broken, begun] = [`broken-${freshKey()}`, `begun-${freshKey()}`];
    for (const key of [broken, begun]) await edge("PUT", key, randomBytes(4 * MiB));
    const about = (key: string) => (request: IncomingMessage) => request.url?.includes(key) ?? false;
    proxy.break(
      { on: about(untaken), answer: silence },
      { on: about(unanswered), answer: (request) => void request.resume() },
      { on: about(ungiven), answer: silence },
      { on: about(broken), stallAnswerAfter: 2 * MiB },
      { on: about(begun), stallAnswerAfter: 0 },
    );
    const hasty = (method: string, key: string, body?: Buffer) => edge(method, key, body, "hasty");
    await Promise.all([
      expectProblem(hasty("PUT", untaken, randomBytes(20 * MiB)), 504, "store-timeout"),
      expectProblem(hasty("PUT", unanswered, randomBytes(10)), 504, "store-timeout"),
      expectProblem(hasty("GET", ungiven), 504, "store-timeout"),
      expect(hasty("GET", broken)).rejects.toThrow(BROKEN_OFF),
      expect(hasty("GET", begun)).rejects.toThrow(BROKEN_OFF),
    ]);
  },
);

describe("an upload of known length", () => {
  const body = randomBytes(4 * MiB);
  test.for([
    ["is cut", { cutRequestAfter: MiB }, "store-error"],
    ["is cut at once", { answer: (request: { destroy(): void }) => void request.destroy() }, "store-error"],
    ["meets 500", { answer: error(500, "InternalError") }, "store-error"],
    ["meets SlowDown", { answer: error(503, "SlowDown") }, "unavailable"],
    ["is not echoed", { headers: forget }, "store-error"],
    ["is echoed under another key", { headers: mistake }, "store-error"],
    ["has its answer cut", { answer: cutAfterAll }, "store-error"],
  ] as const)("that %s", async ([, fault, code]) => {
    const key = freshKey();
    proxy.break({ on: isPut, ...fault } as never);
    const status = code === "unavailable" ? 503 : 502;
    const answer = await expectProblem(edge("PUT", key, body), status, code);
    expect(answer.headers["retry-after"]).toBe(code === "unavailable" ? "5" : undefined);
    await expectNothing(key);
  });

  test("that the store refuses says why", async () => {
    proxy.break({ on: isPut, answer: error(412, "PreconditionFailed") });
    await expectProblem(edge("PUT", freshKey(), body), 412, "precondition-failed");
    proxy.break({ on: isPut, answer: error(400, "EntityTooLarge") });
    await expectProblem(edge("PUT", freshKey(), body), 413, "too-large");
  });
});

describe("an upload in parts", () => {
  const body = randomBytes(11 * MiB);
  const isSecond = (request: never) =>
    isPart(request) && (request as { url: string }).url.includes("partNumber=2");

  testSampled(
    [
      ["fails once", { times: 1, answer: error(500, "InternalError") }],
      ["is cut once", { times: 1, cutRequestAfter: MiB }],
      ["is told to slow down once", { times: 1, answer: error(503, "SlowDown") }],
    ],
    3,
    "of which one %s goes on",
    async ([, fault]) => {
      const key = freshKey();
      proxy.break({ on: isSecond, ...fault } as never);
      expect((await edge("PUT", key, { chunked: body })).status).toBe(200);
      expect((await edge("GET", key)).body.equals(body)).toBe(true);
    },
  );

  testSampled(
    [
      ["fails again and again", { on: isSecond, times: 9, answer: error(500, "InternalError") }],
      ["is cut again and again", { on: isSecond, times: 9, cutRequestAfter: MiB }],
      ["is not echoed", { on: isSecond, times: 9, headers: forget }],
      ["is refused at its end", { on: isComplete, times: 9, answer: error(500, "InternalError") }],
      [
        "ends in an error that looks like success",
        { on: isComplete, times: 9, answer: error(200, "InternalError") },
      ],
    ],
    5,
    "of which one %s is ended",
    async ([, fault]) => {
      const key = freshKey();
      proxy.break(fault as never);
      await expectProblem(edge("PUT", key, { chunked: body }), 502, "store-error");
      await expectNothing(key);
    },
  );

  test("that is not confirmed in the end is no success", async () => {
    const key = freshKey();
    proxy.break({ on: isHead, times: 9, headers: forget });
    await expectProblem(edge("PUT", key, { chunked: body }), 409, "not-encrypted");
  });
});

describe("a download", () => {
  const key = freshKey();
  const body = randomBytes(3 * MiB);
  beforeAll(async () => {
    expect((await edge("PUT", key, body)).status).toBe(200);
  });

  test.for([
    0,
    1,
    MiB,
    3 * MiB - 1,
  ])("that is cut after %d bytes is broken for the client too", async (cutAnswerAfter) => {
    proxy.break({ on: isGet, cutAnswerAfter });
    await expect(edge("GET", key)).rejects.toThrow(BROKEN_OFF);
  });

  test.for([
    ["500", { answer: error(500, "InternalError") }, 502, "store-error"],
    ["SlowDown", { answer: error(503, "SlowDown") }, 503, "unavailable"],
    ["no answer", { answer: (request: { destroy(): void }) => void request.destroy() }, 502, "store-error"],
    ["another key's echo", { headers: mistake }, 409, "not-encrypted"],
    ["no echo", { headers: forget }, 409, "not-encrypted"],
  ] as const)("that meets %s", async ([, fault, status, code]) => {
    proxy.break({ on: isGet, ...fault } as never);
    await expectProblem(edge("GET", key), status, code);
  });

  test("is asked for again where a connection was closed just as it was used", async () => {
    proxy.break({ on: isGet, times: 1, answer: (request) => void request.destroy() });
    const { status, body: came } = await edge("GET", key);
    expect({ status, isEqual: came.equals(body) }).toEqual({ status: 200, isEqual: true });
  });

  test("whose length the store does not tell comes whole, and is told without one", async () => {
    proxy.break({ on: isGet, headers: (headers) => void delete headers["content-length"] });
    lines.length = 0;
    const answer = await edge("GET", key);
    expect(answer.body.equals(body)).toBe(true);
    expect(answer.headers["content-length"]).toBeUndefined();
    const told = await vi.waitFor(
      () => {
        const event = lines.findLast((line) => line.includes('"GetObject"'));
        return JSON.parse(event ?? "");
      },
      { timeout: 20_000 },
    );
    expect(told).toMatchObject({ event: "audit", key, outcome: "allowed" });
    expect(told).not.toHaveProperty("bytes");
  });

  test("whose client goes away ends at the store", { tags: ["thorough"] }, async () => {
    const { hostname, port } = new URL(worker.url);
    const big = freshKey();
    await edge("PUT", big, randomBytes(32 * MiB));
    await expect.poll(() => proxy.open()).toBe(0);
    await new Promise<void>((resolve) => {
      const asked = httpRequest(
        { hostname, port, path: `/v1/objects/media/${big}`, headers: { authorization: `Bearer ${token}` } },
        (incoming) => {
          incoming.on("error", () => {});
          incoming.once("data", () => {
            expect(proxy.open()).toBe(1);
            incoming.destroy();
            resolve();
          });
        },
      );
      asked.on("error", () => {});
      asked.end();
    });
    await expect.poll(() => proxy.open(), { timeout: 10_000 }).toBe(0);
  });
});
