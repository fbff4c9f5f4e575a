/** A plain HTTP client, as whoever is handed a presigned URL has one: no SDK mends what it sends or gets. */
import { lookup } from "node:dns";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import type { LookupFunction } from "node:net";
import { TLSSocket } from "node:tls";
import type { Presigned } from "../../s3/sign/presign.ts";

/** An answer that is longer is not read to its end, bytes. */
const MAX_BODY = 2 ** 20;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Of the connection, where it is encrypted. */
  readonly tls?: { readonly version: string; readonly validTo: Date };
}

/** Why there was no answer. */
export type Silence = "timeout" | "name" | "tls" | "connection";

export class NoAnswer extends Error {
  override name = "NoAnswer";
  readonly reason: Silence;

  constructor(reason: Silence, message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * Sends a request as it stands, on a connection of its own: one that the store closes in between is not held against it.
 *
 * @param timeLimit for everything, milliseconds
 * @param cut ends it before its time
 * @throws {NoAnswer} whose message holds neither the URL nor a header; the reason of `cut`
 */
export async function send(
  { method, url, headers }: Presigned,
  body: Uint8Array | undefined,
  timeLimit: number,
  cut?: AbortSignal,
): Promise<Answer> {
  return inTurn(async () => {
    cut?.throwIfAborted();
    const time = AbortSignal.timeout(timeLimit);
    try {
      return await exchange({ method, url, headers }, body, cut ? AbortSignal.any([time, cut]) : time);
    } catch (error) {
      if (cut?.aborted) throw cut.reason;
      if (time.aborted) throw new NoAnswer("timeout", `no answer in ${timeLimit / 1000} s`);
      throw noAnswer(error);
    }
  });
}

/** Requests under way at once. More would wait for one another, and the wait would be held against the store. */
const AT_ONCE = 16;
let underWay = 0;
const waiting: (() => void)[] = [];

/** Waits for its turn; only what comes then counts against a time limit. */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (underWay < AT_ONCE) underWay++;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else underWay--;
  }
}

function exchange({ method, url, headers }: Presigned, body: Uint8Array | undefined, signal: AbortSignal) {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const length = method === "PUT" || method === "POST" ? { "content-length": body?.length ?? 0 } : {};
  const request = url.startsWith("https:") ? httpsRequest : httpRequest;
  const outgoing = request(url, {
    method,
    headers: { ...headers, ...length },
    agent: false,
    lookup: resolveName,
    signal,
  });
  outgoing.once("error", reject);
  outgoing.once("response", async (incoming) => {
    const tls = tlsOf(incoming.socket);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of incoming) {
        chunks.push(chunk);
        if (chunks.reduce((sum, { length }) => sum + length, 0) > MAX_BODY) break;
      }
      const { statusCode: status = 0, headers } = incoming;
      resolve({ status, headers, body: Buffer.concat(chunks), ...(tls && { tls }) });
    } catch (error) {
      reject(error);
    }
  });
  outgoing.end(body);
  return promise;
}

/** Names below localhost are this machine (RFC 6761, section 6.3), whatever the system's resolver says. */
const resolveName: LookupFunction = (hostname, options, callback) =>
  lookup(hostname.endsWith(".localhost") ? "localhost" : hostname, options, callback);

function tlsOf(socket: unknown): Answer["tls"] {
  if (!(socket instanceof TLSSocket)) return undefined;
  return {
    version: socket.getProtocol() ?? "TLS",
    validTo: new Date(socket.getPeerCertificate().valid_to),
  };
}

function noAnswer(error: unknown): NoAnswer {
  const code = String((error as NodeJS.ErrnoException).code ?? "no reason given");
  if (["ENOTFOUND", "EAI_AGAIN", "ERR_INVALID_URL"].includes(code))
    return new NoAnswer("name", `its name does not resolve (${code})`);
  if (/CERT|SIGNED|ISSUER|SIGNATURE|^ERR_(TLS|SSL)|^EPROTO$/.test(code)) return new NoAnswer("tls", code);
  return new NoAnswer("connection", `no connection (${code})`);
}

/** S3's code for a refusal, empty where there is none. Nothing else of its text is fit to be shown: it may hold keys. */
export function codeOf(answer: Answer): string {
  return element(answer, "Code") ?? "";
}

/** The text of an element of an XML answer, where it is a plain name. */
export function element(answer: Answer, name: string): string | undefined {
  return elements(answer, name).find((text) => /^[\w.-]{1,64}$/.test(text));
}

/** The texts of all elements of that name, where they need no unescaping. */
export function elements({ body }: Answer, name: string): string[] {
  const found = body.toString().matchAll(new RegExp(`<${name}>([^<&\\s]+)</${name}>`, "g"));
  return [...found].map(([, text = ""]) => text);
}

/** `403 AccessDenied` */
export function said(answer: Answer): string {
  return `${answer.status} ${codeOf(answer)}`.trimEnd();
}

export const isDone = ({ status, body }: Answer): boolean =>
  status >= 200 && status < 300 && !body.subarray(0, 200).includes("<Error>");

/** 304 sends nobody anywhere. */
export const isRedirect = ({ status }: Answer): boolean => status >= 300 && status < 400 && status !== 304;
