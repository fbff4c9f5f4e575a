/** Requests that the service itself makes of a store, and what their failures mean. */

import type { Bucket } from "../../config/load.ts";
import type { Refused } from "../../refused.ts";
import { authorize, type Unsigned } from "../sign/presign.ts";
import type { Credentials } from "./credentials.ts";
import { type Asked, storeError, storeTimeout } from "./store-error.ts";
import { timeLimitsOf } from "./time-limits.ts";
import { byFetch, type Transport } from "./transport.ts";
import { toWire } from "./wire.ts";
import type { Element } from "./xml.ts";

export {
  type Asked,
  didNotEncrypt,
  inTheClear,
  isTransient,
  storeError,
  storeTimeout,
} from "./store-error.ts";

/** Enough of a refusal to hold its code, bytes. */
const MAX_ERROR = 16_384;
/**
 * More than any answer of S3's can have: a thousand keys of a kilobyte, each byte of them written as a reference. Memory
 * is 128 MB.
 */
export const MAX_ANSWER = 8 * 2 ** 20;

/** A request to the store of a bucket that is configured. */
export type StoreRequest = Unsigned<Bucket>;

export interface Sending {
  readonly credentials: Credentials;
  readonly transport?: Transport | undefined;
  readonly body?: ReadableStream<Uint8Array> | Uint8Array | undefined;
  /** What the store has for its answer's headers, milliseconds; without it `signal` alone decides. */
  readonly timeLimit?: number;
  readonly signal?: AbortSignal;
  /** Whether the answer's body is read as it came, whatever its content-encoding says. */
  readonly asStored?: boolean;
}

/**
 * The store's answer, whatever its status.
 *
 * @throws {Refused} store-error when there is none; store-timeout when it does not come in time
 */
export async function sendToStore(request: StoreRequest, sending: Sending): Promise<Response> {
  const { credentials, transport = byFetch, body, timeLimit, signal, asStored = false } = sending;
  const { url, headers } = authorize(request, credentials);
  const time = new AbortController();
  const timer = timeLimit === undefined ? undefined : setTimeout(() => time.abort(), timeLimit);
  const ended =
    signal === undefined
      ? time.signal
      : timeLimit === undefined
        ? signal
        : AbortSignal.any([signal, time.signal]);
  let response: Response;
  try {
    ended.throwIfAborted();
    response = await transport.send(url, {
      method: request.method,
      headers: toWire(headers),
      signal: ended,
      asStored,
      ...(body !== undefined && { body, length: request.headers["content-length"] }),
    });
  } catch {
    // The error is not passed on: a runtime may put the URL into its message.
    if (ended.aborted) throw storeTimeout();
    throw storeError(request, "no answer", "is its endpoint right, and up?");
  } finally {
    clearTimeout(timer);
  }
  if (!isRedirect(response)) return response;
  await response.body?.cancel();
  throw redirected(response, request);
}

/** 304 is an answer; 300, 305 and 306 send nobody anywhere. */
function isRedirect({ status }: Response): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

/** What is sent holds a key, and is signed for one host: it goes nowhere else, whatever the store says. */
function redirected({ status, headers }: Response, request: StoreRequest): Refused {
  const location = headers.get("location") ?? "";
  const to = URL.canParse(location) ? ` to ${new URL(location).host}` : "";
  return storeError(
    request,
    String(status),
    `it redirects${to}, and no redirect is followed: are endpoint, region and addressing those of this bucket?`,
  );
}

/** Why the store refused, where the reason is not one of SSE-C's. Reads the answer's body. */
export async function refusalOf(response: Response, asked: Asked): Promise<Refused> {
  return (await readRefusal(response, asked)).refused;
}

export interface Refusal {
  /** S3's; empty where there is none, as in an answer to HEAD. */
  readonly code: string;
  /** The argument at fault. */
  readonly argument: string | undefined;
  /** Whether it may be the customer key that was refused. */
  readonly mayBeAboutKey: boolean;
  readonly refused: Refused;
}

/** The same, with what it says of its reason. */
export async function readRefusal(response: Response, asked: Asked): Promise<Refusal> {
  const { status, headers } = response;
  return explain(await errorOf(response, asked), status, asked, headers);
}

/** Why the store refused, told by a document under 200. */
export async function refusalIn(error: Element, asked: Asked): Promise<Refused> {
  return (await explain(error, 200, asked, new Headers())).refused;
}

/** What the codes mean is loaded when a store refuses something. */
async function explain(error: Element, status: number, asked: Asked, headers: Headers): Promise<Refusal> {
  const { argumentIn, codeIn, deleteMarkerIn, mayBeAboutKey, refusal } = await import("./refusals.ts");
  const code = codeIn(error);
  const argument = argumentIn(error);
  return {
    code,
    argument,
    mayBeAboutKey: mayBeAboutKey(status, code, argument),
    refused: refusal(status, code, asked, {
      argument,
      retryAfter: headers.get("retry-after") ?? undefined,
      deleteMarker: deleteMarkerIn(headers),
    }),
  };
}

/** The refusal's document; empty where there is none. */
async function errorOf(response: Response, { bucket }: Asked): Promise<Element> {
  try {
    const { text } = await textWithin(response, MAX_ERROR, timeLimitsOf(bucket.store).refusal);
    if (text === "") return {};
    const { parseXml } = await import("./xml.ts");
    const { name, element } = parseXml(text);
    return name === "Error" ? element : {};
  } catch {
    return {};
  }
}

/**
 * The text of an answer, as far as its first `limit` bytes; what is beyond is not waited for.
 *
 * @param timeLimit milliseconds, where nothing else ends a body that does not come
 */
export async function textWithin(
  response: Response,
  limit: number,
  timeLimit?: number,
): Promise<{ text: string; isWhole: boolean }> {
  const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader();
  if (reader === undefined) return { text: "", isWhole: true };
  const end = () => reader.cancel().catch(() => {});
  const timer = timeLimit === undefined ? undefined : setTimeout(end, timeLimit);
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { text: text + decoder.decode(), isWhole: true };
      length += value.length;
      if (length > limit) {
        await end();
        return { text, isWhole: false };
      }
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    clearTimeout(timer);
  }
}
