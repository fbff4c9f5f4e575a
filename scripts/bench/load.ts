/** Requests over connections that stay, one after another on each: far cheaper than `fetch`, which would be measured itself. */
import { connect } from "node:net";

export interface Load {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: (i: number) => string;
  readonly count: number;
  readonly connections: number;
}

export interface Loaded {
  readonly seconds: number;
  readonly bodies: readonly string[];
}

/** @throws when an answer is not 200 */
export async function load({ port, path, headers, body, count, connections }: Load): Promise<Loaded> {
  const lines = Object.entries({ host: "bench", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST ${path} HTTP/1.1\r\n${lines.join("")}`;
  const bodies: string[] = [];
  let next = 0;
  const connection = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(port, "127.0.0.1").setNoDelay(true).setEncoding("latin1");
      let received = "";
      const send = () => {
        if (next === count) {
          socket.end();
          resolve();
          return;
        }
        const text = body(next++);
        socket.write(`${head}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
      };
      socket.once("connect", send);
      socket.once("error", reject);
      socket.on("data", (chunk: unknown) => {
        received += chunk;
        const answer = bodyOf(received);
        if (answer === undefined) return;
        if (!received.startsWith("HTTP/1.1 200 ")) reject(new Error(received.split("\r\n", 1)[0]));
        bodies.push(answer);
        received = "";
        send();
      });
    });
  const start = performance.now();
  await Promise.all(Array.from({ length: connections }, connection));
  return { seconds: (performance.now() - start) / 1000, bodies };
}

/** Undefined as long as it is not whole. */
function bodyOf(received: string): string | undefined {
  const end = received.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const length = /content-length: (\d+)/i.exec(received.slice(0, end))?.[1];
  if (length === undefined) throw new Error("an answer has no length");
  const body = received.slice(end + 4);
  return body.length < Number(length) ? undefined : body;
}
