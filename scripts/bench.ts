/** `npm run bench`: us and our peers, side by side in one run. `--quick` only sees that all of it works. */
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { PEER_NAMES } from "./bench/peers/index.ts";
import { plot } from "./bench/plot.ts";
import { table } from "./bench/report.ts";
import {
  batches,
  type Effort,
  inNode,
  inWorkerd,
  serving,
  signing,
  starting,
  transferring,
  weighing,
} from "./bench/sections.ts";
import { bundle, Workerd } from "./bench/workerd.ts";
import { bundleWorker } from "./bundle.ts";

const FULL: Effort = { rounds: 21, slice: 20, requests: 3000, starts: 15, transfer: 256 };
const QUICK: Effort = { rounds: 1, slice: 1, requests: 50, starts: 1, transfer: 4 };
const KEY_LENGTHS = [16, 64, 256, 1000];
const BATCH_SIZES = [1, 10, 100, 1000];

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    /** Where the figures go, as JSON. */
    json: { type: "string" },
    /** Where the plot goes, as SVG. */
    plot: { type: "string" },
  },
});
const effort = values.quick ? QUICK : FULL;

const { code: ours, whole } = await bundleWorker();
const workers = {
  "ssec-edge": ours,
  "empty Hono route": await bundle("workers/empty.ts"),
  "minimal aws4fetch route": await bundle("workers/minimal.ts"),
};
const signer = await Workerd.start(await bundle("workers/signing.ts"));
const runtimes = { workerd: inWorkerd(signer), Node: inNode() };
const ownAndNext = PEER_NAMES.slice(0, 2);

const results = {
  when: new Date().toISOString(),
  machine: { cpu: cpus()[0]?.model ?? "", cores: cpus().length, node: process.version },
  signing: {
    "workerd, a key for each URL": await signing(runtimes.workerd, effort, { keys: "each" }),
    "workerd, one key for all": await signing(runtimes.workerd, effort, { keys: "one" }),
    "Node, a key for each URL": await signing(runtimes.Node, effort, { keys: "each" }),
  },
  keyLengths: Object.fromEntries(
    await Array.fromAsync(KEY_LENGTHS, async (keyLength) => [
      keyLength,
      await signing(runtimes.workerd, effort, { keys: "each", keyLength, peers: ownAndNext }),
    ]),
  ) as Record<string, Record<string, number>>,
  serving: await serving(workers, effort),
  batches: await batches(ours, effort, BATCH_SIZES),
  starting: await starting(workers, effort),
  transferring: await transferring(ours, await bundle("workers/passthrough.ts"), effort),
  sizes: { ...(await weighing()), "Worker: ours, the whole bundle": whole },
};
await signer.close();

export type Results = typeof results;

console.log(table(results));
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
if (values.plot !== undefined) writeFileSync(values.plot, plot(results));
