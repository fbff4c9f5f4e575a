/** 2 GiB by each way, in memory that does not grow with it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunningWorker } from "../../scripts/worker.ts";
import { freshKey } from "../blackbox/client.ts";
import { download, hashOf, MiB, remove, startTransferWorker, WAYS } from "../blackbox/ways.ts";
import { Heap } from "./heap.ts";

const SIZE = 2048 * MiB;
/** What the platform gives a Worker. */
const MEMORY = 128e6;

let worker: RunningWorker;
beforeAll(async () => {
  worker = await startTransferWorker();
});
afterAll(() => worker?.close());

test.for(Object.entries(WAYS))(
  "%s: 2 GiB go up and come down",
  { timeout: 300_000 },
  async ([way, upload]) => {
    const key = freshKey();
    const heap = await Heap.watch(worker.inspectorUrl ?? "");
    const started = Date.now();
    const uploaded = await upload(worker.url, key, SIZE);
    const turned = Date.now();
    const downloaded = await download(uploaded);
    const ended = Date.now();
    const most = heap.stop();
    expect(downloaded).toEqual({ size: SIZE, hash: hashOf(SIZE) });
    const speed = (from: number, to: number) => `${Math.round((SIZE / MiB / (to - from)) * 1000)} MiB/s`;
    console.log(
      `${way}: up ${speed(started, turned)}, down ${speed(turned, ended)}, ${(most / 1e6).toFixed(1)} MB held by the Worker at most`,
    );
    expect(most).toBeLessThan(MEMORY);
    await remove(worker.url, key);
  },
);
