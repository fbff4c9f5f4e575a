/** 2 GiB by each way, in memory that does not grow with it. */
import { randomBytes } from "node:crypto";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freshKey } from "../support/client.ts";
import { download, hashOf, MiB, remove, startTransferWorker, token, WAYS } from "../support/ways.ts";
import type { RunningWorker } from "../support/worker.ts";
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

test(
  "slow uploads without a length share the memory; those for which there is none come again",
  { timeout: 300_000 },
  async () => {
    const heap = await Heap.watch(worker.inspectorUrl ?? "");
    const piece = randomBytes(MiB);
    const slow = Array.from({ length: 12 }, () => slowUpload(freshKey()));
    // Each holds most of a part, and nobody sends any further.
    await Promise.all(slow.map((upload) => upload.send(Array.from({ length: 7 }, () => piece))));
    // Eight parts of 8 MiB are all that may be held.
    const answered = () => slow.filter((upload) => upload.answer() !== undefined);
    await expect.poll(() => answered().length, { timeout: 120_000 }).toBeGreaterThanOrEqual(4);
    const refused = answered();
    for (const upload of refused) {
      expect(upload.answer()?.statusCode).toBe(503);
      expect(Number(upload.answer()?.headers["retry-after"])).toBeGreaterThan(0);
    }
    const going = slow.filter((upload) => !refused.includes(upload));
    expect(going.length).toBeGreaterThanOrEqual(5);
    for (const upload of going) {
      await upload.send(Array.from({ length: 7 }, () => piece));
      expect(await upload.end()).toBe(200);
    }
    expect(heap.stop()).toBeLessThan(MEMORY);
    const next = slowUpload(freshKey());
    await next.send([piece]);
    expect(await next.end()).toBe(200);
  },
);

function slowUpload(key: string) {
  const url = `${worker.url}/v1/objects/media/${key}`;
  const outgoing = httpRequest(url, { method: "PUT", headers: { authorization: `Bearer ${token}` } });
  let answer: IncomingMessage | undefined;
  const answered = new Promise<number | undefined>((resolve) => {
    outgoing.on("error", () => resolve(undefined));
    outgoing.on("response", (incoming) => {
      answer = incoming;
      incoming.resume();
      resolve(incoming.statusCode);
    });
  });
  return {
    answer: () => answer,
    /** Until all of it has gone, or the answer has come. */
    send: async (pieces: readonly Buffer[]) => {
      for (const piece of pieces) {
        if (answer !== undefined) return;
        const gone = new Promise((resolve) => outgoing.write(piece, resolve));
        await Promise.race([gone, answered]);
      }
    },
    end: () => {
      outgoing.end();
      return answered;
    },
  };
}
