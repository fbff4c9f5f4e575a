/** Sends requests that the document describes, or nearly, and looks at every answer. */
import { Agent } from "node:http";
import fc from "fast-check";
import { type Exchanged, exchange } from "../support/exchange.ts";
import { requests } from "./arbitrary.ts";
import { type Content, faultOf, OPERATIONS, resolved, undescribed } from "./described.ts";
import { type Asked, LFS_FILE, Pool } from "./known.ts";

export interface Fuzzed {
  /** How many answers had each status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** How many had it of each operation: `post /v1/presign`. */
  readonly reached: Reached;
  /** What is wrong with an answer, and to which request it came. */
  readonly faults: readonly string[];
}

export type Reached = Readonly<Record<string, Readonly<Record<string, number>>>>;

export interface Fuzzing {
  readonly url: string;
  /** Another Worker over the same buckets, without a database: it takes most of what needs none. */
  readonly cheaperUrl?: string;
  /** A third, which most are too many for. */
  readonly busyUrl?: string;
  readonly token: string;
  readonly limitedToken: string;
  readonly count: number;
  readonly seed: number;
}

/** Requests that are made before any is sent: what they learn of answers is of those before. */
const CHUNK = 200;
const AT_ONCE = 16;
/** Enough to see what is wrong. */
const MAX_FAULTS = 20;
/** One to so many of those that need no database goes where there is one, and so to the trail. */
const RECORDED = 40;
/** One to so many goes where most are too many. */
const REFUSED = 50;
const NEED_DATABASE = ["Keys and rotations", "The trail"];

export async function fuzz(fuzzing: Fuzzing): Promise<Fuzzed> {
  const { url, cheaperUrl = url, busyUrl, token, count, seed } = fuzzing;
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const pool = new Pool();
  const arbitrary = requests(fuzzing, pool);
  const statuses: Record<string, number> = {};
  const reached: Record<string, Record<string, number>> = Object.fromEntries(
    OPERATIONS.map(({ method, path }) => [`${method} ${path}`, {}]),
  );
  const faults: string[] = [];

  const ask = async (asked: Asked, index: number) => {
    const isCheaper =
      index % RECORDED !== 0 && !asked.operation.tags.some((tag) => NEED_DATABASE.includes(tag));
    const isTooMuch = busyUrl !== undefined && index % REFUSED === 1;
    const { hostname, port } = new URL(isTooMuch ? busyUrl : isCheaper ? cheaperUrl : url);
    const { method, url: path, headers, body } = asked;
    const length = body === undefined ? {} : { "content-length": String(body.length) };
    const send = () =>
      exchange(
        { agent, hostname, port, path, method: method.toUpperCase(), headers: { ...headers, ...length } },
        body === undefined ? [] : [body],
      );
    // A connection that was kept may be closed at the very moment that a request comes: once, a new one is taken.
    const answer = await send().catch((error: NodeJS.ErrnoException) => {
      if (!["ECONNRESET", "EPIPE"].includes(error.code ?? "")) throw error;
      return send();
    });
    const { status } = answer;
    statuses[status] = (statuses[status] ?? 0) + 1;
    const type = answer.headers["content-type"] as string | undefined;
    const fault = faultIn(asked, { status, type, body: answer.body });
    if (fault !== undefined) faults.push(told(asked, status, answer.body, fault));
    const here = reached[`${method} ${asked.path}`];
    if (here) here[status] = (here[status] ?? 0) + 1;
    const { etag } = answer.headers;
    // A part's is not that of its object.
    if (status < 300 && typeof etag === "string" && !path.includes("uploadId="))
      pool.etags.set(path.split("?")[0] ?? "", etag);
    if (status < 300) await learn(pool, asked, answer);
  };

  const lfs = `${url}/v1/objects/media/lfs/${LFS_FILE.oid.slice(0, 2)}/${LFS_FILE.oid.slice(2, 4)}/${LFS_FILE.oid}`;
  const headers = { authorization: `Bearer ${token}` };
  await fetch(lfs, { method: "PUT", headers, body: "hello world" });
  try {
    for (let from = 0; from < count && faults.length < MAX_FAULTS; from += CHUNK) {
      const chunk = fc.sample(arbitrary, { numRuns: Math.min(CHUNK, count - from), seed: seed + from });
      const queue = chunk.entries();
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          for (const [index, asked] of queue) await ask(asked, index);
        }),
      );
    }
  } finally {
    agent.destroy();
  }
  return { statuses, reached, faults };
}

/** What later requests can be about. */
async function learn(pool: Pool, { path, method, json, url }: Asked, answer: Exchanged): Promise<void> {
  if (method === "head" || path === "/openapi.json") return;
  const text = answer.body.toString();
  if (path.startsWith("/s3/{bucket}/{key}")) {
    const uploadId = /<UploadId>([^<]+)/.exec(text)?.[1];
    const [, bucket = "", key = ""] = /^\/s3\/([^/]+)\/([^?]+)/.exec(url) ?? [];
    if (uploadId && /[?&]uploads/.test(url))
      Pool.keep(pool.uploads, { bucket, key: decodeURIComponent(key), uploadId, parts: [] });
    const etag = answer.headers.etag;
    const query = new URLSearchParams(url.split("?")[1]);
    const partNumber = Number(query.get("partNumber"));
    if (method === "put" && typeof etag === "string" && query.has("uploadId"))
      pool.hasPart(query.get("uploadId"), { partNumber, etag });
    return;
  }
  if (!answer.headers["content-type"]?.includes("json")) return;
  const value = JSON.parse(text || "null");
  if (path === "/v1/s3/credentials" && value.accessKeyId) Pool.keep(pool.signers, value);
  else if (path === "/v1/multipart") {
    const { bucket, key, keyId, uploadId } = value;
    Pool.keep(pool.uploads, { bucket, key, keyId, uploadId, parts: [] });
  } else if (path === "/v1/multipart/sign") await sendPart(pool, json, value);
  // Events have ids as well, and those are of nothing that can be asked for.
  else if (!path.startsWith("/v1/audit") || path.endsWith("/objects")) pool.learn(value);
}

/** One part, as it was signed, so that an upload can be completed. */
async function sendPart(pool: Pool, json: unknown, value: Signed): Promise<void> {
  const { uploadId } = json as { uploadId: string };
  const [part] = value.parts;
  if (part === undefined || !pool.uploads.some((each) => each.uploadId === uploadId)) return;
  const length = part.contentLength ?? 5;
  if (length > 1_000) return;
  const put = await fetch(part.url, { method: "PUT", headers: value.headers, body: "x".repeat(length) });
  const etag = put.headers.get("etag");
  await put.arrayBuffer();
  if (put.ok && etag) pool.hasPart(uploadId, { partNumber: part.partNumber, etag });
}

interface Signed {
  readonly parts: readonly {
    readonly partNumber: number;
    readonly url: string;
    readonly contentLength?: number;
  }[];
  readonly headers: Record<string, string>;
}

interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: Buffer;
}

/** S3 says so itself: of what is not there, and SlowDown. */
const OF_S3 = [501, 503];

const isOfS3 = ({ status, body }: Answer) =>
  OF_S3.includes(status) && /^$|<Code>(NotImplemented|SlowDown)</.test(body.toString());

function faultIn(asked: Asked, answer: Answer): string | undefined {
  const { method, path, operation, json } = asked;
  if (answer.status >= 500 && !(path.startsWith("/s3") && isOfS3(answer))) return "5xx";
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
  if ([400, 401, 429].includes(status)) return undefined;
  if (status !== 405) return `${status}, not 405`;
  const schema = path.startsWith("/v1/lfs/")
    ? { $ref: "#/components/schemas/LfsError" }
    : PROBLEM_405["application/problem+json"]?.schema;
  return faultOf(schema ?? {}, JSON.parse(body.toString()));
}

function told({ method, url, headers, body }: Asked, status: number, answer: Buffer, fault: string): string {
  const { authorization: _, Authorization: _signed, "X-Amz-Security-Token": _session, ...others } = headers;
  const request = `${method.toUpperCase()} ${url} ${JSON.stringify(others)} ${body?.toString().slice(0, 400) ?? ""}`;
  return `${request}\n  ${status} ${answer.toString().slice(0, 300)}\n  ${fault}`;
}

/** Operations that no request got done: where a success is described, there was none. */
export function unreached(reached: Reached): string[] {
  const isDone = (status: string) => Number(status) < 400;
  return (
    Object.entries(reached)
      // CreateBucket: what could be made is there, and S3 says so.
      .filter(([operation]) => operation !== "put /s3/{bucket}")
      .filter(([, statuses]) => !Object.keys(statuses).some(isDone))
      .map(([operation]) => operation)
  );
}

/** Statuses that are the service's own, whatever a store says. */
const OWN = [304, 401, 403, 413, 429];

/** Of those, what the document describes of an operation and no request got: `409 of post /v1/presign`. */
export function untold(reached: Reached): string[] {
  return OPERATIONS.flatMap(({ method, path, operation }) => {
    const name = `${method} ${path}`;
    const never = OWN.filter((status) => status in operation.responses && !(status in (reached[name] ?? {})));
    return never.map((status) => `${status} of ${name}`);
  });
}

/** A line for each operation: how often each status was the answer, and which that are described were none. */
export function table(reached: Reached): string {
  return OPERATIONS.map(({ method, path, operation }) => {
    const statuses = reached[`${method} ${path}`] ?? {};
    const counts = Object.entries(statuses).map(([status, count]) => `${status}: ${count}`);
    const never = Object.keys(operation.responses).filter(
      (status) => !(status in statuses) && !/^[25](XX|\d\d)$|XX/.test(status),
    );
    return `${method} ${path}  ${counts.join(", ")}${never.length > 0 ? `  (never ${never.join(", ")})` : ""}`;
  }).join("\n");
}
