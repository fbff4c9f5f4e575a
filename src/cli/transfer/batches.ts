/** Presigned requests that are asked for side by side, and go to the API together: one call for many files. */
import { type Api, ApiError, type Problem } from "../api.ts";

/** In one call: far from the API's limits of 1000 requests and of a body's bytes. */
const MOST = 100;

interface Asked<T> {
  readonly request: object;
  resolve(answer: T): void;
  reject(error: unknown): void;
}

export class Batches<T extends object> {
  readonly #asked = new WeakMap<Api, Asked<T>[]>();

  /** @throws {ApiError} */
  ask(api: Api, request: object): Promise<T> {
    return new Promise((resolve, reject) => {
      const asked = this.#asked.get(api);
      if (asked !== undefined) asked.push({ request, resolve, reject });
      else {
        this.#asked.set(api, [{ request, resolve, reject }]);
        // What the same turn of events asks for goes along.
        setImmediate(() => this.#send(api));
      }
    });
  }

  /** All that is asked for until an answer comes goes with the next call. */
  async #send(api: Api): Promise<void> {
    const asked = this.#asked.get(api) ?? [];
    while (asked.length > 0) await sendBatch(api, asked.splice(0, MOST));
    this.#asked.delete(api);
  }
}

async function sendBatch<T extends object>(api: Api, asked: readonly Asked<T>[]): Promise<void> {
  const [only] = asked.length === 1 ? asked : [];
  if (only !== undefined) return alone(api, only);
  try {
    const requests = asked.map(({ request }) => request);
    const { results } = await api.post<{ results: (T | { problem: Problem & { status: number } })[] }>(
      "/v1/presign/batch",
      { requests },
    );
    asked.forEach((each, i) => {
      const result = results[i];
      if (result === undefined) each.reject(new Error("the service left out an answer of a batch"));
      else if (!("problem" in result)) each.resolve(result);
      else {
        const error = new ApiError(result.problem.status, result.problem);
        // What may pass is asked for again, by itself.
        if (error.isPassing) void alone(api, each);
        else each.reject(error);
      }
    });
  } catch (error) {
    for (const each of asked) each.reject(error);
  }
}

function alone<T extends object>(api: Api, { request, resolve, reject }: Asked<T>): Promise<void> {
  return api.post<T>("/v1/presign", request).then(resolve, reject);
}
