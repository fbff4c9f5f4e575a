import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createRawServer, type Server as RawServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test, vi } from "vitest";
import { byNode } from "../../src/cli/node-transport.ts";
import { fixedLength } from "../../src/cli/rotate/fixed-length.ts";
import type { Outgoing } from "../../src/s3/store/transport.ts";

const servers: (Server | RawServer)[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

async function urlOf(server: Server | RawServer): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/key`;
}

function asked(method: string): Outgoing {
  return { method, headers: {}, signal: AbortSignal.timeout(10_000), asStored: true };
}

/** A server that says no length to what it refuses, as of a HEAD none has to be said. */
function refusing(headers: string, seen: { connections: number }): RawServer {
  return createRawServer((socket) => {
    seen.connections++;
    socket.on("data", () => socket.write(`HTTP/1.1 403 Forbidden\r\n${headers}\r\n`));
    socket.on("error", () => {});
  });
}

test("a refused HEAD of no length leaves its connection to the next request", async () => {
  const seen = { connections: 0 };
  const url = await urlOf(refusing("x-amz-request-id: 1\r\n", seen));
  for (let i = 0; i < 5; i++) {
    const { status, body } = await byNode.send(url, asked("HEAD"));
    expect({ status, body }).toEqual({ status: 403, body: null });
  }
  expect(seen.connections).toBe(1);
});

test("where the store ends the connection, the next request has one of its own", async () => {
  const seen = { connections: 0 };
  const url = await urlOf(refusing("Connection: Close\r\n", seen));
  for (let i = 0; i < 2; i++) expect((await byNode.send(url, asked("HEAD"))).status).toBe(403);
  expect(seen.connections).toBe(2);
});

test("an answer that breaks off is a failure, whatever came of it", async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-length": 10 });
    response.write("half");
    setTimeout(() => response.destroy(), 20);
  });
  await expect(byNode.send(await urlOf(server), asked("GET"))).rejects.toThrow(/aborted/);
});

/** A body of zeros that is made as it is asked for, and knows what became of it. */
function made(length: number, breaksAt = Number.POSITIVE_INFINITY) {
  const seen = { bytes: 0, isCancelled: false };
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (seen.bytes >= breaksAt) return controller.error(new Error("the source broke off"));
      const piece = new Uint8Array(Math.min(2 ** 16, length - seen.bytes));
      if (piece.length === 0) return controller.close();
      seen.bytes += piece.length;
      controller.enqueue(piece);
    },
    cancel() {
      seen.isCancelled = true;
    },
  });
  return { seen, put: { ...asked("PUT"), body: stream, length: String(length) } };
}

const LENGTH = 32 * 2 ** 20;

test("a stream goes no faster than it is taken, and whole", async () => {
  let take = () => {};
  let isWaiting = () => {};
  const waiting = new Promise<void>((resolve) => {
    isWaiting = resolve;
  });
  const server = createServer((request, response) => {
    let taken = 0;
    take = () => request.on("data", ({ length }: Buffer) => (taken += length));
    request.on("end", () => response.end(`${taken} of ${request.headers["content-length"]}`));
    isWaiting();
  });
  const { seen, put } = made(LENGTH);
  const answered = byNode.send(await urlOf(server), put);
  await waiting;
  await vi.waitFor(
    async () => {
      const before = seen.bytes;
      await sleep(100);
      expect(seen.bytes).toBe(before);
    },
    { timeout: 20_000 },
  );
  expect(seen.bytes).toBeLessThan(LENGTH);
  take();
  expect(await (await answered).text()).toBe(`${LENGTH} of ${LENGTH}`);
});

test("a stream that breaks off ends the request", async () => {
  const ended = Promise.withResolvers<boolean>();
  const server = createServer((request) => {
    request.resume().on("error", () => ended.resolve(request.complete));
  });
  const { put } = made(LENGTH, LENGTH / 2);
  await expect(byNode.send(await urlOf(server), put)).rejects.toThrow();
  expect(await ended.promise).toBe(false);
});

test("a signal ends both the request and its stream", async () => {
  const server = createServer(() => {});
  const { seen, put } = made(LENGTH);
  await expect(
    byNode.send(await urlOf(server), { ...put, signal: AbortSignal.timeout(100) }),
  ).rejects.toThrow(/abort/);
  await vi.waitFor(() => expect(seen.isCancelled).toBe(true), { timeout: 20_000 });
});

test("a store that refuses before it has all is heard, and given no more", async () => {
  const server = createServer((_, response) => response.writeHead(412).end("refused"));
  const { seen, put } = made(LENGTH);
  const answer = await byNode.send(await urlOf(server), put);
  expect([answer.status, await answer.text()]).toEqual([412, "refused"]);
  await vi.waitFor(() => expect(seen.isCancelled).toBe(true), { timeout: 20_000 });
  expect(seen.bytes).toBeLessThan(LENGTH);
});

test("what was read of a stream is not sent again on another connection", async () => {
  const seen = { requests: 0 };
  const server = createServer((request, response) => {
    seen.requests++;
    if (request.method === "HEAD") response.end();
    else request.socket.resetAndDestroy();
  });
  const url = await urlOf(server);
  await byNode.send(url, asked("HEAD"));
  const body = made(LENGTH);
  await expect(byNode.send(url, body.put)).rejects.toThrow();
  await vi.waitFor(() => expect(body.seen.isCancelled).toBe(true), { timeout: 20_000 });
  expect(seen.requests).toBe(2);
});

test.each([
  [3, "2 of 5 bytes did not come"],
  [6, "more than 5 bytes came"],
])("a pipe of 5 bytes that gets %i fails", async (length, why) => {
  const { readable, writable } = fixedLength(5);
  const piped = new Blob(["x".repeat(length)]).stream().pipeTo(writable);
  await expect(new Response(readable).arrayBuffer()).rejects.toThrow(why);
  await expect(piped).rejects.toThrow(why);
});

test("and one that gets 5 gives them", async () => {
  const { readable, writable } = fixedLength(5);
  const piped = new Blob(["12345"]).stream().pipeTo(writable);
  expect(await new Response(readable).text()).toBe("12345");
  await piped;
});
