/** The events of one request: gathered while it is answered, told before or after its answer leaves. */
import { Buffer } from "node:buffer";
import { v7 as uuidv7 } from "uuid";
import type { Caller } from "../auth/callers.ts";
import type { Bindings, Queue } from "../bindings.ts";
import type { AuditMode } from "../config/schema.ts";
import { logError } from "../log.ts";
import { Problem } from "../problem.ts";
import { type Awaitable, andThen, attempt } from "../steps.ts";
import type { Draft, Outcome, UnwrittenEvent } from "./event.ts";
import { count } from "./metrics.ts";

/** Enough to tell clients apart, characters. */
const MAX_USER_AGENT = 256;
/**
 * No store has a longer name for a bucket, but a request may, in vain: one such event must not keep those beside it out
 * of the queue; characters.
 */
const MAX_BUCKET = 255;
/** Queues are billed by 64 KB and take up to 128 KB a message, bytes of JSON. */
const MAX_MESSAGE = 60_000;

const DENIALS: readonly number[] = [401, 403, 411, 413, 415, 429];
const KEY_FAILURES: readonly string[] = ["key-invalid", "no-writable-key", "key-unknown"];

export class Trail {
  /** Whoever calls, once that is known. */
  caller: Caller | undefined;
  readonly #request: Pick<UnwrittenEvent, "requestId" | "ip" | "country" | "userAgent">;
  readonly #events: UnwrittenEvent[] = [];
  readonly #told = new WeakSet<Problem>();

  constructor(request: Request, requestId: string) {
    const { country } = (request as { cf?: { country?: string } }).cf ?? {};
    this.#request = {
      requestId,
      ip: request.headers.get("cf-connecting-ip") ?? undefined,
      country,
      userAgent: request.headers.get("user-agent")?.slice(0, MAX_USER_AGENT),
    };
  }

  /** Does the work, and records one event of how it ended. */
  record<T>(work: (draft: Draft) => Promise<T>): Promise<T>;
  record<T>(work: (draft: Draft) => Awaitable<T>): Awaitable<T>;
  record<T>(work: (draft: Draft) => Awaitable<T>): Awaitable<T> {
    const draft: Draft = {};
    const result = attempt(
      () => work(draft),
      (error) => {
        this.fail(draft, error);
        throw error;
      },
    );
    return andThen(result, (value) => {
      this.#add(draft, "allowed");
      return value;
    });
  }

  /** Records what a client says that the store refused. */
  report(draft: Draft): void {
    this.#add(draft, "failed");
  }

  /** Records what did not succeed. */
  fail(draft: Draft, error: unknown): void {
    const problem = error instanceof Problem ? error : new Problem("internal", "");
    this.#told.add(problem);
    this.#add({ ...draft, code: problem.code }, DENIALS.includes(problem.status) ? "denied" : "failed");
  }

  /** Records a refusal or a key's failure that no step of an operation has recorded. */
  refuse(problem: Problem): void {
    const isTold = this.#told.has(problem);
    if (!isTold && ([401, 403, 429].includes(problem.status) || KEY_FAILURES.includes(problem.code))) {
      this.fail({}, problem);
    }
  }

  /**
   * Tells all events. The log has them in any case; the queue, where one is bound, before this resolves when the mode
   * is strict.
   *
   * @param later keeps the Worker alive until a promise is settled
   * @throws {Problem} `audit-unavailable` when the mode is strict and the queue does not take them
   */
  async deliver(
    { queue, metrics }: Pick<Bindings, "queue" | "metrics">,
    mode: AuditMode,
    later: (promise: Promise<void>) => void,
  ): Promise<void> {
    const events = this.#events.splice(0);
    if (events.length === 0) return;
    if (metrics) count(events, metrics);
    const lines = events.map((event) => JSON.stringify(event));
    if (queue && mode === "strict") {
      await send(queue, events, lines).catch((error: unknown) => {
        for (const event of events)
          log(JSON.stringify({ ...event, outcome: "failed", code: "audit-unavailable" }));
        throw unavailable(error);
      });
    } else if (queue) {
      later(send(queue, events, lines).catch((error: unknown) => this.#logLost(error)));
    }
    lines.forEach(log);
  }

  #logLost(error: unknown): void {
    const { operator = "" } = unavailable(error);
    logError({ code: "audit-unavailable", message: operator, requestId: this.#request.requestId });
  }

  #add(draft: Draft, outcome: Outcome): void {
    const { requestId, ip, country, userAgent } = this.#request;
    const { bucket, source } = draft;
    const msecs = Date.now();
    // Field by field: a copy by `...` costs far more.
    this.#events.push({
      id: uuidv7({ msecs }),
      time: isoTime(msecs),
      requestId,
      caller: this.caller?.name,
      subject: this.caller?.subject,
      operation: draft.operation,
      bucket: bucket?.slice(0, MAX_BUCKET),
      key: draft.key,
      versionId: draft.versionId,
      source: source && { ...source, bucket: source.bucket.slice(0, MAX_BUCKET) },
      keyId: draft.keyId,
      keyMD5: draft.keyMD5,
      outcome,
      code: draft.code,
      expiresAt: draft.expiresAt,
      bytes: draft.bytes,
      ip,
      country,
      userAgent,
    });
  }
}

/** As long as a request does not wait, the clock stands still, and its events are of one time. */
let last = { msecs: Number.NaN, text: "" };

function isoTime(msecs: number): string {
  if (last.msecs !== msecs) last = { msecs, text: new Date(msecs).toISOString() };
  return last.text;
}

/** @param line the event's JSON, which the log tells apart from its other lines */
function log(line: string): void {
  console.log(`{"event":"audit",${line.slice(1)}`);
}

/** In as few messages as their size allows. */
async function send(
  queue: Queue,
  events: readonly UnwrittenEvent[],
  lines: readonly string[],
): Promise<void> {
  let message: UnwrittenEvent[] = [];
  let length = 0;
  const flush = async () => {
    if (message.length > 0) await queue.send(message, { contentType: "json" });
    message = [];
    length = 0;
  };
  for (const [i, event] of events.entries()) {
    const more = Buffer.byteLength(lines[i] ?? "");
    if (length + more > MAX_MESSAGE) await flush();
    message.push(event);
    length += more;
  }
  await flush();
}

function unavailable(error: unknown): Problem {
  return new Problem(
    "audit-unavailable",
    "The audit trail cannot be written at the moment: try again soon.",
    {
      headers: { "retry-after": "5" },
      operator: `QUEUE did not take an audit event: ${error instanceof Error ? error.message : error}`,
    },
  );
}
