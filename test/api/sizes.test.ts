/** Objects of every size that could be a limit, by each way. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freshKey } from "../support/client.ts";
import { download, hashOf, MiB, remove, startTransferWorker, WAYS } from "../support/ways.ts";
import type { RunningWorker } from "../support/worker.ts";

let worker: RunningWorker;
beforeAll(async () => {
  worker = await startTransferWorker();
});
afterAll(() => worker?.close());

describe.for(Object.entries(WAYS))("%s", ([, upload]) => {
  test.for([
    ["0 B", 0],
    ["1 B", 1],
    ["5 MiB - 1", 5 * MiB - 1],
    ["5 MiB", 5 * MiB],
    ["5 MiB + 1", 5 * MiB + 1],
    ["100 MiB", 100 * MiB],
  ] as const)("%s goes up and comes down", { timeout: 60_000 }, async ([, size]) => {
    const key = freshKey();
    expect(await download(await upload(worker.url, key, size))).toEqual({ size, hash: hashOf(size) });
    await remove(worker.url, key);
  });
});
