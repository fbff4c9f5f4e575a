/** The deployed or local Worker, as its operator talks to it. */

export interface ApiOptions {
  readonly url: string;
}

export class Api {
  readonly #url: string;
  readonly #token: string;

  /** @throws when SSEC_TOKEN is not set */
  constructor({ url }: ApiOptions) {
    const token = process.env.SSEC_TOKEN;
    if (!token) throw new Error("set SSEC_TOKEN to a caller's token");
    this.#url = url.replace(/\/$/, "");
    this.#token = token;
  }

  /**
   * The JSON answer to a GET; parameters that are undefined are left out.
   *
   * @throws with what the Worker says is wrong
   */
  async get<T>(path: string, parameters: Record<string, string | undefined> = {}): Promise<T> {
    const given = Object.entries(parameters).filter(
      (each): each is [string, string] => each[1] !== undefined,
    );
    const query = new URLSearchParams(given).toString();
    const response = await this.fetch(`${path}${query && `?${query}`}`);
    return (await response.json()) as T;
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${this.#token}`);
    let response: Response;
    try {
      response = await fetch(`${this.#url}${path}`, { ...init, headers });
    } catch {
      throw new Error(`${this.#url} does not answer: is it the Worker's address (--url)?`);
    }
    if (response.ok) return response;
    const problem = (await response.json().catch(() => ({}))) as { detail?: string; requestId?: string };
    const id = problem.requestId === undefined ? "" : ` (request ${problem.requestId})`;
    throw new Error(`${response.status}: ${problem.detail ?? response.statusText}${id}`);
  }
}
