/** Looks at a rotation until it is over, or nobody wants to look any longer. */
import { setTimeout } from "node:timers/promises";
import type { RotationReport } from "../../rotation/state.ts";
import { ApiError } from "../api.ts";
import { hideBar } from "../terminal.ts";
import { RotationProgress } from "./progress.ts";
import type { Rotations } from "./rotations.ts";

/** Between two looks, milliseconds: at first, and once it takes long. */
const INTERVAL = 250;
const MAX_INTERVAL = 2_000;
/** How long a Worker is looked for that does not answer, milliseconds. */
const PATIENCE = 60_000;

/** Ctrl-C, which npm passes on a second time. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** @returns the rotation as it was last seen, and whether that was the end */
export async function follow(
  rotations: Rotations,
  begun: RotationReport,
): Promise<{ report: RotationReport; isInterrupted: boolean }> {
  const interruption = new AbortController();
  const { signal } = interruption;
  const interrupt = () => interruption.abort();
  for (const each of SIGNALS) process.on(each, interrupt);
  const shown = new RotationProgress();
  let report = begun;
  try {
    for (let look = 0; report.state === "running" && !signal.aborted; look++) {
      shown.show(report);
      const wait = Math.min(INTERVAL * 1.1 ** look, MAX_INTERVAL);
      await setTimeout(wait, undefined, { signal }).catch(() => {});
      if (!signal.aborted) report = await lookedAt(rotations, report, signal);
    }
    return { report, isInterrupted: report.state === "running" };
  } finally {
    shown.end();
    // The second Ctrl-C may come later, and must not end what has yet to be said.
    if (!signal.aborted) for (const each of SIGNALS) process.off(each, interrupt);
  }
}

/** @throws when the Worker is away for long, or does not let it be looked at any more */
async function lookedAt(
  rotations: Rotations,
  last: RotationReport,
  signal: AbortSignal,
): Promise<RotationReport> {
  const until = Date.now() + PATIENCE;
  for (let attempt = 1; ; attempt++) {
    try {
      return await rotations.find(last.id);
    } catch (error) {
      if (!rotations.goesOn || (error instanceof ApiError && !error.isPassing) || Date.now() > until)
        throw error;
      if (attempt === 1) {
        hideBar();
        console.error(`ssec: ${(error as Error).message}; looking again`);
      }
      await setTimeout(MAX_INTERVAL, undefined, { signal }).catch(() => {});
      if (signal.aborted) return last;
    }
  }
}
