/** Requests that the service itself makes of a store, and what their failures mean. */
import type { Bucket } from "../config/load.ts";
import { Problem } from "../problem.ts";
import type { Credentials } from "./credentials.ts";
import { authorize, type Unsigned } from "./presign.ts";

/** Enough of a refusal to hold its code, characters. */
const MAX_ERROR = 16_384;

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
  try {
    ended.throwIfAborted();
    return await fetch(url, {
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
}

export function storeTimeout(): Problem {
  return new Problem("store-timeout", "The store did not answer in time.");
}

/** @param hint for the operator */
export function storeError(
  { method, bucket: { name, store } }: { method: string; bucket: Bucket },
  answer: string,
  hint = "",
  headers: Record<string, string> = {},
): Problem {
  return new Problem("store-error", `The store could not do it (${answer}).`, {
    operator: `STORES.${store.name}: ${answer} to a ${method} in BUCKETS.${name} ${hint}`.trimEnd(),
    headers,
  });
}

/** Why the store refused, where the reason is not one of SSE-C's. Reads the answer's body. */
export async function refusalOf(response: Response, request: Unsigned): Promise<Problem> {
  const { status } = response;
  const code = await codeOf(response);
  return refusal(status, code, request);
}

/**
 * @param code S3's, empty where the answer had none
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
export function refusal(status: number, code: string, request: { method: string; bucket: Bucket }): Problem {
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
    const text = (await response.text()).slice(0, MAX_ERROR);
    return /<Code>(\w{1,64})<\/Code>/.exec(text)?.[1] ?? "";
  } catch {
    return "";
  }
}
