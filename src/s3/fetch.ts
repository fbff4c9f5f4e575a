/** Requests that the service itself makes of a store, and what their failures mean. */
import type { Bucket } from "../config/load.ts";
import { Problem } from "../problem.ts";
import type { Credentials } from "./credentials.ts";
import { authorize, type Unsigned } from "./presign.ts";
import { type Element, parseXml, textOf } from "./xml.ts";

/** Enough of a refusal to hold its code, bytes. */
const MAX_ERROR = 16_384;
/**
 * More than any answer of S3's can have: a thousand keys of a kilobyte, each byte of them written as a reference. Memory
 * is 128 MB.
 */
export const MAX_ANSWER = 8 * 2 ** 20;

export interface Sending {
  readonly credentials: Credentials;
  readonly body?: ReadableStream<Uint8Array> | Uint8Array | undefined;
  /** What the store has for its answer's headers, milliseconds; without it `signal` alone decides. */
  readonly timeLimit?: number;
  readonly signal?: AbortSignal;
}

/**
 * The store's answer, whatever its status.
 *
 * @throws {Problem} store-error when there is none; store-timeout when it does not come in time
 */
export async function sendToStore(request: Unsigned, sending: Sending): Promise<Response> {
  const { credentials, body, timeLimit, signal } = sending;
  const { url, headers } = authorize(request, credentials);
  const time = new AbortController();
  const timer = timeLimit === undefined ? undefined : setTimeout(() => time.abort(), timeLimit);
  const ended = signal === undefined ? time.signal : AbortSignal.any([signal, time.signal]);
  let response: Response;
  try {
    ended.throwIfAborted();
    response = await fetch(url, {
      method: request.method,
      headers,
      redirect: "manual",
      signal: ended,
      ...(body !== undefined && { body: body as NonNullable<RequestInit["body"]> }),
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
function redirected({ status, headers }: Response, request: Unsigned): Problem {
  const location = headers.get("location") ?? "";
  const to = URL.canParse(location) ? ` to ${new URL(location).host}` : "";
  return storeError(
    request,
    String(status),
    `it redirects${to}, and no redirect is followed: are endpoint, region and addressing those of this bucket?`,
  );
}

export function storeTimeout(): Problem {
  return new Problem("store-timeout", "The store did not answer in time.");
}

/** @param hint for the operator */
export function storeError(
  { method, bucket: { name, store } }: Asked,
  answer: string,
  hint = "",
  headers: Record<string, string> = {},
): Problem {
  return new Problem("store-error", `The store could not do it (${answer}).`, {
    operator: `STORES.${store.name}: ${answer} to a ${method} in BUCKETS.${name} ${hint}`.trimEnd(),
    headers,
  });
}

/** What the store was asked, for the operator: an HTTP method, or S3's name for an operation. */
export interface Asked {
  readonly method: string;
  readonly bucket: Bucket;
}

/** Why the store refused, where the reason is not one of SSE-C's. Reads the answer's body. */
export async function refusalOf(response: Response, asked: Asked): Promise<Problem> {
  const { status } = response;
  const code = await codeOf(response);
  return refusal(status, code, asked);
}

/** Why the store refused, told by a document under 200. */
export function refusalIn(error: Element, asked: Asked): Problem {
  return refusal(200, textOf(error, "Code") ?? "", asked);
}

/**
 * @param code S3's, empty where the answer had none
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
export function refusal(status: number, code: string, request: Asked): Problem {
  switch (code || String(status)) {
    case "NoSuchKey":
    case "NoSuchVersion":
    case "404":
    case "405": // a delete marker, asked for by its version
      return new Problem("not-found", "There is no such object.");
    case "NoSuchUpload":
      return new Problem(
        "not-found",
        "There is no such multipart upload: it was completed or aborted, or never begun.",
      );
    case "PreconditionFailed":
    case "ConditionalRequestConflict":
    case "412":
      return new Problem("precondition-failed", "The object is not as the request's condition demands.");
    case "InvalidRange":
    case "416":
      return new Problem("range-not-satisfiable", "The object does not reach so far.");
    case "BadDigest":
    case "InvalidDigest":
      return new Problem("invalid-request", "The body is not what its checksum says.");
    case "InvalidArgument":
      return new Problem("invalid-request", "The store does not take a value of this request.");
    case "EntityTooLarge":
      return new Problem("too-large", "The store takes no object of this size.");
    case "EntityTooSmall":
      return new Problem("invalid-request", "A part is too small: every part but the last must have 5 MiB.");
    case "InvalidPart":
    case "InvalidPartOrder":
      return new Problem("invalid-request", "A part is missing, or is another than the one named.");
    case "SlowDown":
    case "ServiceUnavailable":
    case "503":
    case "429":
      return storeError(request, code || String(status), "it is overloaded", { "retry-after": "5" });
    default:
      return storeError(
        request,
        code || String(status),
        status === 403 ? "do its credentials allow it?" : "",
      );
  }
}

async function codeOf(response: Response): Promise<string> {
  try {
    const { text } = await textWithin(response, MAX_ERROR);
    const { name, element } = await parseXml(text);
    return name === "Error" ? (textOf(element, "Code")?.trim() ?? "") : "";
  } catch {
    return "";
  }
}

/** The text of an answer, as far as its first `limit` bytes; what is beyond is not waited for. */
export async function textWithin(
  response: Response,
  limit: number,
): Promise<{ text: string; isWhole: boolean }> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    // To leave the loop cancels the body.
    if (length > limit) return { text, isWhole: false };
    text += decoder.decode(chunk, { stream: true });
  }
  return { text: text + decoder.decode(), isWhole: true };
}
