import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createRawServer, type Server as RawServer } from "node:net";
import { afterAll, expect, test } from "vitest";
import { byNode } from "../../src/cli/node-transport.ts";
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
