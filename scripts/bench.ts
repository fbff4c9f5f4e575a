/** `npm run bench`: us and our peers, side by side in one run. `--quick` only sees that all of it works. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { aimsTable } from "./bench/aims.ts";
import { gateway } from "./bench/gateway.ts";
import { measure, movingEffort, rotationEffort, workersBeside } from "./bench/measure.ts";
import { moving } from "./bench/moving.ts";
import { plot } from "./bench/plot.ts";
import {
  gatewayTable,
  movingTable,
  rotatingTable,
  startTable,
  table,
  verifyingTable,
  withRotationTable,
  withTable,
} from "./bench/report.ts";
import { rotating } from "./bench/rotation.ts";
import { type Effort, starting } from "./bench/sections.ts";
import { verifying } from "./bench/verifying.ts";
import { bundle } from "./bench/workerd.ts";
import { bundleWorker } from "./bundle.ts";

const FULL: Effort = { rounds: 21, slice: 20, requests: 3000, starts: 15, transfer: 256, files: 500 };
const QUICK: Effort = { rounds: 1, slice: 1, requests: 50, starts: 1, transfer: 4, files: 10 };

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    /** Where the figures go, as JSON. */
    json: { type: "string" },
    /** Only `ssec` beside the aws command line. */
    moving: { type: "boolean", default: false },
    /** Only a rotation beside rclone. */
    rotation: { type: "boolean", default: false },
    /** Only the verification of signatures. */
    verifying: { type: "boolean", default: false },
    /** Only the S3 gateway, beside a bare passthrough and the store itself. */
    gateway: { type: "boolean", default: false },
    /** Only the start, from the process to the first answer. */
    starting: { type: "boolean", default: false },
    /** Where the plot goes, as SVG. */
    plot: { type: "string" },
    /** Figures and plot of docs/ become those of this run; with --rotation, its figures alone. */
    update: { type: "boolean", default: false },
  },
});
// Before anything is measured: minutes later is too late to say so.
const part = [values.moving, values.verifying, values.gateway, values.starting].includes(true);
if (values.update && (values.quick || part))
  throw new Error("--update takes a whole run, or --rotation: without --quick and the names of other parts");
const page = join(import.meta.dirname, "../docs/performance.md");
const effort = values.quick ? QUICK : FULL;
if (values.moving) {
  const { code } = await bundleWorker();
  console.log(movingTable(await moving(code, movingEffort(effort))));
  process.exit();
}
if (values.rotation) {
  const results = await rotating(rotationEffort(effort));
  console.log(rotatingTable(results));
  if (values.update) writeFileSync(page, withRotationTable(readFileSync(page, "utf8"), results));
  process.exit();
}
if (values.verifying) {
  console.log(verifyingTable(await verifying(effort)));
  process.exit();
}
if (values.gateway) {
  const { code } = await bundleWorker();
  console.log(gatewayTable(await gateway(code, await bundle("workers/streaming.ts"), effort)));
  process.exit();
}
if (values.starting) {
  const { code } = await bundleWorker();
  console.log(startTable(await starting(await workersBeside(code), effort)));
  process.exit();
}
const results = await measure(effort);

console.log(`${table(results)}\n\n${aimsTable(results)}`);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
if (values.plot !== undefined) writeFileSync(values.plot, plot(results));
if (values.update) {
  writeFileSync(page, withTable(readFileSync(page, "utf8"), results));
  writeFileSync(join(import.meta.dirname, "../docs/performance.svg"), plot(results));
}
