/** The queue of rotations that run in this process. What it loses with the process, the ledger knows. */
import { describeUnforeseen, logError } from "../../log.ts";
import type { Message, Sender } from "../../rotation/messages.ts";

/** Messages that are worked on at once; each asks the store several things at once. */
const WIDTH = 2;
/** The longest that one waits that failed, milliseconds. */
const MAX_DELAY = 60_000;

export class LocalQueue implements Sender {
  /** Set once there is an engine, which sends here as well. */
  handle: (message: Message) => Promise<void> = async () => {};
  readonly #waiting: { readonly message: Message; readonly attempt: number }[] = [];
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #running = 0;
  #isOpen = true;
  #idle: (() => void)[] = [];

  async send(message: Message, delay = 0): Promise<void> {
    this.#add(message, 1, delay);
  }

  /** When nothing is worked on, and nothing waits but for a time to come. */
  async idle(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Nothing more is begun. */
  async close(): Promise<void> {
    this.#isOpen = false;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#waiting.length = 0;
    await this.idle();
  }

  #add(message: Message, attempt: number, delay: number): void {
    if (!this.#isOpen) return;
    if (delay > 0) {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#add(message, attempt, 0);
      }, delay);
      this.#timers.add(timer);
      return;
    }
    this.#waiting.push({ message, attempt });
    this.#pump();
  }

  #pump(): void {
    while (this.#running < WIDTH) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#running++;
      void this.#work(next.message, next.attempt).finally(() => {
        this.#running--;
        this.#pump();
      });
    }
    if (this.#running > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #work(message: Message, attempt: number): Promise<void> {
    try {
      await this.handle(message);
    } catch (error) {
      const { message: why, stack } = describeUnforeseen(error);
      logError({ code: "internal", message: `a message of a rotation comes again: ${why}`, stack });
      this.#add(message, attempt + 1, Math.min(1000 * 2 ** attempt, MAX_DELAY));
    }
  }
}
