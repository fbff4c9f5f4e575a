/** The service, as every part of the client asks it. */
import { noAnswer, SsecError } from "./error.ts";
import { persist, retryAfterOf } from "./retry.ts";
import { type Answer, type Body, type PresignedRequest, request, type Sending, sendBody } from "./send.ts";

export interface ClientOptions {
  /** Where the service is, with the path below which it is mounted: `https://edge.example.com/files`. */
  readonly url: string;
  /** Asked anew for each request where it is a function; it may renew what is about to expire. */
  readonly token: string | (() => string | Promise<string>);
  /** Instead of the runtime's. Uploads then show progress by parts. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** What every call takes. */
export interface CallOptions {
  /** Ends it: what it throws is the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export class Api {
  readonly fetch: typeof globalThis.fetch | undefined;
  readonly url: string;
  readonly #token: ClientOptions["token"];

  /** @throws {TypeError} where `url` is none */
  constructor({ url, token, fetch }: ClientOptions) {
    this.url = new URL(url).href.replace(/\/+$/, "");
    this.#token = token;
    this.fetch = fetch;
  }

  /**
   * The JSON answer to JSON, or to nothing.
   *
   * @throws {SsecError}
   */
  json<T>(path: string, body?: object, { signal }: CallOptions = {}): Promise<T> {
    return persist(async () => {
      const answer = await this.ask(path, {
        method: body ? "POST" : "GET",
        headers: body ? { "content-type": "application/json" } : {},
        ...(body && { body: JSON.stringify(body) }),
        signal: signal ?? null,
      });
      return (answer.status === 204 ? undefined : await answer.json()) as T;
    }, signal);
  }

  /**
   * One request, once.
   *
   * @throws {SsecError}
   */
  async ask(path: string, init: RequestInit): Promise<Response> {
    const headers = { ...(init.headers as Record<string, string>), ...(await this.authorization()) };
    const answer = await heard(
      () => request(this.url + path, { ...init, headers }, this.fetch),
      this.url,
      init.signal,
      allowOrigin,
    );
    if (answer.ok || answer.status === 304) return answer;
    throw await problemOf(answer);
  }

  /**
   * A body through the service, once.
   *
   * @throws {SsecError}
   */
  async put(
    path: string,
    headers: Record<string, string>,
    body: Body | ReadableStream<Uint8Array>,
    sending: Omit<Sending, "fetch">,
  ): Promise<Answer> {
    const outgoing: PresignedRequest = {
      method: "PUT",
      url: this.url + path,
      headers: { ...headers, ...(await this.authorization()) },
    };
    const answer = await heard(
      () => sendBody(outgoing, body, { ...sending, fetch: this.fetch }),
      this.url,
      sending.signal,
      allowOrigin,
    );
    if (answer.status < 300) return answer;
    throw await problemOf(answer);
  }

  async authorization(): Promise<{ authorization: string }> {
    const token = this.#token;
    return { authorization: `Bearer ${typeof token === "function" ? await token() : token}` };
  }
}

/** Below the service's address. */
export function objectPath({ bucket, key }: { readonly bucket: string; readonly key: string }): string {
  return `/v1/objects/${[bucket, ...key.split("/")].map(encodeURIComponent).join("/")}`;
}

const allowOrigin = (origin: string) => `the operator names ${origin} in ALLOWED_ORIGINS`;

/**
 * A request that gets an answer, whatever that is. What runtimes throw where there is none has no common type.
 *
 * @throws {SsecError} cors-or-network; the signal's reason
 */
export async function heard<T>(
  ask: () => Promise<T>,
  url: string,
  signal: AbortSignal | null | undefined,
  mend: (origin: string) => string,
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof SsecError ? error : noAnswer(url, mend);
  }
}

async function problemOf(answer: Answer): Promise<SsecError> {
  const { status } = answer;
  const retryAfter = answer.headers.get("retry-after");
  let problem: { code?: string; detail?: string; requestId?: string; errors?: SsecError["errors"] } = {};
  try {
    problem = JSON.parse(await answer.text());
  } catch {
    // It is not the service that answers, or its body breaks off: the status says what there is to say.
  }
  const { code = CODES[status] ?? "store-error", detail = `the service answers ${status}` } = problem;
  return new SsecError(code, detail, {
    status,
    requestId: problem.requestId,
    errors: problem.errors,
    // The service says when to come back where `unavailable` passes; where it does not, something is not set up there.
    isPassing:
      status === 429 ||
      (status > 501 && status < 505 && !(problem.code === "unavailable" && retryAfter === null)),
    retryAfter: retryAfterOf(retryAfter),
  });
}

/** Of answers that do not say it themselves, as the platform's, and those to HEAD. */
const CODES: Readonly<Record<number, string>> = {
  400: "invalid-request",
  401: "unauthenticated",
  403: "forbidden",
  404: "not-found",
  412: "precondition-failed",
  413: "too-large",
  416: "range-not-satisfiable",
  429: "rate-limited",
  503: "unavailable",
  504: "store-timeout",
};
