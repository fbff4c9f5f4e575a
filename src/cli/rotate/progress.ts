/** How far a rotation is: a bar at a terminal, else a line now and then. */
import type { RotationReport } from "../../rotation/state.ts";
import { hideBar, printable, progress } from "../terminal.ts";
import { inUnits } from "../transfer/progress.ts";

const WIDTH = 30;
/** Between two lines where nobody watches, milliseconds. */
const INTERVAL = 10_000;

export class RotationProgress {
  readonly #isBar: boolean;
  readonly #since: number;
  #first: RotationReport | undefined;
  #saidAt = 0;
  #said = "";

  constructor(isBar = process.stderr.isTTY === true, now = Date.now()) {
    this.#isBar = isBar;
    this.#since = now;
  }

  show(report: RotationReport, now = Date.now()): void {
    const text = this.text(report, (now - this.#since) / 1000);
    if (this.#isBar) {
      progress(text);
      return;
    }
    // What it waits for is said at once.
    const isDue = now - this.#saidAt >= INTERVAL || (isWaiting(report) && !this.#said.includes("waits"));
    if (!isDue || text === this.#said) return;
    this.#saidAt = now;
    this.#said = text;
    console.error(text);
  }

  /** @param seconds since it was first looked at, of which the pace is */
  text(report: RotationReport, seconds: number): string {
    this.#first ??= report;
    const { bucket, listed, isListed, bytes, dryRun } = report;
    const done = handled(report);
    const pace = (done - handled(this.#first)) / Math.max(seconds, 0.001);
    const speed = (bytes - this.#first.bytes) / Math.max(seconds, 0.001);
    const share = isListed && listed > 0 ? [bar(Math.min(done / listed, 1))] : [];
    const left = isListed && pace > 0 ? [`${inTime((listed - done) / pace)} left`] : [];
    return [
      `${dryRun ? "looking at" : "rotating"} ${printable(bucket)}`,
      ...share,
      `${done}/${listed}${isListed ? "" : "+"} objects`,
      ...(isWaiting(report)
        ? [waiting(report)]
        : [
            ...(bytes > 0 ? [inUnits(bytes)] : []),
            `${pace.toFixed(pace < 10 ? 1 : 0)}/s`,
            ...(speed > 0 ? [`${inUnits(speed)}/s`] : []),
            ...left,
          ]),
    ].join("  ");
  }

  end(): void {
    if (this.#isBar) hideBar();
  }
}

export function handled({ rotated, skipped, failed }: RotationReport): number {
  return rotated + skipped + failed;
}

function isWaiting({ state, pausedUntil }: RotationReport): boolean {
  return state === "running" && pausedUntil !== undefined;
}

/** One that cannot go on, and does by itself. */
export function waiting({ reason = "", pausedUntil = "" }: RotationReport): string {
  return `waits until ${pausedUntil.slice(11, 19)} UTC: ${printable(reason)}`;
}

function bar(share: number): string {
  const filled = Math.round(share * WIDTH);
  return `${"█".repeat(filled)}${"░".repeat(WIDTH - filled)} ${Math.floor(share * 100)}%`;
}

/** `51 s`, `12 min`, `3.4 h`, `2.5 days` */
export function inTime(seconds: number): string {
  if (seconds < 100) return `${Math.ceil(seconds)} s`;
  if (seconds < 6000) return `${Math.ceil(seconds / 60)} min`;
  const hours = seconds / 3600;
  return hours < 48 ? `${hours.toFixed(1)} h` : `${(hours / 24).toFixed(1)} days`;
}
