/** A progress bar on standard error, one for all that a command moves, which is drawn only where that is a terminal. */
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

/** Moves on by what has come since it was told last how far a whole is. */
export function following(move: (bytes: number) => void): (progress: { readonly loaded: number }) => void {
  let before = 0;
  return ({ loaded }) => {
    move(loaded - before);
    before = loaded;
  };
}

export class Progress implements Moved {
  readonly #what: string;
  readonly #since = Date.now();
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #total: number | undefined;
  #done = 0;
  #before = 0;
  /** Of several: how many are expected so far, and how many have ended. */
  #files: { of: number; ended: number; areAll: boolean } | undefined;

  /** @param total bytes, where they are known */
  constructor(what: string, total: number | undefined, isShown = process.stderr.isTTY) {
    this.#what = what;
    this.#total = total;
    if (isShown) this.#timer = setInterval(() => this.#draw(), INTERVAL);
  }

  /** For several that are moved together, and are still being found. */
  static ofMany(what: string, isShown?: boolean): Progress {
    const progress = new Progress(what, undefined, isShown);
    progress.#files = { of: 0, ended: 0, areAll: false };
    return progress;
  }

  /** One more of several. @param bytes where they are known */
  expect(bytes: number | undefined): void {
    if (this.#files !== undefined) this.#files.of++;
    if (bytes !== undefined) this.#total = (this.#total ?? 0) + bytes;
  }

  /** All of them have been found. */
  expectNoMore(): void {
    if (this.#files !== undefined) this.#files.areAll = true;
  }

  add(bytes: number): void {
    this.#done += bytes;
  }

  skip(bytes: number): void {
    this.#done += bytes;
    this.#before += bytes;
  }

  /** One of several has ended, well or not. */
  endOne(): void {
    if (this.#files !== undefined) this.#files.ended++;
  }

  end(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    hideBar();
  }

  /** For one of several: the whole goes on when it ends. */
  share(): Moved {
    return { add: (bytes) => this.add(bytes), skip: (bytes) => this.skip(bytes), end: () => {} };
  }

  #draw(): void {
    const line = this.text((Date.now() - this.#since) / 1000);
    cursorTo(process.stderr, 0);
    process.stderr.write(line.slice(0, (process.stderr.columns || line.length + 1) - 1));
    clearLine(process.stderr, 1);
  }

  /** What is shown. @param seconds since it began */
  text(seconds: number): string {
    const speed = (this.#done - this.#before) / Math.max(seconds, 0.001);
    const bytes = this.#done > 0 || !this.#files ? [inUnits(this.#done), `${inUnits(speed)}/s`] : [];
    return [this.#what, ...this.#count(), ...this.#bar(speed), ...bytes].join("  ");
  }

  #count(): string[] {
    if (this.#files === undefined) return [];
    const { of, ended, areAll } = this.#files;
    return [`${ended}/${of}${areAll ? "" : "+"}`];
  }

  /** Only where the whole is known: a bar that goes back tells nothing. */
  #bar(speed: number): string[] {
    if (!this.#total || this.#files?.areAll === false) return [];
    const share = Math.min(this.#done / this.#total, 1);
    const filled = Math.round(share * WIDTH);
    const left = speed > 0 ? ` ${Math.ceil(Math.max(this.#total - this.#done, 0) / speed)} s left` : "";
    return [`${"█".repeat(filled)}${"░".repeat(WIDTH - filled)} ${Math.floor(share * 100)}%${left}`];
  }
}

/** `1.5 MiB` */
export function inUnits(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1);
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
