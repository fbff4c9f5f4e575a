/**
 * What one invocation may write to the log. The platform cuts it off at 256 KB, without a word to the Worker; so an event
 * is let happen only where there is room for it.
 *
 * @see https://developers.cloudflare.com/workers/observability/logs/workers-logs/#limits
 */
import type { UnwrittenEvent } from "./event.ts";

/** Of all lines, the request's URL and its headers. */
const LIMIT = 256 * 1024;
/** For the lines of errors, for what the platform says of the request, and for the first event of each kind of refusal. */
const RESERVED = 40 * 1024;
/** What a line costs beside its text, which is counted as JSON in JSON: measured with a Tail Worker, and rounded up. */
const LINE = 96;
/** How much of several events one line has, so that whoever reads it can; bytes. */
const MAX_LINE = 24 * 1024;

/** What events have in common, so that one line may tell of several; the other fields each has for itself. */
const OWN_FIELDS = ["id", "key", "versionId", "source", "bytes", "count"] as const;
/** Told once where it is the same in all. */
const OFTEN_COMMON = ["time", "keyMD5", "expiresAt"] as const;

type OwnField = (typeof OWN_FIELDS)[number];
type OftenCommon = (typeof OFTEN_COMMON)[number];

/** Events that one line could tell, and what that would cost. */
class Group {
  readonly #head: number;
  readonly #first: UnwrittenEvent;
  readonly #differing = new Set<OftenCommon>();
  #events = 0;
  #own = 0;

  constructor(event: UnwrittenEvent) {
    this.#first = event;
    this.#head = LINE + cost({ event: "audit", ...withoutOwn(event) }) + cost({ events: [] });
  }

  /** @returns bytes of what is the event's own, by which `remove` takes it out again */
  add(event: UnwrittenEvent): number {
    const bytes = cost(own(event)) + 1;
    this.#events++;
    this.#own += bytes;
    for (const field of OFTEN_COMMON) if (event[field] !== this.#first[field]) this.#differing.add(field);
    return bytes;
  }

  remove(bytes: number): void {
    this.#events--;
    this.#own -= bytes;
  }

  /** Bytes. */
  get cost(): number {
    let each = 0;
    for (const field of this.#differing) each += field.length + 36;
    const body = this.#own + each * this.#events;
    return body + this.#head * (1 + Math.floor(body / (MAX_LINE / 2)));
  }
}

export class LogRoom {
  readonly #budget: number;
  readonly #groups = new Map<string, Group>();
  #cost = 0;

  /** @param request whose URL and headers take room themselves */
  constructor({ url, headers }: Request) {
    let taken = url.length;
    for (const [name, value] of headers) taken += Buffer.byteLength(name + value) + 4;
    this.#budget = Math.max(0, LIMIT - RESERVED - taken);
  }

  /** Whether there is room for an event; it is taken then. */
  admit(event: UnwrittenEvent): boolean {
    const kind = kindOf(event);
    const known = this.#groups.get(kind);
    const group = known ?? new Group(event);
    const before = known?.cost ?? 0;
    const bytes = group.add(event);
    if (this.#cost - before + group.cost > this.#budget) {
      group.remove(bytes);
      if (known) this.#cost += known.cost - before;
      return false;
    }
    this.#cost += group.cost - before;
    this.#groups.set(kind, group);
    return true;
  }

  /** The lines of all events: the one of each, or, where these would not fit, one for several that have much in common. */
  lines(events: readonly UnwrittenEvent[], single: readonly string[]): readonly string[] {
    const cost = single.reduce((sum, line) => sum + LINE + costOf(line), 0);
    return cost <= this.#budget ? single : linesOfSeveral(events);
  }
}

function linesOfSeveral(events: readonly UnwrittenEvent[]): string[] {
  return [...Map.groupBy(events, kindOf).values()].flatMap((alike) => {
    const [first] = alike as [UnwrittenEvent];
    const differing = OFTEN_COMMON.filter((field) => alike.some((event) => event[field] !== first[field]));
    const common: Record<string, unknown> = { event: "audit", ...withoutOwn(first) };
    for (const field of differing) delete common[field];
    const entries = alike.map((event) =>
      JSON.stringify({
        ...own(event),
        ...Object.fromEntries(differing.map((field) => [field, event[field]])),
      }),
    );
    const head = JSON.stringify(common).slice(0, -1);
    return pieces(entries).map((piece) => `${head},"events":[${piece.join(",")}]}`);
  });
}

function pieces(entries: readonly string[]): string[][] {
  const all: string[][] = [];
  let length = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    const bytes = costOf(entry);
    if (length + bytes > MAX_LINE) {
      all.push([]);
      length = 0;
    }
    all.at(-1)?.push(entry);
    length += bytes;
  }
  return all;
}

function kindOf({ operation, bucket, keyId, outcome, code }: UnwrittenEvent): string {
  return JSON.stringify([operation, bucket, keyId, outcome, code]);
}

function own(event: UnwrittenEvent): Pick<UnwrittenEvent, OwnField> {
  const { id, key, versionId, source, bytes, count } = event;
  return { id, key, versionId, source, bytes, count };
}

function withoutOwn(event: UnwrittenEvent): Omit<UnwrittenEvent, OwnField> {
  const { id, key, versionId, source, bytes, count, ...common } = event;
  return common;
}

/** What a value of an event costs in the log, bytes. */
function cost(value: object): number {
  return costOf(JSON.stringify(value));
}

/** The log's own record of a line is JSON: quotes and backslashes take two bytes. */
function costOf(text: string): number {
  return Buffer.byteLength(JSON.stringify(text));
}
