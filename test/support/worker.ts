/** Workers of a test's own, whose log is shown only where the test takes it. */
import { readFileSync } from "node:fs";
import { inject } from "vitest";
import { type RunningWorker, startWorker, type WorkerOptions } from "../../scripts/worker.ts";

export type { RunningWorker };

/** Bundled once for the whole run: test/support/setup.ts. */
const code = readFileSync(inject("bundle"), "utf8");

export function startTestWorker(options: WorkerOptions): Promise<RunningWorker> {
  return startWorker({ onLog: () => {}, ...(options.entrypoint === undefined && { code }), ...options });
}
