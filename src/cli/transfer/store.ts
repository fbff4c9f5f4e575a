/** Presigned requests, sent to the store exactly as they were given. */
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { refusalOf } from "../../client/refusal.ts";
import { retryAfterOf } from "../../client/retry.ts";
import type { PresignedRequest } from "../../client/send.ts";
import { proxyHint } from "../proxy.ts";
import { Transient, withRetries } from "../retry.ts";
import { SourceError } from "./source.ts";

/** The store says nothing for so long: milliseconds. */
const SILENCE = 60_000;
/** Enough of a refusal to hold its code. */
const MAX_REFUSAL = 16_384;

/** What the store refused for good. */
export class StoreError extends Error {
  override name = "StoreError";
  readonly status: number;
  /** S3's, e.g. NoSuchKey; empty where there was none. */
  readonly code: string;

  constructor(status: number, code: string) {
    const isElsewhere = status >= 300 && status < 400;
    const reason = `${status} ${code}`.trimEnd();
    super(
      isElsewhere
        ? `the store sends the request elsewhere (${reason}), where no key may go: its endpoint or region in STORES is another's`
        : `the store refused: ${reason}`,
    );
    this.status = status;
    this.code = code;
  }
}

/** What the store answered to a request that has been sent until it was answered. */
export interface Answered {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/**
 * Sends a request whose answer is short, again where that may help.
 *
 * @param attempt makes the request, and opens its body, anew for each attempt
 * @throws as `sendToStore`
 */
export function askStore(
  attempt: () => Promise<{ request: PresignedRequest; body?: AsyncIterable<Buffer> }>,
): Promise<Answered> {
  return withRetries(async () => {
    const { request, body } = await attempt();
    const answer = await sendToStore(request, body);
    return { headers: answer.headers, text: await textOf(answer) };
  });
}

/**
 * The store's answer, of which the body is not read yet. It comes from the very host that the URL names: what a redirect
 * names instead is not asked, since the headers hold a key.
 *
 * @param body with its length in `headers`
 * @throws {Transient} for no answer, and one of a store that is busy
 * @throws {StoreError} for any other answer but 200, 204 and 206
 * @throws {SourceError} what the body throws
 */
export async function sendToStore(
  { method, url, headers }: PresignedRequest,
  body?: AsyncIterable<Buffer>,
): Promise<IncomingMessage> {
  const outgoing = (url.startsWith("https:") ? httpsRequest : httpRequest)(url, { method, headers });
  outgoing.setTimeout(SILENCE, () => outgoing.destroy(new Error("silence")));
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
  });
  let answer: IncomingMessage;
  let broken: unknown;
  try {
    // A store that refuses may answer, and close, before it has the whole body.
    const sent =
      body &&
      pipeline(Readable.from(body, { objectMode: false }), outgoing).catch((error: unknown) => {
        broken = error;
      });
    if (body === undefined) outgoing.end();
    answer = await answered;
    if (isGood(answer)) await sent;
  } catch (error) {
    if (error instanceof SourceError) throw error;
    const { code = "no answer" } = error as NodeJS.ErrnoException;
    throw new Transient(`the store at ${new URL(url).origin} does not answer (${code})${proxyHint()}`);
  }
  if (broken instanceof SourceError) throw broken;
  if (isGood(answer)) return answer;
  const { statusCode = 0 } = answer;
  const text = await textOf(answer, MAX_REFUSAL).catch(() => "");
  const { code, isBusy } = refusalOf(statusCode, text);
  if (isBusy) {
    const retryAfter = retryAfterOf(answer.headers["retry-after"]);
    throw new Transient(`the store answers ${statusCode} ${code}`.trimEnd(), retryAfter);
  }
  throw new StoreError(statusCode, code);
}

function isGood({ statusCode = 0 }: IncomingMessage): boolean {
  return [200, 204, 206].includes(statusCode);
}

/** @param most characters, after which the rest is left */
export async function textOf(answer: IncomingMessage, most = Number.POSITIVE_INFINITY): Promise<string> {
  let text = "";
  answer.setEncoding("utf8");
  for await (const chunk of answer) {
    text += chunk;
    if (text.length > most) break;
  }
  return text.slice(0, most);
}
