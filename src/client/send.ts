/** Requests, by what the runtime has: XMLHttpRequest tells how far an upload is, which fetch does not. */
import { SsecError } from "./error.ts";

/** What a request can carry here: what is sent again must be there again. */
export type Body = Blob | Uint8Array<ArrayBuffer>;

/** What a request to the store is, exactly. */
export interface PresignedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Sending {
  readonly fetch?: typeof fetch | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes that have gone out of this body. */
  readonly onSent?: (bytes: number) => void;
}

/** Of a Response, what XMLHttpRequest has as well. */
export interface Answer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}

/**
 * Bytes, above which it is worth knowing how far a body is. XMLHttpRequest has one more fault: it follows a redirect, which only
 * the store itself can answer that has the key anyway.
 */
const WORTH_WATCHING = 256 * 2 ** 10;

/**
 * A redirect could take a key, a token or a file to another host: none is followed. What comes is for no cache.
 *
 * @throws {SsecError} for a redirect; what fetch throws where nobody answers
 */
export async function request(url: string, init: RequestInit, own: typeof fetch = fetch): Promise<Response> {
  const answer = await own(url, { ...init, redirect: "manual", cache: "no-store" });
  if (answer.ok || answer.status >= 400 || answer.status === 304) return answer;
  throw elsewhere(url);
}

const elsewhere = (url: string) =>
  new SsecError("store-error", `${new URL(url).origin} would send this elsewhere: nothing was sent there`);

/** @throws anything at all where nobody answers, or the signal ends it: `heard` says what that means */
export async function sendBody(
  outgoing: PresignedRequest,
  body: Body | ReadableStream<Uint8Array>,
  { fetch: own, signal, onSent }: Sending,
): Promise<Answer> {
  const { XMLHttpRequest } = globalThis as { XMLHttpRequest?: new () => Xhr };
  if (XMLHttpRequest && !own && !isStream(body) && sizeOf(body) > WORTH_WATCHING)
    return sendByXhr(new XMLHttpRequest(), outgoing, body, signal, onSent);
  const { url, ...how } = outgoing;
  const init = { ...how, body, signal: signal ?? null, duplex: "half" };
  const answer = await request(url, init as RequestInit, own);
  if (!isStream(body)) onSent?.(sizeOf(body));
  return answer;
}

/** React Native has no streams, and no name for them. */
export function isStream(source: unknown): source is ReadableStream<Uint8Array> {
  return typeof (source as ReadableStream | null)?.getReader === "function";
}

export function sizeOf(body: Body): number {
  return body instanceof Uint8Array ? body.byteLength : body.size;
}

/** Of it, what is used; browsers and React Native have it. */
interface Xhr {
  open(method: string, url: string): void;
  setRequestHeader(name: string, value: string): void;
  send(body: Body): void;
  abort(): void;
  getResponseHeader(name: string): string | null;
  readonly status: number;
  readonly responseText: string;
  readonly responseURL: string;
  readonly upload: { onprogress: ((event: { loaded: number }) => void) | null };
  onload: (() => void) | null;
  onerror: ((event: unknown) => void) | null;
  onabort: ((event: unknown) => void) | null;
}

function sendByXhr(
  xhr: Xhr,
  { method, url, headers }: PresignedRequest,
  body: Body,
  signal: AbortSignal | undefined,
  onSent: Sending["onSent"],
): Promise<Answer> {
  const abort = () => xhr.abort();
  return new Promise<Answer>((resolve, reject) => {
    signal?.throwIfAborted();
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = ({ loaded }) => onSent?.(loaded);
    xhr.onload = () => {
      if (xhr.responseURL && new URL(xhr.responseURL).origin !== new URL(url).origin)
        return reject(elsewhere(url));
      resolve({
        status: xhr.status,
        headers: { get: (name) => xhr.getResponseHeader(name) },
        text: async () => xhr.responseText,
      });
    };
    xhr.onerror = reject;
    xhr.onabort = reject;
    signal?.addEventListener("abort", abort);
    xhr.send(body);
  }).finally(() => signal?.removeEventListener("abort", abort));
}
