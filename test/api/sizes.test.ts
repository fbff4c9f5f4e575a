/** Objects of every size that could be a limit, by each way. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freshKey } from "../support/client.ts";
import { testSampled } from "../support/sampled.ts";
import { download, hashOf, MiB, remove, startTransferWorker, WAYS } from "../support/ways.ts";
import type { RunningWorker } from "../support/worker.ts";

let worker: RunningWorker;
beforeAll(async () => {
  worker = await startTransferWorker();
});
afterAll(() => worker?.close());

describe.for(Object.entries(WAYS))("%s", ([, upload]) => {
  const goesThrough = async (size: number) => {
    const key = freshKey();
    expect(await download(await upload(worker.url, key, size))).toEqual({ size, hash: hashOf(size) });
    await remove(worker.url, key);
  };

  testSampled(
    [
      ["0 B", 0],
      ["1 B", 1],
      ["5 MiB - 1", 5 * MiB - 1],
      ["5 MiB", 5 * MiB],
      ["5 MiB + 1", 5 * MiB + 1],
      ["8 MiB + 1", 8 * MiB + 1],
    ],
    5,
    "%s goes up and comes down",
    ([, size]) => goesThrough(size),
  );

  test("100 MiB goes up and comes down", { tags: ["thorough"] }, () => goesThrough(100 * MiB));
});
