/**
 * Which refusals the database gets one by one. Anyone can be refused as often as they like, for nothing, and a row of the
 * database is not nothing: so of those that are alike a few are told each, and the others by the number, soon after.
 * The log has every one: each request has a log of its own.
 */
import { isRefusal, type UnwrittenEvent } from "./event.ts";

/** How many of a kind are told each in a minute. */
const EACH_OF_CALLER = 100;
const EACH_OF_STRANGERS = 10;
const EACH_RATE_LIMITED = 1;
/** Strangers look as they like: so many rows are theirs in a minute, whoever they say they are. */
const ALL_OF_STRANGERS = 100;
/** Kinds that are told apart at once; a caller may have many subjects. */
const MAX_KINDS = 2000;
const MINUTE = 60_000;

export class Refusals {
  readonly #isBucket: (name: string) => boolean;
  #since = Number.NEGATIVE_INFINITY;
  #strangers = 0;
  readonly #told = new Map<string, number>();
  readonly #counted = new Map<string, UnwrittenEvent>();
  #claimed = Number.NEGATIVE_INFINITY;

  /** @param isBucket whether there is such a bucket: what is refused may have any name for one */
  constructor(isBucket: (name: string) => boolean) {
    this.#isBucket = isBucket;
  }

  /**
   * Those events that are told each. The others are counted: `take` gives them.
   *
   * @param now milliseconds
   */
  sift(events: readonly UnwrittenEvent[], now: number): UnwrittenEvent[] {
    if (!events.some(isRefusal)) return [...events];
    if (now - this.#since >= MINUTE) {
      this.#since = now;
      this.#strangers = 0;
      this.#told.clear();
    }
    return events.filter((event) => !isRefusal(event) || this.#isToldAlone(event) || this.#count(event));
  }

  /**
   * Whether somebody should soon `take` what is counted: one request of those that come meanwhile, or, if that was ended
   * by the platform, a later one.
   *
   * @param now milliseconds
   */
  claim(now: number): boolean {
    if (this.#counted.size === 0 || now - this.#claimed < MINUTE) return false;
    this.#claimed = now;
    return true;
  }

  /** What was counted, one event of each kind, which is the last of them. */
  take(): UnwrittenEvent[] {
    const counted = [...this.#counted.values()];
    this.#counted.clear();
    this.#claimed = Number.NEGATIVE_INFINITY;
    return counted;
  }

  #isToldAlone(event: UnwrittenEvent): boolean {
    const isStranger = event.caller === undefined;
    if (isStranger && this.#strangers >= ALL_OF_STRANGERS) return false;
    const { ip, userAgent, subject } = event;
    const kind = JSON.stringify([this.#kindOf(event), ip, userAgent, subject]);
    const told = this.#told.get(kind) ?? 0;
    const isKnown = this.#told.has(kind) || this.#told.size < MAX_KINDS;
    const most =
      event.code === "rate-limited" ? EACH_RATE_LIMITED : isStranger ? EACH_OF_STRANGERS : EACH_OF_CALLER;
    if (!isKnown || told >= most) return false;
    this.#told.set(kind, told + 1);
    if (isStranger) this.#strangers++;
    return true;
  }

  /** @returns false: it is not told now */
  #count(event: UnwrittenEvent): false {
    const kind = this.#kindOf(event);
    const before = this.#counted.get(kind)?.count ?? (this.#counted.has(kind) ? 1 : 0);
    const count = before + (event.count ?? 1);
    this.#counted.set(kind, { ...event, count: count > 1 ? count : undefined });
    return false;
  }

  /** Of nothing but what the configuration and the code have names for, so that there are no more kinds than these allow. */
  #kindOf({ caller, operation, bucket = "", outcome, code }: UnwrittenEvent): string {
    return JSON.stringify([caller, operation, this.#isBucket(bucket) ? bucket : "", outcome, code]);
  }
}
