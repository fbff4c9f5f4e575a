/** Runs the consumer until it is killed: `node run-consumer.ts PORT DIR CONTROL_URL`. */
import { fileURLToPath } from "node:url";
import { startWorker } from "../../../scripts/worker.ts";

const [port, dir, controlUrl] = process.argv.slice(2) as [string, string, string];
await startWorker({
  env: { CONTROL_URL: controlUrl },
  entrypoint: fileURLToPath(new URL("consumer.ts", import.meta.url)),
  without: ["QUEUE", "RATE_LIMIT", "METRICS"],
  port: Number(port),
  dir,
  onLog: () => {},
});
await fetch(`${controlUrl}/up`);
