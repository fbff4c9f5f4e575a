/** Data points for Workers Analytics Engine, counted a request; docs/operating.md documents the columns. */
import type { Metrics } from "../bindings.ts";
import type { UnwrittenEvent } from "./event.ts";

/** What the platform takes in one invocation. */
const MAX_DATA_POINTS = 250;

/** One data point for all events that are alike; the trail has each. */
export function count(events: readonly UnwrittenEvent[], metrics: Metrics): void {
  const points = Map.groupBy(events, ({ caller, outcome, code, operation, bucket, keyId, country }) =>
    JSON.stringify([caller, outcome, code, operation, bucket, keyId, country].map((value) => value ?? "")),
  );
  for (const [alike, group] of [...points].slice(0, MAX_DATA_POINTS)) {
    const blobs: string[] = JSON.parse(alike);
    const number = group.reduce((sum, event) => sum + (event.count ?? 1), 0);
    const bytes = group.reduce((sum, event) => sum + (event.bytes ?? 0), 0);
    // One caller, one index: sampling is then fair to each.
    metrics.writeDataPoint({ indexes: [blobs[0] ?? ""], blobs, doubles: [number, bytes] });
  }
}
