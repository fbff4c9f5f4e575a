/** The deployed or local Worker, as its operator talks to it. */
import { retryAfterOf } from "../client/retry.ts";
import { proxyHint } from "./proxy.ts";
import { withRetries } from "./retry.ts";

export interface ApiOptions {
  readonly url: string;
}

/** What the Worker says is wrong (RFC 9457). */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;
  readonly code: string;
  /** Of the fields at fault. */
  readonly paths: readonly string[];
  /** Whether the Worker, or the store behind it, may get over it soon. */
  readonly isPassing: boolean;
  /** Milliseconds after which another attempt is welcome. */
  readonly retryAfter: number | undefined;

  constructor(
    status: number,
    { code = "", detail = "", requestId, errors = [] }: Problem,
    retryAfter?: number,
  ) {
    super(`${status}: ${detail}${requestId === undefined ? "" : ` (request ${requestId})`}`);
    this.status = status;
    this.code = code;
    this.paths = errors.map(({ path }) => path);
    this.isPassing = [429, 502, 503, 504].includes(status);
    this.retryAfter = retryAfter;
  }
}

export interface Problem {
  readonly code?: string;
  readonly detail?: string;
  readonly requestId?: string;
  readonly errors?: readonly { readonly path: string }[];
}

export class Api {
  readonly url: string;
  readonly #token: string;

  /** @throws when SSEC_TOKEN is not set, or the URL is none */
  constructor({ url }: ApiOptions) {
    const token = process.env.SSEC_TOKEN?.trim();
    if (!token) throw new Error("set SSEC_TOKEN to a caller's token");
    // fetch() would name the token in what it says.
    if (!/^[!-~]+$/.test(token))
      throw new Error("SSEC_TOKEN is no token: it holds white space, or more than ASCII");
    if (!isAddress(url)) throw new Error("--url is not the Worker's address, as https://edge.example.com");
    this.url = url.replace(/\/$/, "");
    this.#token = token;
  }

  /**
   * The JSON answer to a GET; parameters that are undefined are left out.
   *
   * @throws {ApiError}
   */
  async get<T>(path: string, parameters: Record<string, string | undefined> = {}): Promise<T> {
    const given = Object.entries(parameters).filter(
      (each): each is [string, string] => each[1] !== undefined,
    );
    const query = new URLSearchParams(given).toString();
    const response = await this.fetch(`${path}${query && `?${query}`}`);
    return (await response.json()) as T;
  }

  /**
   * The JSON answer to a POST.
   *
   * @throws {ApiError}
   */
  async post<T>(path: string, body: object): Promise<T> {
    const response = await this.fetch(path, { method: "POST", body: JSON.stringify(body) });
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  /**
   * Tried again when the Worker, or the store behind it, may get over what ails it; a body that can be read only once is
   * not sent again.
   *
   * @throws {ApiError}
   */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${this.#token}`);
    const attempt = () => this.#attempt(path, { ...init, headers });
    const isRepeatable = init.body === undefined || typeof init.body === "string";
    return isRepeatable ? withRetries(attempt) : attempt();
  }

  async #attempt(path: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      // The token, and what is uploaded, is for this address and for no other that it may name.
      response = await fetch(`${this.url}${path}`, { ...init, redirect: "manual" });
    } catch {
      throw new Error(`${this.url} does not answer: is it the Worker's address (--url)?${proxyHint()}`);
    }
    if (response.ok) return response;
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel();
      throw new Error(
        `${this.url} sends requests elsewhere (${response.status}): give the Worker's own address (--url)`,
      );
    }
    const problem = (await response.json().catch(() => ({}))) as Problem;
    const retryAfter = retryAfterOf(response.headers.get("retry-after"));
    throw new ApiError(response.status, { detail: response.statusText, ...problem }, retryAfter);
  }
}

/** Without a user: that would be shown in messages. */
function isAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && [username, password, search, hash].every((part) => part === "");
}
