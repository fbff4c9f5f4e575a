/** A progress bar on standard error, which is drawn only where that is a terminal. */
import { clearLine, cursorTo } from "node:readline";
import { hideBar } from "../terminal.ts";

const WIDTH = 30;
/** Milliseconds. */
const INTERVAL = 100;

/** What is told of bytes on their way. */
export interface Moved {
  /** @param bytes that have been moved; negative when they have to be moved again */
  add(bytes: number): void;
  /** Bytes that had been moved before this command began: they do not count for its speed. */
  skip(bytes: number): void;
  end(): void;
}

/** What is not shown. */
export const uncounted: Moved = { add: () => {}, skip: () => {}, end: () => {} };

export class Progress implements Moved {
  readonly #what: string;
  readonly #total: number | undefined;
  readonly #since = Date.now();
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #done = 0;
  #before = 0;

  /** @param total bytes, where they are known */
  constructor(what: string, total: number | undefined) {
    this.#what = what;
    this.#total = total;
    if (process.stderr.isTTY) this.#timer = setInterval(() => this.#draw(), INTERVAL);
  }

  add(bytes: number): void {
    this.#done += bytes;
  }

  skip(bytes: number): void {
    this.#done += bytes;
    this.#before += bytes;
  }

  end(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    hideBar();
  }

  /** For one of several that are moved together: the whole goes on when it ends. */
  share(): Moved {
    return { add: (bytes) => this.add(bytes), skip: (bytes) => this.skip(bytes), end: () => {} };
  }

  #draw(): void {
    const speed = (this.#done - this.#before) / Math.max((Date.now() - this.#since) / 1000, 0.001);
    const rate = `${inUnits(this.#done)}  ${inUnits(speed)}/s`;
    cursorTo(process.stderr, 0);
    process.stderr.write(`${this.#what}  ${this.#bar(speed)}${rate}`);
    clearLine(process.stderr, 1);
  }

  #bar(speed: number): string {
    if (!this.#total) return "";
    const share = Math.min(this.#done / this.#total, 1);
    const filled = Math.round(share * WIDTH);
    const left = speed > 0 ? ` ${Math.ceil((this.#total - this.#done) / speed)} s left ` : " ";
    return `${"█".repeat(filled)}${"░".repeat(WIDTH - filled)} ${Math.floor(share * 100)}%${left} `;
  }
}

/** `1.5 MiB` */
function inUnits(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1);
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
