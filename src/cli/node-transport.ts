/**
 * Requests to a store by Node's own client. Paths go as they are, while fetch takes "." and ".." out, so that keys with such
 * segments are another object's; and connections stay after a HEAD, which fetch ends, in case that a body follows it. Of
 * processor time both take the same.
 *
 * @see https://github.com/nodejs/undici/issues/258
 */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { pipeline, Readable } from "node:stream";
import type { ReadableStream as StreamOfNode } from "node:stream/web";
import type { Transport } from "../s3/store/transport.ts";

/** Answers that are read at once, bytes: a stream costs more than so few of them. */
const SMALL = 2 ** 18;

/** What a connection says that is closed, when something is read from it or written to it. */
const CLOSED = ["ECONNRESET", "EPIPE"];

const send: Transport["send"] = async (url, { method, headers: given, body, length, signal }) => {
  const isStream = body instanceof ReadableStream;
  // Of bytes Node knows it.
  const headers = isStream && length !== undefined ? { ...given, "content-length": length } : given;
  for (let attempt = 1; ; attempt++) {
    const sent = started(url, { method, headers, signal });
    try {
      const answered = answerOf(sent);
      if (isStream) sendAsItComes(sent, body);
      else sent.end(body);
      return await responseOf(await answered, method);
    } catch (error) {
      // A connection that was idle may be closed just when it is used: nothing of the request has come through then.
      const isStale = sent.reusedSocket && CLOSED.includes((error as { code?: string }).code ?? "");
      // What was read of a stream is not there again: whoever made it can make another.
      if (!isStale || isStream || attempt === 3 || method === "POST" || signal.aborted) throw error;
    }
  }
};

export const byNode: Transport = { send, sendsDots: true };

function started(url: string, options: Pick<Parameters<typeof send>[1], "method" | "headers" | "signal">) {
  const [, origin = "", path = ""] = /^([^/]*\/\/[^/?]*)(.*)$/s.exec(url) ?? [];
  const { protocol, hostname, port } = new URL(origin);
  const request = protocol === "https:" ? httpsRequest : httpRequest;
  return request({ ...options, hostname: hostname.replace(/^\[(.*)\]$/, "$1"), port, path });
}

/** No faster than the store takes it. Whichever of the two fails or ends early, the other ends with it. */
function sendAsItComes(sent: ClientRequest, body: ReadableStream<Uint8Array>): void {
  // A failure is the request's as well, which is awaited elsewhere.
  pipeline(Readable.fromWeb(body as StreamOfNode), sent, () => {});
  sent.once("response", (answer) => {
    // Whoever has answered takes no more.
    answer.once("end", () => {
      if (!sent.writableEnded) sent.destroy();
    });
  });
}

function answerOf(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once("response", (answer) => {
      // To a HEAD no body comes: Node waits for the end of one all the same where no length is said, as of a refusal.
      if (sent.method === "HEAD" && isKept(answer)) sent.shouldKeepAlive = true;
      resolve(answer);
    });
    sent.on("error", reject);
  });
}

/** Whether the store says nothing of an end of the connection. */
function isKept({ httpVersion, headers }: IncomingMessage): boolean {
  return httpVersion === "1.1" && !/\bclose\b/i.test(headers.connection ?? "");
}

async function responseOf(answer: IncomingMessage, method: string): Promise<Response> {
  const { statusCode: status = 0, rawHeaders } = answer;
  const headers = new Headers();
  for (let i = 0; i < rawHeaders.length; i += 2) headers.append(rawHeaders[i] ?? "", rawHeaders[i + 1] ?? "");
  const isEmpty = method === "HEAD" || status === 204 || status === 304;
  const isSmall = Number(headers.get("content-length") ?? SMALL) < SMALL;
  if (!isEmpty && !isSmall)
    return new Response(Readable.toWeb(answer) as unknown as ReadableStream, { status, headers });
  const bytes = await bytesOf(answer);
  return new Response(isEmpty ? null : bytes, { status, headers });
}

/** By events: an iterator costs several times as much, and most answers are short. */
function bytesOf(answer: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    answer.on("data", (piece: Buffer) => pieces.push(piece));
    answer.on("end", () => resolve(Buffer.concat(pieces)));
    answer.on("error", reject);
  });
}
