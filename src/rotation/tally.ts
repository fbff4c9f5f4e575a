/** What became of objects, added up for the ledger. */
import type { NewLarge } from "./ledger.ts";
import type { Outcome } from "./object.ts";
import type { Counts, Failure } from "./state.ts";

export class Tally {
  readonly #counts: Record<string, number> = {};
  readonly failures: Failure[] = [];
  readonly large: NewLarge[] = [];

  get counts(): Counts {
    return this.#counts;
  }

  get isEmpty(): boolean {
    return Object.keys(this.#counts).length + this.large.length + this.failures.length === 0;
  }

  count(name: string, n = 1): void {
    if (n > 0) this.#counts[name] = (this.#counts[name] ?? 0) + n;
  }

  add({ key, size }: { key: string; size: number }, { result, found, left, bytes, failure }: Outcome): void {
    if (result === "large") {
      this.large.push({ key, size, fromKey: found ?? "" });
      return;
    }
    this.count(result);
    if (bytes > 0) this.count("bytes", bytes);
    if (found !== undefined) this.count(`found/${found}`);
    if (left !== undefined) this.count(`left/${left}`);
    if (failure === undefined) return;
    // What lies under a key that nobody could see may lie under any.
    if (found === undefined) this.count("unclear");
    this.failures.push({ key, ...failure });
  }
}
