/** Prices: the platform's as docs/costs.md has them, the store's as AWS has them. US dollars a million. */
import { readFileSync } from "node:fs";

const COSTS = new URL("../../docs/costs.md", import.meta.url);

/** @param meter the first cell of its row in docs/costs.md */
function platform(meter: string): number {
  const row = readFileSync(COSTS, "utf8")
    .split("\n")
    .find((line) => line.startsWith(`| ${meter} `));
  const [, price] = /\$([\d.]+) a million/.exec(row ?? "") ?? [];
  if (price === undefined) throw new Error(`docs/costs.md has no price of "${meter}"`);
  return Number(price);
}

export const PRICES = {
  requests: platform("requests to the Worker"),
  cpu: platform("CPU time"),
  queue: platform("Queues, operations"),
  rows: platform("D1, rows written"),
  /** https://aws.amazon.com/s3/pricing/, S3 Standard in us-east-1, November 2026. */
  reads: 0.4,
  writes: 5,
};
