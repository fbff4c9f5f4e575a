/**
 * Workers of a test's own, whose log is shown only where the test takes it. They have no page: its assets take longer to
 * start than all the rest, and test/api/assets.test.ts looks at them.
 */
import { readFileSync } from "node:fs";
import { inject } from "vitest";
import { type RunningWorker, startWorker, type WorkerOptions } from "../../scripts/worker.ts";

export type { RunningWorker };

/** Bundled once for the whole run: test/support/setup.ts. */
const code = readFileSync(inject("bundle"), "utf8");

export function startTestWorker({ without = [], ...options }: WorkerOptions): Promise<RunningWorker> {
  return startWorker({
    onLog: () => {},
    ...(options.entrypoint === undefined && { code }),
    ...options,
    // Nothing rotates without a database.
    without: [...without, "ASSETS", ...(without.includes("DB") ? (["ROTATION_QUEUE"] as const) : [])],
  });
}
