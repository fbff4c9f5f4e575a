/** Everything that is measured, in one run. */
import { cpus } from "node:os";
import { bundleWorker } from "../bundle.ts";
import { gateway } from "./gateway.ts";
import { moving } from "./moving.ts";
import { PEER_NAMES } from "./peers/index.ts";
import { type RotationEffort, rotating } from "./rotation.ts";
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
} from "./sections.ts";
import { verifying } from "./verifying.ts";
import { bundle, Workerd } from "./workerd.ts";

const KEY_LENGTHS = [16, 64, 256, 1000];
const BATCH_SIZES = [1, 10, 100, 1000];

/** Fewer rounds: each is seconds long, and the gateway's disk small. */
export function movingEffort({ rounds, transfer, files }: Effort) {
  return { rounds: Math.ceil(rounds / 7), mebibytes: transfer, files };
}

/** Fewer, too, of whole processes; to see that it works the store in this process is enough. */
export function rotationEffort({ rounds, transfer, files }: Effort): RotationEffort {
  // Under five minutes on two cores.
  return {
    rounds: Math.ceil(rounds / 21),
    files: Math.ceil(1.2 * files),
    mebibytes: transfer / 4,
    onCeph: rounds > 1,
  };
}

/** Ours, and what it is measured beside. */
export async function workersBeside(ours: string) {
  return {
    "ssec-edge": ours,
    "empty Hono route": await bundle("workers/empty.ts"),
    "minimal aws4fetch route": await bundle("workers/minimal.ts"),
  };
}

/** Says what is measured now: all of it takes a quarter of an hour. */
function told<T>(what: string, measured: () => Promise<T>): Promise<T> {
  console.error(`${new Date().toTimeString().slice(0, 8)} ${what}`);
  return measured();
}

export type Results = Awaited<ReturnType<typeof measure>>;

export async function measure(effort: Effort) {
  const { code: ours, whole } = await bundleWorker();
  const workers = await workersBeside(ours);
  const signer = await Workerd.start(await bundle("workers/signing.ts", { requires: true }));
  const runtimes = { workerd: inWorkerd(signer), Node: inNode() };
  const ownAndNext = PEER_NAMES.slice(0, 2);

  try {
    return {
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
      serving: await told("serving", () => serving(workers, effort)),
      batches: await told("batches", () => batches(ours, effort, BATCH_SIZES)),
      starting: await told("starting", () => starting(workers, effort)),
      transferring: await told("transferring", async () =>
        transferring(ours, await bundle("workers/passthrough.ts"), effort),
      ),
      gateway: await told("gateway", async () => gateway(ours, await bundle("workers/streaming.ts"), effort)),
      verifying: await told("verifying", () => verifying(effort)),
      moving: await told("moving", () => moving(ours, movingEffort(effort))),
      rotating: await told("rotating", () => rotating(rotationEffort(effort))),
      sizes: { ...(await weighing()), "Worker: ours, the whole bundle": whole },
    };
  } finally {
    await signer.close();
  }
}
