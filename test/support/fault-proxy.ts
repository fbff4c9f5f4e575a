/** Stands between the Worker and a store, passes everything on as it is, and breaks what it is told to. */
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

export interface Fault {
  /** Which requests. */
  readonly on: (request: IncomingMessage) => boolean;
  /** How often; otherwise always. */
  times?: number;
  /** Answers itself, without the store. */
  readonly answer?: (request: IncomingMessage, response: ServerResponse) => void;
  /** Passes another request on, as soon as it is resolved. */
  readonly forward?: (request: IncomingMessage) => Promise<Forwarded>;
  /** Takes so many bytes of the request's body, then closes the connection. */
  readonly cutRequestAfter?: number;
  /** Passes so many bytes of the answer's body on, then closes the connection. */
  readonly cutAnswerAfter?: number;
  /** Passes so many bytes of the answer's body on, and then nothing more; the connection stays. */
  readonly stallAnswerAfter?: number;
  /** Changes the answer's headers, given by lower-case name. */
  readonly headers?: (
    headers: Record<string, string | string[] | undefined>,
    request: IncomingMessage,
  ) => void;
}

export interface Forwarded {
  /** Path and query. */
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders | Readonly<Record<string, string>>;
}

export const isPut = ({ method, url = "" }: IncomingMessage) =>
  method === "PUT" && !url.includes("partNumber=");
export const isPart = ({ method, url = "" }: IncomingMessage) =>
  method === "PUT" && url.includes("partNumber=");
export const isGet = ({ method }: IncomingMessage) => method === "GET";
export const isHead = ({ method }: IncomingMessage) => method === "HEAD";
/** What a rotation sends for an object that the store copies. */
export const isCopy = ({ headers, url = "" }: IncomingMessage) =>
  headers["x-amz-copy-source"] !== undefined && !url.includes(".ssec-rotation-");
export const isComplete = ({ method, url = "" }: IncomingMessage) =>
  method === "POST" && url.includes("uploadId=");

/** @param tls key and certificate, PEM; without them it speaks plain HTTP */
export async function startFaultProxy(storeUrl: string, tls?: { key: string; cert: string }) {
  let faults: Fault[] = [];
  let open = 0;
  const store = new URL(storeUrl);
  const listener = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const fault = faults.find(({ on, times = 1 }) => times > 0 && on(incoming));
    if (fault?.times !== undefined) fault.times--;
    if (fault?.answer) return fault.answer(incoming, outgoing);
    const { url, headers } = fault?.forward ? await fault.forward(incoming) : incoming;
    open++;
    const upstream = httpRequest({
      hostname: store.hostname,
      port: store.port,
      method: incoming.method,
      path: url,
      headers: { ...headers },
    });
    outgoing.once("close", () => {
      open--;
      upstream.destroy();
    });
    upstream.on("error", () => outgoing.destroy());
    upstream.on("response", (answer) => {
      const headers = { ...answer.headers };
      fault?.headers?.(headers, incoming);
      outgoing.writeHead(answer.statusCode ?? 0, headers as never);
      let passed = 0;
      answer.on("data", (chunk: Buffer) => {
        if (fault?.cutAnswerAfter !== undefined && passed + chunk.length > fault.cutAnswerAfter) {
          outgoing.write(chunk.subarray(0, fault.cutAnswerAfter - passed), () => outgoing.destroy());
          answer.destroy();
          return;
        }
        if (fault?.stallAnswerAfter !== undefined && passed + chunk.length > fault.stallAnswerAfter) {
          outgoing.write(chunk.subarray(0, fault.stallAnswerAfter - passed));
          answer.removeAllListeners("data").pause();
          return;
        }
        passed += chunk.length;
        if (!outgoing.write(chunk)) {
          answer.pause();
          outgoing.once("drain", () => answer.resume());
        }
      });
      answer.on("end", () => outgoing.end());
    });
    let taken = 0;
    incoming.on("data", (chunk: Buffer) => {
      taken += chunk.length;
      if (fault?.cutRequestAfter !== undefined && taken > fault.cutRequestAfter) {
        incoming.destroy();
        upstream.destroy();
        return;
      }
      if (!upstream.write(chunk)) {
        incoming.pause();
        upstream.once("drain", () => incoming.resume());
      }
    });
    incoming.on("end", () => upstream.end());
    incoming.on("error", () => upstream.destroy());
  };
  const server = tls
    ? createTlsServer({ ...tls, requestTimeout: 0 }, listener)
    : createServer({ requestTimeout: 0 }, listener);
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const breakBy = (...next: Fault[]) => {
    faults = next;
  };
  return {
    url: `${tls ? "https" : "http"}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    break: breakBy,
    /** From here on these requests do not reach the store, until what is given back is called. */
    holdUp: (on: Fault["on"]): (() => void) => {
      const { promise: gate, resolve: goOn } = Promise.withResolvers<void>();
      const forward = async (request: IncomingMessage) => {
        await gate;
        return request;
      };
      breakBy({ on, forward });
      return () => {
        breakBy();
        goOn();
      };
    },
    /** Requests that are with the store. */
    open: () => open,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

export type FaultProxy = Awaited<ReturnType<typeof startFaultProxy>>;

/** An answer of S3's, as soon as the request's headers are there. */
export const error =
  (status: number, code: string) => (request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    response.writeHead(status, { "content-type": "application/xml" });
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>as told</Message></Error>`);
  };
