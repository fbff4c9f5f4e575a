/** Sends requests that the document describes, or nearly, and looks at every answer. */
import { Agent } from "node:http";
import fc from "fast-check";
import { exchange } from "../support/exchange.ts";
import { type Asked, Pool, requests } from "./arbitrary.ts";
import { type Content, faultOf, OPERATIONS, resolved, undescribed } from "./described.ts";

export interface Fuzzed {
  /** How many answers had each status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Operations that were done at least once. */
  readonly done: ReadonlySet<string>;
  /** What is wrong with an answer, and to which request it came. */
  readonly faults: readonly string[];
}

export interface Fuzzing {
  readonly url: string;
  readonly token: string;
  readonly count: number;
  readonly seed: number;
}

/** Requests that are made before any is sent: what they learn of answers is of those before. */
const CHUNK = 200;
const AT_ONCE = 8;
/** Enough to see what is wrong. */
const MAX_FAULTS = 20;

export async function fuzz({ url, token, count, seed }: Fuzzing): Promise<Fuzzed> {
  const { hostname, port } = new URL(url);
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const pool = new Pool();
  const arbitrary = requests(token, pool);
  const statuses: Record<string, number> = {};
  const done = new Set<string>();
  const faults: string[] = [];

  const ask = async (asked: Asked) => {
    const { method, url: path, headers, body } = asked;
    const length = body === undefined ? {} : { "content-length": String(body.length) };
    const { status, ...answer } = await exchange(
      { agent, hostname, port, path, method: method.toUpperCase(), headers: { ...headers, ...length } },
      body === undefined ? [] : [body],
    );
    statuses[status] = (statuses[status] ?? 0) + 1;
    const type = answer.headers["content-type"] as string | undefined;
    const fault = faultIn(asked, { status, type, body: answer.body });
    if (fault !== undefined) faults.push(told(asked, status, answer.body, fault));
    if (status >= 300) return;
    done.add(`${method} ${asked.path}`);
    if (type?.includes("json")) pool.learn(JSON.parse(answer.body.toString() || "null"));
  };

  try {
    for (let from = 0; from < count && faults.length < MAX_FAULTS; from += CHUNK) {
      const chunk = fc.sample(arbitrary, { numRuns: Math.min(CHUNK, count - from), seed: seed + from });
      const queue = chunk.values();
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          for (const asked of queue) await ask(asked);
        }),
      );
    }
  } finally {
    agent.destroy();
  }
  return { statuses, done, faults };
}

interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: Buffer;
}

function faultIn(asked: Asked, answer: Answer): string | undefined {
  const { method, path, operation, json } = asked;
  if (answer.status >= 500 && !path.startsWith("/s3")) return "5xx";
  const meant = OPERATIONS.find((each) => each.path === path && each.method === method);
  // A method that the address has not.
  if (meant === undefined) return notAllowed(path, answer);
  const fault = undescribed(meant.operation, answer, method);
  if (fault !== undefined) return fault;
  const schema = operation.requestBody?.content["application/json"]?.schema;
  if (answer.status >= 300 || schema === undefined || json === undefined || meant.operation !== operation)
    return undefined;
  const refused = faultOf(schema, path === "/v1/presign/batch" ? doneOf(json, answer) : json, "open");
  return refused && `it was done, and the document does not allow it: ${refused}`;
}

/** Of a batch, those requests that were not refused. */
function doneOf(json: unknown, { body }: Answer): object {
  const { requests } = json as { requests: unknown[] };
  const { results } = JSON.parse(body.toString()) as { results: object[] };
  return { requests: requests.filter((_, i) => !("problem" in (results[i] ?? {}))) };
}

const PROBLEM_405 = resolved<{ content: Content }>({ $ref: "#/components/responses/Problem405" }).content;

/** For a method that the address has not. Who calls, and how, is looked at before. */
function notAllowed(path: string, { status, body }: Answer): string | undefined {
  if (status === 401 || status === 400) return undefined;
  if (status !== 405) return `${status}, not 405`;
  const schema = path.startsWith("/v1/lfs/")
    ? { $ref: "#/components/schemas/LfsError" }
    : PROBLEM_405["application/problem+json"]?.schema;
  return faultOf(schema ?? {}, JSON.parse(body.toString()));
}

function told({ method, url, headers, body }: Asked, status: number, answer: Buffer, fault: string): string {
  const { authorization: _, ...others } = headers;
  const request = `${method.toUpperCase()} ${url} ${JSON.stringify(others)} ${body?.toString().slice(0, 400) ?? ""}`;
  return `${request}\n  ${status} ${answer.toString().slice(0, 300)}\n  ${fault}`;
}
