/** The events of one request: gathered while it is answered, told before or after its answer leaves. */
import { v7 as uuidv7 } from "uuid";
import type { Caller } from "../auth/callers.ts";
import type { Bindings, Queue } from "../bindings.ts";
import type { Config } from "../config/load.ts";
import type { Limits } from "../limits.ts";
import { type ErrorEntry, logError } from "../log.ts";
import { type Reason, Refused } from "../refused.ts";
import { boundedKey, boundedName, boundedVersionId, type Origin, originOf } from "./bounded.ts";
import { type AuditEvent, type Draft, isRefusal, type Outcome, type UnwrittenEvent } from "./event.ts";
import { LogRoom } from "./log-room.ts";
import { count } from "./metrics.ts";
import type { Refusals } from "./refusals.ts";

/** Queues are billed by 64 KB and take up to 128 KB a message, bytes of JSON. */
const MAX_MESSAGE = 60_000;

/** Who the caller is, or how often they call, does not allow it. */
const OF_THE_CALLER: readonly Reason[] = ["unauthenticated", "forbidden", "rate-limited"];
/** The same, or what is asked is more than the caller's grants allow. */
const DENIALS: readonly Reason[] = [...OF_THE_CALLER, "length-required", "too-large", "unsupported-type"];
const KEY_FAILURES: readonly Reason[] = ["key-invalid", "no-writable-key", "key-unknown"];

/** Lines of errors that one request may write, and what of one is written, characters: the events need the log as well. */
const MAX_ERRORS = 10;
const MAX_ERROR_TEXT = 1000;

/** Whoever else is told of events, of which each is as its line in the log. */
export type AuditSink = (events: readonly AuditEvent[]) => void | Promise<void>;

/** What a trail needs to know of the service. */
export interface TrailContext {
  readonly config: Pick<Config, "buckets" | "audit">;
  readonly bindings: Pick<Bindings, "queue" | "metrics">;
  readonly limits: Pick<Limits, "refusalsCounted">;
  /** Takes the events beside the log and the queue. */
  readonly audit?: AuditSink | undefined;
  /** Of all requests that this instance answers. */
  readonly refusals: Refusals;
}

export class Trail {
  /** Whoever calls, once that is known. */
  caller: Caller | undefined;
  /** Which front the request came to; undefined for the API. */
  via: AuditEvent["via"];
  readonly #requestId: string;
  readonly #request: Request;
  readonly #origin: Origin;
  readonly #context: TrailContext;
  #events: UnwrittenEvent[] = [];
  /** Where in the events those are that stand for others which are alike. */
  readonly #alike = new Map<string, number>();
  readonly #told = new WeakSet<Refused>();
  readonly #errors = new Set<string>();
  #room: LogRoom | undefined;

  constructor(request: Request, requestId: string, context: TrailContext) {
    this.#requestId = requestId;
    this.#request = request;
    this.#origin = originOf(request);
    this.#context = context;
  }

  /** Where the request came from, as far as that is known. */
  get ip(): string | undefined {
    return this.#origin.ip;
  }

  /**
   * Does the work, and records one event of how it ended. What came of it is kept back where there is no room to tell it.
   *
   * @throws {Refused} `too-large` when the log of this request is full
   */
  async record<T>(work: (draft: Draft) => Promise<T>): Promise<T> {
    const draft: Draft = {};
    let result: T;
    try {
      result = await work(draft);
    } catch (error) {
      this.fail(draft, error);
      throw error;
    }
    if (this.#add(draft, "allowed")) return result;
    const refused = new Refused(
      "too-large",
      "One request cannot have more than this told of it: send what is left in another batch.",
    );
    this.fail({ ...draft, keyId: undefined, keyMD5: undefined, expiresAt: undefined }, refused);
    throw refused;
  }

  /** Records what a client says that the store refused. */
  report(draft: Draft): void {
    this.#add(draft, "failed");
  }

  /** Records what did not succeed. */
  fail(draft: Draft, error: unknown): void {
    const reason = error instanceof Refused ? error.reason : "internal";
    if (error instanceof Refused) this.#told.add(error);
    this.#add({ ...draft, code: reason }, DENIALS.includes(reason) ? "denied" : "failed");
  }

  /** Records a refusal or a key's failure that no step of an operation has recorded. */
  refuse(error: unknown): void {
    if (!(error instanceof Refused) || this.#told.has(error)) return;
    if ([...OF_THE_CALLER, ...KEY_FAILURES].includes(error.reason)) this.fail({}, error);
  }

  /** What the operator should see to, once for all that is alike in the request. */
  tell({ message, stack, ...entry }: Omit<ErrorEntry, "requestId">): void {
    const alike = JSON.stringify([entry.code, message]);
    if (this.#errors.has(alike) || this.#errors.size >= MAX_ERRORS) return;
    this.#errors.add(alike);
    logError({
      ...entry,
      message: message.slice(0, MAX_ERROR_TEXT),
      ...(stack !== undefined && { stack: stack.slice(0, MAX_ERROR_TEXT) }),
      requestId: this.#requestId,
    });
  }

  /**
   * Tells all events. The log has them in any case; the queue, where one is bound, before this resolves when the mode
   * is strict.
   *
   * @param later keeps the Worker alive until a promise is settled
   * @throws {Refused} `audit-unavailable` when the mode is strict and the queue does not take them
   */
  async deliver(later: (promise: Promise<void>) => void): Promise<void> {
    const events = this.#events;
    this.#events = [];
    if (events.length === 0) return;
    const { queue, metrics } = this.#context.bindings;
    if (metrics) count(events, metrics);
    const json = new Map(events.map((event) => [event, JSON.stringify(event)]));
    if (queue) await this.#queue(events, json, queue, later);
    const { audit } = this.#context;
    if (audit) {
      const handed = (async () => audit(events.map((event) => JSON.parse(json.get(event) ?? ""))))();
      await this.#sent(handed, "the audit function of createApp", events, later);
    }
    this.#log(events, json);
  }

  async #queue(
    events: readonly UnwrittenEvent[],
    json: Written,
    queue: Queue,
    later: (promise: Promise<void>) => void,
  ): Promise<void> {
    const { refusals, limits } = this.#context;
    await this.#sent(send(queue, refusals.sift(events, Date.now()), json), "QUEUE", events, later);
    if (refusals.claim(Date.now())) {
      later(
        scheduler
          .wait(limits.refusalsCounted)
          .then(() => send(queue, refusals.take()))
          .catch((error: unknown) => this.#logLost("QUEUE", error)),
      );
    }
  }

  /** @param to who takes them, for the operator */
  async #sent(
    sent: Promise<void>,
    to: string,
    events: readonly UnwrittenEvent[],
    later: (promise: Promise<void>) => void,
  ): Promise<void> {
    if (this.#context.config.audit !== "strict") {
      later(sent.catch((error: unknown) => this.#logLost(to, error)));
      return;
    }
    try {
      await sent;
    } catch (error) {
      this.#log(events.map((event) => ({ ...event, outcome: "failed" as const, code: "audit-unavailable" })));
      throw unavailable(to, error);
    }
  }

  #log(events: readonly UnwrittenEvent[], json?: Written): void {
    const lines = events.map((event) => lineOf(json?.get(event) ?? JSON.stringify(event)));
    // One event always has room.
    const told = events.length === 1 ? lines : this.#logRoom.lines(events, lines);
    for (const line of told) console.log(line);
  }

  get #logRoom(): LogRoom {
    this.#room ??= new LogRoom(this.#request);
    return this.#room;
  }

  #logLost(to: string, error: unknown): void {
    const { operator = "", reason } = unavailable(to, error);
    this.tell({ code: reason, message: operator });
  }

  /** @returns whether it is told of: only what was allowed is ever not */
  #add(draft: Draft, outcome: Outcome): boolean {
    const event = this.#eventOf(draft, outcome);
    if (isRefusal(event)) {
      const bucket = this.#context.config.buckets.has(event.bucket ?? "") ? event.bucket : "";
      const kind = JSON.stringify([event.operation, bucket, outcome, event.code]);
      if (this.#countWith(kind, event)) return true;
      if (this.#admit(event)) return this.#push(event, kind);
    } else if (this.#admit(event)) return this.#push(event);
    if (outcome === "allowed") return false;
    // Whatever it was: what is left of the log has a line for each code.
    const kind = JSON.stringify([outcome, event.code]);
    return this.#countWith(kind, event) || this.#push(event, kind);
  }

  #push(event: UnwrittenEvent, kind?: string): true {
    if (kind !== undefined) this.#alike.set(kind, this.#events.length);
    this.#events.push(event);
    return true;
  }

  /** Whether there was one that is alike, in whose place it now is. */
  #countWith(kind: string, event: UnwrittenEvent): boolean {
    const at = this.#alike.get(kind);
    const before = at === undefined ? undefined : this.#events[at];
    if (at === undefined || before === undefined) return false;
    this.#events[at] = { ...event, id: before.id, time: before.time, count: (before.count ?? 1) + 1 };
    return true;
  }

  /** A request with one event, as most are, is not measured. */
  #admit(event: UnwrittenEvent): boolean {
    const [first] = this.#events;
    if (first === undefined) return true;
    if (this.#room === undefined) this.#logRoom.admit(first);
    return this.#logRoom.admit(event);
  }

  #eventOf(draft: Draft, outcome: Outcome): UnwrittenEvent {
    const { clientRequestId, ip, country, userAgent } = this.#origin;
    const { source } = draft;
    const msecs = Date.now();
    // Field by field: a copy by `...` costs far more.
    return {
      id: uuidv7({ msecs }),
      time: isoTime(msecs),
      requestId: this.#requestId,
      clientRequestId,
      caller: this.caller?.name,
      subject: boundedName(this.caller?.subject),
      operation: draft.operation,
      via: draft.via ?? this.via,
      bucket: boundedName(draft.bucket),
      key: boundedKey(draft.key),
      versionId: boundedVersionId(draft.versionId),
      source: source && {
        bucket: boundedName(source.bucket) ?? "",
        key: boundedKey(source.key) ?? "",
        ...(source.versionId !== undefined && { versionId: boundedVersionId(source.versionId) ?? "" }),
        ...(source.keyId !== undefined && { keyId: boundedName(source.keyId) ?? "" }),
      },
      keyId: draft.keyId,
      keyMD5: draft.keyMD5,
      outcome,
      code: draft.code,
      expiresAt: draft.expiresAt,
      bytes: draft.bytes,
      count: undefined,
      ip,
      country,
      userAgent,
    };
  }
}

/** As long as a request does not wait, the clock stands still, and its events are of one time. */
let last = { msecs: Number.NaN, text: "" };

function isoTime(msecs: number): string {
  if (last.msecs !== msecs) last = { msecs, text: new Date(msecs).toISOString() };
  return last.text;
}

/** The JSON of events, which is made once. */
type Written = ReadonlyMap<UnwrittenEvent, string>;

/** @param json of an event, which the log tells apart from its other lines */
function lineOf(json: string): string {
  return `{"event":"audit",${json.slice(1)}`;
}

/** In as few messages as their size allows. */
async function send(queue: Queue, events: readonly UnwrittenEvent[], json?: Written): Promise<void> {
  let message: UnwrittenEvent[] = [];
  let length = 0;
  const flush = async () => {
    if (message.length > 0) await queue.send(message, { contentType: "json" });
    message = [];
    length = 0;
  };
  for (const event of events) {
    const more = Buffer.byteLength(json?.get(event) ?? JSON.stringify(event));
    if (length + more > MAX_MESSAGE) await flush();
    message.push(event);
    length += more;
  }
  await flush();
}

function unavailable(to: string, error: unknown): Refused {
  return new Refused(
    "audit-unavailable",
    "The audit trail cannot be written at the moment: try again soon.",
    {
      retryAfter: 5,
      operator: `${to} did not take an audit event: ${error instanceof Error ? error.message : error}`,
    },
  );
}
